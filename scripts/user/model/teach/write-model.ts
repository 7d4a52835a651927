/** Writes a taught model into the folder of models, so that a labeler that runs never sees a part of it. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
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

/** Whole or not at all: under another name, then in its place. */
async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const staging = `${path}.new`;
  try {
    await writeFile(staging, content);
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { force: true });
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
  await mkdir(folder, { recursive: true });
  await replace(join(folder, HEAD_FILE), file);
  const text = `${JSON.stringify(json, undefined, 2)}\n`;
  await replace(join(folder, "model.json"), text);
  return file.length;
}
