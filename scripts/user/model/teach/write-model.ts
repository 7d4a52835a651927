/** Writes a taught model into the folder of models, so that a labeler that runs never sees a part of it. */
import { existsSync, renameSync, rmSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { HeadData } from "../../../../worker/teaching/head.ts";
import { writeHead } from "../../../../worker/teaching/head-file.ts";
import { CommandError } from "../../../command-line/command.ts";
import { type HeadsByRegion, headFileOf, headFiles, type TaughtModel } from "./model.ts";

/**
 * Replaces files of a folder: all are written under other names first, and then take their places at once. What is read
 * of them in between fits no index: a labeler that runs waits until it reads one state.
 */
async function replaceAll(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const staged = Object.keys(files).map(
    (name) => [join(folder, `.${name}.${process.pid}`), join(folder, name)] as const,
  );
  try {
    for (const [i, content] of Object.values(files).entries()) await writeFile(staged[i]?.[0] ?? "", content);
    for (const [staging, path] of staged) renameSync(staging, path);
  } catch (error) {
    for (const [staging] of staged) rmSync(staging, { force: true });
    throw error;
  }
}

/** Makes a folder with files, as a whole. */
async function makeFolder(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const staging = join(dirname(folder), `.${basename(folder)}.${process.pid}`);
  try {
    await mkdir(staging);
    for (const [name, content] of Object.entries(files)) await writeFile(join(staging, name), content);
    renameSync(staging, folder);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw error;
  }
}

const sameBase = (a: HeadData["base"], b: HeadData["base"]) => a.sha256 === b.sha256 && a.precision === b.precision;

/**
 * The heads of all regions: those that were taught now, and those that stay.
 *
 * @throws CommandError if a region is left without a head, or has one of another base.
 */
function withOthers(taught: HeadsByRegion, { regions, heads }: TaughtModel): HeadsByRegion {
  if (taught.has(undefined)) return taught;
  const all = new Map<string, HeadData>();
  const [one] = taught.values();
  for (const { name } of regions) {
    const head = taught.get(name) ?? heads.get(name);
    if (head === undefined)
      throw new CommandError(`The region "${name}" has no photos. Teach it, too, or take it out of model.json.`, 1);
    if (one !== undefined && !sameBase(head.base, one.base))
      throw new CommandError(`The head of the region "${name}" is of another base. Teach all regions again.`, 1);
    all.set(name, head);
  }
  return all;
}

/** Names that are the same to file systems that do not tell capital letters from small ones. */
function checkFiles(files: readonly string[]): void {
  const twice = files.find((file, at) =>
    files.some((other, i) => i < at && other.toLowerCase() === file.toLowerCase()),
  );
  if (twice === undefined) return;
  throw new CommandError(
    `Two regions have names that differ only in capital letters: ${twice} would be the file of both. Rename one.`,
    1,
  );
}

/**
 * Writes heads, and the model.json that names them, of which what is not taught stays: description, only, not, min and so on.
 *
 * @param taught The heads that were taught now.
 * @returns The bytes of all heads' files.
 */
export async function writeModel(models: string, model: TaughtModel, taught: HeadsByRegion): Promise<number> {
  const folder = join(models, model.name);
  const heads = [...withOthers(taught, model)].map(([region, head]) => ({ region, head, file: headFileOf(region) }));
  const [first] = heads;
  if (first === undefined) throw new CommandError("No head was taught.", 1);
  checkFiles(heads.map(({ file }) => file));
  const { base } = first.head;
  const json = {
    ...model.spec,
    base: base.name,
    head:
      first.region === undefined
        ? first.file
        : Object.fromEntries(heads.map(({ region, file }) => [region ?? "", file])),
    // A model with regions looks there, at what photos of one region have taught it.
    ...(model.spec.regions === undefined && { crop: base.crop }),
    precision: base.precision,
    sha256: base.sha256,
  };
  const written = heads.map(({ head, file }) => [file, writeHead(head)] as const);
  const files = { ...Object.fromEntries(written), "model.json": `${JSON.stringify(json, undefined, 2)}\n` };
  if (existsSync(folder)) await replaceAll(folder, files);
  else await makeFolder(folder, files);
  // Heads that the former model.json named and this one does not.
  for (const [, file] of headFiles(model.spec))
    if (!Object.hasOwn(files, file)) await rm(join(folder, file), { force: true });
  return written.reduce((sum, [, { length }]) => sum + length, 0);
}
