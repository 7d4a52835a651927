/**
 * Checks the folders without model.tflite by the Worker's own code: a derived model can be used only if its base can.
 */
import { join } from "node:path";
import { LabelerError } from "../../worker/errors.ts";
import { mostRegions } from "../../worker/image/region-memory.ts";
import { checkHeads, type DerivedModel, readDerived } from "../../worker/model/derived.ts";
import { parseDerivedSpec } from "../../worker/model/derived-spec.ts";
import type { IndexEntry } from "../../worker/model/index-entry.ts";
import { MODEL_NAME } from "../../worker/model/names.ts";
import { nearestNames } from "../../worker/validation/nearest.ts";
import { oneOf } from "../../worker/validation/words.ts";
import { NotedFiles, readFrom, text, told, unusable } from "./model-files.ts";

/** The folders that name a base, with its name; undefined if model.json does not name one or cannot be read. */
type Bases = ReadonlyMap<string, string | undefined>;

async function basesOf(root: string, names: readonly string[]): Promise<Bases> {
  const read = readFrom(root);
  const bases = new Map<string, string | undefined>();
  for (const name of names) {
    const spec = text(await read(`${name}/model.json`));
    try {
      bases.set(name, spec === undefined ? undefined : parseDerivedSpec(spec)?.base);
    } catch {
      bases.set(name, undefined); // The fault is reported with the folder itself.
    }
  }
  return bases;
}

/**
 * The base of a derived model.
 *
 * @throws LabelerError of kind model-unusable if that model does not exist, cannot be used, or is itself derived.
 */
function baseOf(name: string, base: string, networks: readonly IndexEntry[], bases: Bases): IndexEntry {
  const found = networks.find((entry) => entry.name === base);
  if (found !== undefined) {
    if (found.error === undefined) return found;
    throw unusable(`model.json, base: the model "${base}" cannot be used: ${found.error}`);
  }
  const field = `model.json, base: "${base}"`;
  if (base === name) throw unusable(`${field} is this model itself. Name one that has a model.tflite.`);
  if (bases.has(base)) {
    const next = bases.get(base);
    if (next === undefined) throw unusable(`${field} has no model.tflite.`);
    if (next === name) throw unusable(`${field} names this model as its base in turn. Name one with a model.tflite.`);
    throw unusable(`${field} derives from "${next}" itself, and a base has a model.tflite. Name "${next}".`);
  }
  const usable = networks.map((entry) => entry.name);
  const near = nearestNames(base, usable);
  const hint = near.length > 0 ? `Did you mean ${oneOf(near.map((other) => `"${other}"`))}?` : "";
  throw unusable(
    `model.json, base: there is no model "${base}". ${hint || `There are: ${usable.join(", ") || "none"}.`}`,
  );
}

/** @throws LabelerError of kind model-unusable if the pixels of all regions do not fit into memory. */
function checkRegions({ regions = [] }: DerivedModel["spec"], { input }: IndexEntry): void {
  const most = input === undefined ? regions.length : mostRegions(input);
  if (regions.length <= most) return;
  throw unusable(
    `model.json, regions: there are ${regions.length}; of this base's ${input?.width} × ${input?.height} pixels ${most} fit into memory.`,
  );
}

/** The entry of a derived model in the index; its computation is that of its base. */
function describe({ spec, heads, vocabulary }: DerivedModel, base: IndexEntry, classes: readonly string[]) {
  checkHeads({ spec, heads }, base.sha256);
  if (spec.sha256 !== undefined && spec.sha256 !== base.sha256) {
    throw unusable(
      `model.json, sha256: the model.tflite of ${base.name} has ${base.sha256}. The model was made for another file.`,
    );
  }
  const { precisions = [] } = base;
  if (spec.precision !== undefined && !precisions.includes(spec.precision)) {
    throw unusable(`model.json, precision: the model can be ${oneOf(precisions)}.`);
  }
  const { name: _, files: __, version: ___, description: ____, ...computation } = base;
  checkRegions(spec, base);
  const words = vocabulary(classes);
  heads?.withVocabularies(words);
  return {
    ...computation,
    ...told(spec),
    classes: words.labels.length,
    ...(spec.crop !== undefined && { crop: spec.crop }),
    ...(spec.regions !== undefined && { regions: spec.regions }),
    ...(heads?.perRegion && { headPerRegion: true as const }),
    ...(spec.precision !== undefined && { precision: spec.precision }),
  };
}

/** @param labelsOf Returns the labels of a network. */
async function judge(
  root: string,
  name: string,
  { networks, bases, labelsOf }: JudgeOptions & { readonly bases: Bases },
): Promise<IndexEntry> {
  const folder = join(root, name);
  const noted = new NotedFiles(root);
  let found: IndexEntry = { name, files: {}, bytes: 0, sha256: "" };
  try {
    if (!MODEL_NAME.test(name)) {
      throw unusable("A folder's name may have letters, digits, dots, dashes and underscores only.");
    }
    const derived = await readDerived(name, noted.read);
    if (derived === undefined) {
      return { ...found, error: `${join(folder, "model.tflite")} is missing, and no model.json names a base.` };
    }
    const { spec } = derived;
    found = { ...found, base: spec.base };
    const base = baseOf(name, spec.base, networks, bases);
    const [files, baseVersion] = [noted.digests, base.version];
    found = { ...found, files, bytes: base.bytes, sha256: base.sha256, version: noted.version(baseVersion) };
    if (baseVersion !== undefined) found = { ...found, baseVersion };
    return { ...describe(derived, base, await labelsOf(base.name)), ...found };
  } catch (error) {
    if (!(error instanceof LabelerError)) throw error;
    return { ...found, error: `${folder}: ${error.message}` };
  }
}

interface JudgeOptions {
  /** The models that have a model.tflite. */
  readonly networks: readonly IndexEntry[];
  /** The labels of a usable one of them. */
  readonly labelsOf: (name: string) => Promise<readonly string[]>;
}

/** Checks folders that have no model.tflite. @param names The names of the folders. */
export async function judgeDerived(
  root: string,
  names: readonly string[],
  { networks, labelsOf }: JudgeOptions,
): Promise<IndexEntry[]> {
  const bases = await basesOf(root, names);
  const labels = new Map<string, Promise<readonly string[]>>();
  const once = (name: string) => {
    const asked = labels.get(name) ?? labelsOf(name);
    labels.set(name, asked);
    return asked;
  };
  const entries: IndexEntry[] = [];
  for (const name of names) entries.push(await judge(root, name, { networks, bases, labelsOf: once }));
  return entries;
}
