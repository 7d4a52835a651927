/** What `teach` is asked to do: which photos are taught to which head of a model. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFractions } from "../../../../worker/image/fractions.ts";
import type { HeadData } from "../../../../worker/teaching/head.ts";
import { CommandError, fromUser, UsageError } from "../../../command-line/command.ts";
import { photosOfHead } from "./lesson.ts";
import { isByRegions, type TaughtModel } from "./model.ts";
import { checkLabel, type NamedPhoto, type Photo, photosInFolder, photosOfClasses, readPhoto } from "./photos.ts";

/** What one head is taught. */
export interface HeadPlan {
  /** The name of its region; undefined for a head that serves all. */
  readonly region: string | undefined;
  readonly named: readonly NamedPhoto[];
  /** Photos of the head that stay. */
  readonly kept: readonly Photo[];
}

/** The files of a class. */
export interface ClassFiles {
  readonly label: string;
  readonly files: readonly string[];
}

export interface PlanOptions {
  /** Whether photos are of the whole scene, and are cropped by region. */
  readonly byRegions: boolean;
}

/** Takes "bay1/free" apart. @returns The whole as the class where no region of the model comes first. */
function splitClass(text: string, { regions }: TaughtModel): { region: string | undefined; label: string } {
  const [region = "", ...rest] = text.split("/");
  const isRegion = rest.length > 0 && regions.some(({ name }) => name === region);
  return isRegion ? { region, label: rest.join("/") } : { region: undefined, label: text };
}

/** Each photo once for every region, where the photos of one head are cropped by all of them. */
function croppedByAll(photos: readonly NamedPhoto[], { regions }: TaughtModel, options: PlanOptions): NamedPhoto[] {
  if (!options.byRegions) return [...photos];
  return photos.flatMap((photo) =>
    regions.map(({ name, crop }) => ({ ...photo, place: { name, crop: writeFractions(crop) } })),
  );
}

/** Plans for classes that are named as "bay1/free", or all without a region. */
async function planClasses(
  classes: readonly ClassFiles[],
  model: TaughtModel,
  options: PlanOptions,
): Promise<HeadPlan[]> {
  const byRegion = new Map<string | undefined, ClassFiles[]>();
  for (const { label: text, files } of classes) {
    const { region, label } = splitClass(text, model);
    byRegion.set(region, [...(byRegion.get(region) ?? []), { label, files }]);
  }
  if (byRegion.has(undefined) && byRegion.size > 1) {
    const [{ label } = { label: "" }] = byRegion.get(undefined) ?? [];
    throw new CommandError(
      `The class "${label}" does not name a region, and others do. Name the region of each, such as ${model.regions[0]?.name}/${label}.`,
    );
  }
  const plans: HeadPlan[] = [];
  for (const [region, own] of byRegion) {
    const photos = await photosOfClasses(own);
    const named = region === undefined ? croppedByAll(photos, model, options) : photos;
    plans.push({ region, named, kept: [] });
  }
  return plans;
}

const foldersIn = async (folder: string): Promise<string[]> => {
  const entries = await readdir(fromUser(folder), { withFileTypes: true }).catch((error: Error) => {
    throw new CommandError(`${folder} cannot be read: ${error.message}`);
  });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort();
};

/** The folders of regions in a folder: those that have the name of a region and folders of classes in them. */
async function regionFolders(folder: string, { regions, name: model }: TaughtModel): Promise<string[]> {
  const folders = await foldersIn(folder);
  const found: string[] = [];
  for (const name of folders) {
    const isRegion = regions.some((region) => region.name === name);
    if (isRegion && (await foldersIn(join(folder, name))).length > 0) found.push(name);
  }
  const strange = folders.find((name) => !found.includes(name));
  if (found.length === 0 || strange === undefined) return found;
  throw new CommandError(
    `${join(folder, strange)} is not the folder of a region with classes in it, as ${found[0]} is. ${model} has the regions ` +
      `${regions.map(({ name }) => name).join(", ")}.`,
  );
}

async function planFolder(folder: string, model: TaughtModel, options: PlanOptions): Promise<HeadPlan[]> {
  const regions = await regionFolders(folder, model);
  if (regions.length === 0)
    return [{ region: undefined, named: croppedByAll(await photosInFolder(folder), model, options), kept: [] }];
  const plans: HeadPlan[] = [];
  for (const region of regions) plans.push({ region, named: await photosInFolder(join(folder, region)), kept: [] });
  return plans;
}

