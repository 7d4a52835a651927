/** Makes a Worker of each file in workers/: a script, with its wasm beside it as modules, since workerd compiles no bytes. */
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { wasmModules } from "../../build/wasm-modules.ts";
import { writeWorkerConfig } from "../../labeler/write-worker-config.ts";
import { MODEL_CACHE } from "./models.ts";

const WORKERS = "scripts/bench/inference/workers";
const OUTPUT = "scripts/bench/.cache/inference";
const COMPATIBILITY_DATE = "2026-11-01"; // wrangler.toml's

/** LiteRT.js means its glue to be a <script> that leaves a global behind. */
const scripts: Plugin = {
  name: "scripts as modules",
  setup({ onLoad }) {
    onLoad({ filter: /litert_wasm_\w+\.js$/ }, ({ path }) => ({
      contents: `${readFileSync(path, "utf8")}\nexport default ModuleFactory;`,
    }));
  },
};

/**
 * Writes an engine's Worker and workerd's configuration for it.
 *
 * @param flags Of V8.
 * @returns The path of the configuration.
 */
export async function bundleEngine(worker: string, flags: readonly string[]): Promise<string> {
  const folder = resolve(OUTPUT, worker);
  mkdirSync(folder, { recursive: true });
  const wasm = new Map<string, string>();
  await build({
    entryPoints: [join(WORKERS, `${worker}.js`)],
    outfile: join(folder, "index.js"),
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2024",
    // The packages are installed beside the benchmark; tfjs is the repository's own.
    alias: { "@litertjs/wasm-utils": resolve(WORKERS, "litert-script.js") },
    external: ["node:*", "fs", "path", "module", "url", "util", "worker_threads"],
    // Emscripten's glue takes a runtime with `process` for Node.
    define: {
      process: "undefined",
      "globalThis.process": "undefined",
      "import.meta.url": JSON.stringify("https://bench.invalid/"),
    },
    plugins: [wasmModules(wasm), scripts],
    logLevel: "error",
  });
  const file = `config${flags.join("")}.capnp`;
  return writeWorkerConfig({
    folder,
    wasm,
    compatibilityDate: COMPATIBILITY_DATE,
    v8Flags: flags,
    models: MODEL_CACHE,
    file,
  });
}
