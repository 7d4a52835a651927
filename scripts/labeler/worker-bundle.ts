/** Caches the bundled Worker in .cache/ by the digest of its inputs, since wrangler takes seconds to bundle it. */
import { randomUUID } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { readDeclared } from "./declared.ts";
import { fingerprint } from "./fingerprint.ts";
import { STORE_FOLDER } from "./several-workers-config.ts";
import type { Declared } from "./workerd-config.ts";

const CACHE = ".cache/workers";
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Removes bundles that were not used for a day, and the remains of interrupted builds. */
function removeOld(): void {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    const used = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (used !== undefined && Date.now() - used > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** Keeps a bundle from removal. */
function markUsed(folder: string): void {
  const now = new Date();
  try {
    utimesSync(folder, now, now);
  } catch {
    // The checkout belongs to another user, who has made it.
  }
}

/** Bundles the Worker that stores the results of several workers. */
async function bundleStore(folder: string): Promise<void> {
  const { build } = await import("esbuild"); // not loaded for a bundle that is there
  await build({
    entryPoints: ["worker/store.ts"],
    outfile: join(folder, "index.js"),
    bundle: true,
    format: "esm",
    platform: "browser",
    external: ["cloudflare:*"],
    minify: true,
    legalComments: "inline",
    logLevel: "warning",
  });
}

/**
 * @returns A folder of the cache with the bundled Worker in `worker/` and wrangler.toml's declarations in
 *   declared.json.
 */
async function cached(): Promise<string> {
  const folder = resolve(CACHE, fingerprint().slice(0, 16));
  if (existsSync(folder)) {
    markUsed(folder);
    return folder;
  }
  // Not loaded for a bundle that is there.
  const [{ makeBundles }, { bundleWorker }] = await Promise.all([import("../build/bundles.ts"), import("./run.ts")]);
  await makeBundles();
  mkdirSync(CACHE, { recursive: true });
  removeOld();
  // Built in a temporary folder and renamed when complete, so that interrupted and concurrent builds do no harm.
  const aside = join(CACHE, `unfinished-${randomUUID()}`);
  mkdirSync(aside); // Unlike the folders of mkdtempSync(), other users may read it.
  try {
    bundleWorker(join(aside, "worker"));
    await bundleStore(join(aside, "worker", STORE_FOLDER));
    writeFileSync(join(aside, "declared.json"), JSON.stringify(await readDeclared()));
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else a concurrent build has finished first
  }
  return folder;
}

/** A bundled Worker in the cache. */
export interface WorkerBundle {
  /** Its folder; nothing may be written there. */
  readonly folder: string;
  readonly declared: Declared;
  /** A folder for what depends on this state of the checkout. */
  readonly notes: string;
}

/** The bundled Worker of this checkout. */
export async function workerBundle(): Promise<WorkerBundle> {
  const folder = await cached();
  const declared: Declared = JSON.parse(readFileSync(join(folder, "declared.json"), "utf8"));
  return { folder: join(folder, "worker"), declared, notes: join(folder, "notes") };
}

/** Copies the bundled Worker of this checkout to a folder that is created. @returns The declarations of the Worker. */
export async function copyWorkerBundle(folder: string): Promise<Declared> {
  const bundle = await workerBundle();
  cpSync(bundle.folder, folder, { recursive: true });
  return bundle.declared;
}