const BEGINNING = /^[0-9a-f]{8,64}$/;

/**
 * The digests of examples of a head.
 *
 * @param file A file; or the beginning of a digest, where a photo has one that begins so.
 * @returns None for a photo that was not taught.
 */
async function digestsOf(file: string, head: HeadData, model: TaughtModel, region: string | undefined) {
  const taught = photosOfHead(head).map(({ digest }) => digest);
  const named = BEGINNING.test(file) ? taught.filter((digest) => digest.startsWith(file)) : [];
  if (named.length > 0) return named;
  const photos = await photosOfClasses([{ label: "any", files: [file] }]);
  const byRegions = region === undefined && isByRegions(head);
  const found: string[] = [];
  for (const photo of croppedByAll(photos, model, { byRegions })) {
    const read = await readPhoto(photo);
    if ("error" in read) throw new CommandError(`${photo.image.name}: ${read.error}`, 1);
    if (taught.includes(read.digest)) found.push(read.digest);
  }
  return found;
}

/** The head of a region. @throws CommandError if there is none. */
function needHead({ heads, name }: TaughtModel, region: string | undefined): HeadData {
  const head = heads.get(region);
  if (head !== undefined) return head;
  if (region === undefined && heads.size > 0) {
    const [first] = heads.keys();
    throw new UsageError(
      `"${name}" has a head for each region: name the region and the class, such as ${first}/CLASS.`,
    );
  }
  const where = region === undefined ? "" : ` for the region "${region}"`;
  throw new CommandError(`"${name}" was not taught yet${where}: npm run model -- teach ${name} PHOTOS/`, 1);
}

async function planAdd([text = "", ...files]: readonly string[], model: TaughtModel, options: PlanOptions) {
  const { region, label } = splitClass(text, model);
  const head = needHead(model, region);
  const photos = await photosOfClasses([{ label, files }]);
  const named = region === undefined ? croppedByAll(photos, model, options) : photos;
  return [{ region, named, kept: photosOfHead(head) }];
}

async function planMove([text = "", ...files]: readonly string[], model: TaughtModel) {
  const { region, label } = splitClass(text, model);
  checkLabel(label);
  const head = needHead(model, region);
  const moved = new Set<string>();
  for (const file of files) {
    const digests = await digestsOf(file, head, model, region);
    if (digests.length === 0) throw new CommandError(`${file} was not taught.`, 1);
    for (const digest of digests) moved.add(digest);
  }
  const kept = photosOfHead(head).map((photo) => (moved.has(photo.digest) ? { ...photo, label } : photo));
  return [{ region, named: [], kept }];
}

/** Takes photos out of all heads that were taught them. */
async function planRemove(files: readonly string[], model: TaughtModel): Promise<HeadPlan[]> {
  if (model.heads.size === 0) needHead(model, undefined);
  const missing = new Set(files);
  const plans: HeadPlan[] = [];
  for (const [region, head] of model.heads) {
    const gone = new Set<string>();
    for (const file of files) {
      const digests = await digestsOf(file, head, model, region);
      for (const digest of digests) gone.add(digest);
      if (digests.length > 0) missing.delete(file);
    }
    if (gone.size === 0) continue;
    plans.push({ region, named: [], kept: photosOfHead(head).filter(({ digest }) => !gone.has(digest)) });
  }
  const [first] = missing;
  if (first !== undefined) throw new CommandError(`${first} was not taught.`, 1);
  return plans;
}

/**
 * @param operands Behind the model's name: a folder of photos; or add, move or remove with photos.
 * @param classes Those that --class names.
 * @returns A plan for each head that changes; undefined where no photo is named.
 * @throws CommandError with the cause and what to do.
 */
export async function planOf(
  operands: readonly string[],
  classes: readonly ClassFiles[],
  model: TaughtModel,
  options: PlanOptions,
): Promise<HeadPlan[] | undefined> {
  const [first, ...rest] = operands;
  if (classes.length > 0) return planClasses(classes, model, options);
  if (first === undefined) return undefined;
  const command = (["add", "move", "remove"] as const).find((candidate) => candidate === first);
  if (command === undefined || rest.length === 0)
    return rest.length === 0 ? planFolder(first, model, options) : undefined;
  if (command === "remove") return planRemove(rest, model);
  if (rest.length < 2)
    throw new UsageError(`teach ${model.name} ${command} CLASS FILE …: name the photos behind the class.`);
  return command === "add" ? planAdd(rest, model, options) : planMove(rest, model);
}
