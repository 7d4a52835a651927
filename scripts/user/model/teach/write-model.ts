/** Writes a taught model into the folder of models, so that a labeler that runs never sees a part of it. */
import { existsSync, renameSync, rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { HeadData } from "../../../../worker/teaching/head.ts";
import { writeHead } from "../../../../worker/teaching/head-file.ts";
import { CommandError } from "../../../command-line/command.ts";
import { HEAD_FILE } from "./lesson.ts";

/** The model.json that is there, of which what is not taught stays: description, only, not, min and so on. */
async function specIn(folder: string): Promise<Record<string, unknown>> {
  const text = await readFile(join(folder, "model.json"), "utf8").catch(() => undefined);
  if (text === undefined) return {};
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new CommandError(`${join(folder, "model.json")} is not a JSON object. Repair or remove it.`, 1);
}

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

/** @returns The bytes of the head's file. */
export async function writeModel(models: string, name: string, head: HeadData): Promise<number> {
  const folder = join(models, name);
  const spec = await specIn(folder);
  const { base } = head;
  const file = writeHead(head);
  const json = {
    ...spec,
    base: base.name,
    head: HEAD_FILE,
    // A model with regions looks there, at what photos of one region have taught it.
    ...(spec.regions === undefined && { crop: base.crop }),
    precision: base.precision,
    sha256: base.sha256,
  };
  const files = { [HEAD_FILE]: file, "model.json": `${JSON.stringify(json, undefined, 2)}\n` };
  if (existsSync(folder)) await replaceAll(folder, files);
  else await makeFolder(folder, files);
  return file.length;
}
