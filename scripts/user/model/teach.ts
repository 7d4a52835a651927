/** `npm run model -- teach NAME …`: teaches a model the user's own classes with photos of them. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { writeFractions } from "../../../worker/image/fractions.ts";
import { parseCrop } from "../../../worker/model/crop.ts";
import type { IndexEntry } from "../../../worker/model/index-entry.ts";
import { MODEL_NAME } from "../../../worker/model/names.ts";
import type { HeadData } from "../../../worker/teaching/head.ts";
import { type Taught, teachHead } from "../../../worker/teaching/teach.ts";
import { indexModels } from "../../build/model-index.ts";
import { CommandError, UsageError } from "../../command-line/command.ts";
import { suggestedName } from "../ekuiper/sql-function.ts";
import { FeatureServer } from "./teach/feature-server.ts";
import { type Base, type PreparedLesson, prepareLesson } from "./teach/lesson.ts";
import { cropOfRegion, cropOfRegions, isByRegions, readTaughtModel, type TaughtModel } from "./teach/model.ts";
import { planOf } from "./teach/plan.ts";
import { report } from "./teach/report.ts";
import { writeModel } from "./teach/write-model.ts";

/** The base if none is named: of the models that are shipped, its features serve best. */
const PREFERRED_BASE = "efficientnet_lite0";

/** Photos are squashed, since what is at their edges may be what counts. */
const DEFAULT_CROP = "squash";

export interface TeachOptions {
  readonly base?: string | undefined;
  readonly crop?: string | undefined;
  readonly precision?: string | undefined;
  /** Whether photos show the whole scene, and are cropped by the model's regions. */
  readonly regions?: boolean | undefined;
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** @throws CommandError for a name that is no model's, or that a model with a network of its own has. */
function checkName(name: string, entries: readonly IndexEntry[]): void {
  if (!MODEL_NAME.test(name)) {
    throw new CommandError(
      `"${name}" cannot be a model's name: letters, digits, dots, dashes and underscores only.`,
      1,
    );
  }
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry !== undefined && entry.base === undefined && entry.bytes > 0)
    throw new CommandError(`"${name}" is a model with a network of its own. Choose another name.`, 1);
}

/** @throws CommandError if the model cannot be a base, with the reason. */
function baseOf(entries: readonly IndexEntry[], name: string): IndexEntry {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    const names = entries.filter(({ features, base }) => features !== undefined && base === undefined);
    throw new CommandError(
      `There is no model "${name}" to be the base. There are: ${names.map((one) => one.name).join(", ") || "none"}.`,
      1,
    );
  }
  if (entry.error !== undefined) throw new CommandError(entry.error, 1);
  if (entry.base !== undefined) {
    throw new CommandError(
      `"${name}" derives from "${entry.base}" itself, and a base has a model.tflite. Name "${entry.base}".`,
      1,
    );
  }
  if (entry.features === undefined) {
    const reason = entry.noFeatures ?? `it has no plan: ${entry.noPlan}`;
    throw new CommandError(`"${name}" cannot be the base: ${reason}.`, 1);
  }
  return entry;
}

/** The base that is asked for, that of the head, or the best that there is; and how photos are fitted to it. */
function chooseBase(entries: readonly IndexEntry[], head: HeadData | undefined, asked: TeachOptions): Base {
  const usable = entries.filter(({ error, base, features }) => error === undefined && base === undefined && features);
  const fallback = usable.find(({ name }) => name === PREFERRED_BASE) ?? usable[0];
  const name = asked.base ?? head?.base.name ?? fallback?.name;
  if (name === undefined)
    throw new CommandError("There is no model that could be a base: npm run model -- add one.", 1);
  const entry = baseOf(entries, name);
  const same = head?.base.sha256 === entry.sha256 ? head.base : undefined;
  const precision = asked.precision ?? same?.precision ?? entry.precision ?? "exact";
  if (!entry.precisions?.some((known) => known === precision))
    throw new CommandError(`--precision ${precision}: "${name}" can be ${entry.precisions?.join(" or ")}.`, 1);
  const before = head === undefined || isByRegions(head) ? DEFAULT_CROP : head.base.crop;
  const crop = asked.crop ?? before;
  if (parseCrop(crop) === undefined)
    throw new UsageError(`--crop ${crop}: it is squash, center, or a rectangle x0,y0,x1,y1 in fractions.`);
  return { entry, precision, crop };
}

