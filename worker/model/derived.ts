/** Reads the folder of a derived model, both for the index and for the Worker. Files are known by path only. */
import { LabelerError } from "../errors.ts";
import type { PlaceRows } from "../teaching/rows.ts";
import { readClassifierHead } from "./classifier-head.ts";
import { type DerivedSpec, parseDerivedSpec } from "./derived-spec.ts";
import { type Groups, parseGroups } from "./groups.ts";
import { Heads } from "./heads.ts";
import { parseLabels } from "./labels.ts";
import { whyNotClassName } from "./names.ts";
import { makeVocabulary, type Vocabulary } from "./vocabulary.ts";

/** Reads a file of the models' folder; undefined if it does not exist. */
export type ReadFile = (path: string) => Promise<Uint8Array | undefined>;

export interface DerivedModel {
  readonly spec: DerivedSpec;
  readonly heads: Heads | undefined;
  /** The names of the classes that are scored. @param classes As for vocabulary(). */
  names(classes: readonly string[]): readonly string[];
  /**
   * The vocabulary of its labels.
   *
   * @param classes The names of the base's classes, in their order.
   * @throws LabelerError of kind model-unusable if model.json does not fit these classes.
   */
  vocabulary(classes: readonly string[]): Vocabulary;
}

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

const refuse = (reason: string) => new LabelerError("model-unusable", reason);

async function groupsOf(name: string, { groups, base }: DerivedSpec, read: ReadFile): Promise<Groups | undefined> {
  if (groups === undefined) return undefined;
  if (typeof groups !== "string") return new Map(Object.entries(groups));
  const file = text((await read(`${name}/${groups}`)) ?? (await read(`${base}/${groups}`)));
  if (file === undefined) throw refuse(`model.json, groups: there is no ${groups} beside it, and none in ${base}.`);
  return parseGroups(file, groups);
}

/** Reads the head of a model, or those of its regions in the order of the regions. */
async function headsOf(
  name: string,
  { head, regions = [] }: DerivedSpec,
  read: ReadFile,
  place: PlaceRows | undefined,
): Promise<Heads | undefined> {
  if (head === undefined) return undefined;
  const readOne = async (file: string) => {
    const bytes = await read(`${name}/${file}`);
    if (bytes === undefined) throw refuse(`model.json, head: there is no ${file} beside it.`);
    return readClassifierHead(bytes, place);
  };
  if (typeof head === "string") return new Heads(await readOne(head));
  // Regions may share a file, which is then read once.
  const files = new Map<string, Awaited<ReturnType<typeof readOne>>>();
  const byRegion = new Map<string, Awaited<ReturnType<typeof readOne>>>();
  for (const region of regions) {
    const file = head[region.name] ?? "";
    const found = files.get(file) ?? (await readOne(file));
    files.set(file, found);
    byRegion.set(region.name, found);
  }
  return new Heads(byRegion);
}

/**
 * Checks that heads belong to their base.
 *
 * @param sha256 The SHA-256 of the base's model.tflite.
 * @throws LabelerError of kind model-unusable if a head was taught on another network.
 */
export function checkHeads({ heads, spec }: Pick<DerivedModel, "heads" | "spec">, sha256: string): void {
  const strange = heads?.all.find(({ base }) => base.sha256 !== sha256);
  if (strange === undefined) return;
  const file = typeof spec.head === "string" ? spec.head : "the head of a region";
  throw refuse(
    `model.json, head: ${file} was taught on ${strange.base.name} with the SHA-256 ${strange.base.sha256}, but the model.tflite ` +
      `of ${spec.base} has ${sha256}. Teach it again with the photos: npm run model -- teach.`,
  );
}

/** The names of the classes, or those that the model has instead. @param classes The base's names. */
function renamed(classes: readonly string[], labels: readonly string[] | undefined, where: string): readonly string[] {
  if (labels === undefined) return classes;
  if (labels.length !== classes.length) {
    throw refuse(`${where}: there are ${labels.length} names for ${classes.length} classes; each class needs one.`);
  }
  const faulty = labels.flatMap((label) => whyNotClassName(label) ?? [])[0];
  if (faulty !== undefined) throw refuse(`${where}: ${faulty}.`);
  const twice = labels.find((label, at) => labels.indexOf(label) < at);
  if (twice !== undefined) throw refuse(`${where}: two classes have the name ${JSON.stringify(twice)}.`);
  return labels;
}

/**
 * Reads the files of a derived model.
 *
 * @param name The name of its folder.
 * @param place Where images are compared with the examples of its heads; in JavaScript if absent.
 * @returns Undefined if its model.json does not name a base or does not exist.
 * @throws LabelerError of kind model-unusable that says which file is wrong, how, and what would be right.
 */
export async function readDerived(name: string, read: ReadFile, place?: PlaceRows): Promise<DerivedModel | undefined> {
  const json = text(await read(`${name}/model.json`));
  const spec = json === undefined ? undefined : parseDerivedSpec(json);
  if (spec === undefined) return undefined;
  const [groups, heads, file] = [
    await groupsOf(name, spec, read),
    await headsOf(name, spec, read, place),
    text(await read(`${name}/labels.txt`)),
  ];
  if (file !== undefined && spec.labels !== undefined) {
    throw refuse("model.json, labels: there is a labels.txt beside it. Keep one of the two.");
  }
  const labels = spec.labels ?? (file === undefined ? undefined : parseLabels(file));
  const where = file === undefined ? "model.json, labels" : "labels.txt";
  const names = (classes: readonly string[]) => renamed(heads?.labels ?? classes, labels, where);
  return { spec, heads, names, vocabulary: (classes) => makeVocabulary(names(classes), { ...spec, groups }) };
}
