/** The bundled Worker, kept in .cache/ by what it is made of, since wrangler takes seconds to make it, and one to start. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { makeBundles } from "../build/bundles.ts";
import { readDeclared } from "./declared.ts";
import { fingerprint } from "./fingerprint.ts";
import { bundleWorker } from "./run.ts";
import type { Declared } from "./workerd-config.ts";

const CACHE = ".cache/workers";
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Removes bundles that no one has used for a day, and what was left of ones that were interrupted. */
function removeOld(): void {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    const used = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (used !== undefined && Date.now() - used > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** @returns A folder of the cache with the bundled Worker in `worker/` and what wrangler.toml declares in declared.json. */
async function cached(): Promise<string> {
  const folder = resolve(CACHE, fingerprint().slice(0, 16));
  if (existsSync(folder)) {
    const now = new Date();
    utimesSync(folder, now, now);
    return folder;
  }
  await makeBundles();
  mkdirSync(CACHE, { recursive: true });
  removeOld();
  // Made aside and renamed when complete, so that an interrupted or a second one at the same time does no harm.
  const aside = mkdtempSync(join(CACHE, "unfinished-"));
  try {
    bundleWorker(join(aside, "worker"));
    writeFileSync(join(aside, "declared.json"), JSON.stringify(await readDeclared()));
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else someone else was faster, and theirs is as good
  }
  return folder;
}

/** Copies the bundled Worker of this checkout to where a folder shall be. @returns What is declared of it. */
export async function copyWorkerBundle(folder: string): Promise<Declared> {
  const from = await cached();
  cpSync(join(from, "worker"), folder, { recursive: true });
  return JSON.parse(readFileSync(join(from, "declared.json"), "utf8"));
}