/** The classes that --class names, each with the files behind it. */
function classesIn(args: readonly string[], options: Options) {
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, tokens: true });
  const classes: { label: string; files: string[] }[] = [];
  for (const token of tokens) {
    if (token.kind === "option" && token.name === "class") classes.push({ label: token.value ?? "", files: [] });
    else if (token.kind === "positional") classes.at(-1)?.files.push(token.value);
  }
  return classes;
}

/** What is asked of a model: whether photos are cropped by its regions, as they were before if that is not said. */
function isByRegionsHere(model: TaughtModel, { regions, crop }: TeachOptions): boolean {
  if (regions && crop !== undefined) throw new UsageError("--regions and --crop: name one of the two.");
  if (regions && model.regions.length === 0) {
    throw new CommandError(
      `"${model.name}" has no regions. Write a model.json with base and regions first; the page draws them and copies it.`,
      1,
    );
  }
  const before = [...model.heads.values()].some(isByRegions);
  return regions || (crop === undefined && before && model.regions.length > 0);
}

/** How the photos of a head are cropped. */
function baseFor(
  { region, entries, model }: { region: string | undefined; entries: readonly IndexEntry[]; model: TaughtModel },
  byRegions: boolean,
  asked: TeachOptions,
): Base {
  const head = model.heads.get(region) ?? [...model.heads.values()][0];
  const own = model.regions.find(({ name }) => name === region);
  if (!byRegions) return chooseBase(entries, head, asked);
  const base = chooseBase(entries, head, {
    ...asked,
    crop: own === undefined ? DEFAULT_CROP : writeFractions(own.crop),
  });
  return { ...base, recorded: own === undefined ? cropOfRegions(model.regions) : cropOfRegion(own) };
}

/** Adds the name of the region to the report on its photos. */
function inRegion(region: string | undefined, error: unknown): unknown {
  return region !== undefined && error instanceof CommandError
    ? new CommandError(`${region}: ${error.message}`, 1)
    : error;
}

/**
 * Teaches a model, writes its folder, and prints what it can do.
 *
 * @param operands Behind the model's name: a folder of photos; or add, move or remove with photos.
 * @throws CommandError with the cause and what to do.
 */
export async function teach(
  models: string,
  name: string,
  operands: readonly string[],
  options: TeachOptions,
  args: { readonly args: readonly string[]; readonly options: Options },
): Promise<void> {
  const entries = await indexModels(models);
  checkName(name, entries);
  const model = await readTaughtModel(models, name);
  const byRegions = isByRegionsHere(model, options);
  const plans = await planOf(operands, classesIn(args.args, args.options), model, { byRegions });
  if (plans === undefined) throw new UsageError("Name a folder of photos, or the photos of each class behind --class.");
  const server = new FeatureServer(models);
  const lessons: { region: string | undefined; taught: Taught; prepared: PreparedLesson }[] = [];
  try {
    for (const { region, named, kept } of plans) {
      const base = baseFor({ region, entries, model }, byRegions, options);
      const head = model.heads.get(region);
      try {
        const prepared = await prepareLesson(models, server, base, named, { head, kept });
        lessons.push({ region, prepared, taught: teachHead(prepared.lesson) });
      } catch (error) {
        throw inRegion(region, error);
      }
    }
  } finally {
    await server.stop();
  }
  const isNew = await stat(join(models, name)).then(
    () => false,
    () => true,
  );
  const bytes = await writeModel(models, model, new Map(lessons.map(({ region, taught }) => [region, taught.head])));
  const entry = (await indexModels(models)).find((candidate) => candidate.name === name);
  if (entry?.error !== undefined) throw new CommandError(entry.error, 1);
  for (const [at, { region, taught, prepared }] of lessons.entries()) {
    if (region !== undefined) console.log(`${at === 0 ? "" : "\n"}The region ${region}:`);
    for (const line of report(taught, prepared)) console.log(line);
  }
  const size = `${(bytes / 1e6).toFixed(2)} MB`;
  console.log(
    `\nWrote ${join(models, name)} (${size}). Use it: POST /label?model=${name}, or npm run label -- --model ${name} photo.jpg`,
  );
  if (isNew) console.log(`In SQL: npm run ekuiper -- install --function ${suggestedName(name)}=${name}`);
}
