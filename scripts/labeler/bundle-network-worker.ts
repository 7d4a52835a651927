/** Bundles a Worker that compiles and runs networks by the labeler's own code, for measurements outside of the labeler. */
import { join, resolve } from "node:path";
import { bundleTfjs } from "../build/tfjs-bundle.ts";
import { wasmModules } from "../build/wasm-modules.ts";
import { readDeclared } from "./declared.ts";
import { writeWorkerConfig } from "./write-worker-config.ts";

export interface NetworkWorker {
  /** The path of its source. */
  readonly source: string;
  /** The folder for the bundle and its configuration. */
  readonly folder: string;
  /** The folder of models that it reads. */
  readonly models: string;
  readonly v8Flags: readonly string[];
  /** The path of a module that takes the place of Vitest, whose matchers it may import, for a Worker that contains tests. */
  readonly vitest?: string;
}

/** Vitest's matchers, a package of its own that comes with it. */
const MATCHERS = resolve("node_modules/@vitest/expect/dist/index.js");

/** @returns The path of workerd's configuration. */
export async function bundleNetworkWorker({ source, folder, models, v8Flags, vitest }: NetworkWorker): Promise<string> {
  await bundleTfjs();
  const { build } = await import("esbuild");
  const wasm = new Map<string, string>();
  await build({
    entryPoints: [source],
    outfile: join(folder, "index.js"),
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2024",
    plugins: [wasmModules(wasm)],
    ...(vitest !== undefined && { alias: { vitest: resolve(vitest), "@vitest/expect": MATCHERS } }),
    logLevel: "error",
  });
  const { compatibilityDate } = await readDeclared();
  return writeWorkerConfig({ folder, wasm, compatibilityDate, v8Flags, models });
}
