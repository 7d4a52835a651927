/** Writes the parts that the npm package and a self-contained folder have in common. */
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { bundleNetworkWorker } from "../../labeler/bundle-network-worker.ts";
import { recordIncluded } from "../../labeler/included-models.ts";
import { STORE_FOLDER } from "../../labeler/several-workers-config.ts";
import { copyWorkerBundle } from "../../labeler/worker-bundle.ts";
import { bundleScript } from "../../run/bundle.mjs";
import { indexAloud } from "../models-folder.ts";
import { writeClientTypes } from "./client-types.ts";
import { renameCommands } from "./commands-renamed.ts";
import { notice, noticeOfEmbedded } from "./licences.ts";
import { type NpmPackage, packagesInWorker, readNpmPackages } from "./npm-packages.ts";
import { EXPLAIN_WORKER, PARTS, SHARED, THREAD } from "./parts.ts";

/** The files of a compiled program that run. */
const RUNS = /\.(js|wasm)$/;

function write(file: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

/** @returns The folders of npm's packages that the program contains. */
async function bundleTo(entry: string, file: string, options: { checkout?: string; splitting?: boolean } = {}) {
  const { dir, name, ext } = parse(file);
  const compiled = { name, standalone: true, packaged: renameCommands, ...options };
  const { files, packages } = await bundleScript(entry, compiled);
  for (const [made, contents] of files) write(join(dir, made === `${name}.mjs` ? name + ext : made), contents);
  return packages;
}

/** The Worker as it would be deployed, with the names that the commands have in a package. */
async function copyWorker(folder: string): Promise<void> {
  const declared = await copyWorkerBundle(join(folder, PARTS.worker));
  write(join(folder, PARTS.declared), `${JSON.stringify(declared, undefined, 2)}\n`);
  for (const part of [PARTS.worker, join(PARTS.worker, STORE_FOLDER)]) {
    for (const name of readdirSync(join(folder, part))) {
      const file = join(folder, part, name);
      if (name.endsWith(".js")) writeFileSync(file, renameCommands(readFileSync(file, "utf8")));
      else if (!RUNS.test(name) && name !== STORE_FOLDER) rmSync(file);
    }
  }
}

async function bundleExplainWorker(root: string, models: string): Promise<void> {
  const folder = join(root, parse(EXPLAIN_WORKER).name);
  mkdirSync(folder);
  const config = await bundleNetworkWorker({ source: EXPLAIN_WORKER, folder, models, v8Flags: [] });
  rmSync(config); // It is written where the Worker runs.
}

const withoutCaches = (source: string) => !source.includes("__pycache__");

export interface StageOptions {
  /** The folder of models that the package includes. */
  readonly models: string;
}

/**
 * Writes the parts into a folder.
 *
 * @returns The packages from npm that its programs contain, and workerd.
 */
export async function stage(folder: string, { models }: StageOptions): Promise<readonly NpmPackage[]> {
  const part = (name: string) => join(folder, name);
  await indexAloud(models);
  await copyWorker(folder);
  const program = part(PARTS.program);
  const checkout = `new URL("../${PARTS.share}/", import.meta.url)`;
  const bundled = await Promise.all([
    packagesInWorker(),
    bundleTo("scripts/user/package/cli.ts", program, { checkout, splitting: true }),
    bundleTo(THREAD, join(part(PARTS.share), THREAD)),
    bundleTo("worker/client.ts", join(part(PARTS.client), "index.js")),
  ]);
  write(program, `#!/usr/bin/env node\n${readFileSync(program, "utf8")}`);
  chmodSync(program, 0o755);
  writeClientTypes(part(PARTS.client));
  await bundleExplainWorker(folder, models);
  const { name, version, engines } = JSON.parse(readFileSync("package.json", "utf8"));
  write(join(part(PARTS.share), "package.json"), `${JSON.stringify({ name, version, type: "module", engines })}\n`);
  for (const path of SHARED) cpSync(path, join(part(PARTS.share), path), { recursive: true, filter: withoutCaches });
  cpSync(models, part(PARTS.models), { recursive: true });
  recordIncluded(part(PARTS.models));
  cpSync("scripts/user/package/README.md", part("README.md"));
  cpSync("LICENSE", part("LICENSE"));
  const packages = readNpmPackages(new Set([...bundled.flatMap((folders) => [...folders]), "node_modules/workerd"]));
  write(part("NOTICE"), notice(packages));
  write(part("NOTICE-embedded.txt"), noticeOfEmbedded());
  cpSync("native/NOTICE-codecs.txt", part("NOTICE-codecs.txt"));
  return packages;
}
