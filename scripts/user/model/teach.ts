/** `npm run model -- teach NAME …`: teaches a model the user's own classes with photos of them. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { parseCrop } from "../../../worker/model/crop.ts";
import type { IndexEntry } from "../../../worker/model/index-entry.ts";
import { MODEL_NAME } from "../../../worker/model/names.ts";
import type { HeadData } from "../../../worker/teaching/head.ts";
import { teachHead } from "../../../worker/teaching/teach.ts";
import { indexModels } from "../../build/model-index.ts";
import { CommandError, UsageError } from "../../command-line/command.ts";
import { type Base, headOf, photosOfHead, prepareLesson } from "./teach/lesson.ts";
import { type NamedPhoto, type Photo, photosInFolder, photosOfClasses, readPhoto } from "./teach/photos.ts";
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
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** What is to be done with which photos. */
interface Plan {
  readonly named: readonly NamedPhoto[];
  /** Photos of the head that stay. */
  readonly kept: readonly Photo[];
}

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
  const crop = asked.crop ?? head?.base.crop ?? DEFAULT_CROP;
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

const needHead = (head: HeadData | undefined, name: string): HeadData => {
  if (head !== undefined) return head;
  throw new CommandError(`"${name}" was not taught yet: npm run model -- teach ${name} PHOTOS/`, 1);
};

/** The digests of files; of text that is the beginning of a digest, of the photo that has it. */
async function digestsOf(files: readonly string[], head: HeadData): Promise<Set<string>> {
  const taught = photosOfHead(head).map(({ digest }) => digest);
  const found = new Set<string>();
  for (const file of files) {
    const named = /^[0-9a-f]{8,64}$/.test(file) ? taught.filter((digest) => digest.startsWith(file)) : [];
    if (named.length > 0) {
      for (const digest of named) found.add(digest);
      continue;
    }
    for (const photo of await photosOfClasses([{ label: "any", files: [file] }])) {
      const read = await readPhoto(photo);
      if ("error" in read) throw new CommandError(`${photo.image.name}: ${read.error}`, 1);
      if (!taught.includes(read.digest)) throw new CommandError(`${photo.image.name} was not taught.`, 1);
      found.add(read.digest);
    }
  }
  return found;
}

const COMMANDS = ["add", "move", "remove"] as const;

/** @returns Undefined where no photo is named. */
async function planOf(
  name: string,
  [first, ...rest]: readonly string[],
  classes: readonly { label: string; files: string[] }[],
  head: HeadData | undefined,
): Promise<Plan | undefined> {
  if (classes.length > 0) return { named: await photosOfClasses(classes), kept: [] };
  const command = COMMANDS.find((candidate) => candidate === first);
  if (first === undefined) return undefined;
  if (command === undefined || rest.length === 0)
    return rest.length === 0 ? { named: await photosInFolder(first), kept: [] } : undefined;
  const taught = photosOfHead(needHead(head, name));
  const [label = "", ...files] = rest;
  if (command === "remove") {
    const gone = await digestsOf(rest, needHead(head, name));
    return { named: [], kept: taught.filter(({ digest }) => !gone.has(digest)) };
  }
  if (files.length === 0)
    throw new UsageError(`teach ${name} ${command} CLASS FILE …: name the photos behind the class.`);
  if (command === "add") return { named: await photosOfClasses([{ label, files }]), kept: taught };
  await photosOfClasses([{ label, files: [] }]).catch((error: Error) => {
    if (!error.message.includes("has no photos")) throw error;
  });
  const moved = await digestsOf(files, needHead(head, name));
  return { named: [], kept: taught.map((photo) => (moved.has(photo.digest) ? { ...photo, label } : photo)) };
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
  const head = await headOf(models, name);
  const plan = await planOf(name, operands, classesIn(args.args, args.options), head);
  if (plan === undefined) throw new UsageError("Name a folder of photos, or the photos of each class behind --class.");
  const base = chooseBase(entries, head, options);
  const prepared = await prepareLesson(models, base, plan.named, { head, kept: plan.kept });
  const taught = teachHead(prepared.lesson);
  const isNew = await stat(join(models, name)).then(
    () => false,
    () => true,
  );
  const bytes = await writeModel(models, name, taught.head);
  const entry = (await indexModels(models)).find((candidate) => candidate.name === name);
  if (entry?.error !== undefined) throw new CommandError(entry.error, 1);
  for (const line of report(taught, prepared)) console.log(line);
  const size = `${(bytes / 1e6).toFixed(2)} MB`;
  console.log(
    `\nWrote ${join(models, name)} (${size}). Use it: POST /label?model=${name}, or npm run label -- --model ${name} photo.jpg`,
  );
  if (isNew) console.log(`In SQL: npm run ekuiper -- install --function ${name.replace(/\W/g, "_")}=${name}`);
}
