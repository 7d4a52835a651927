/** Makes a Worker of each file in workers/: a script, with its wasm beside it as modules, since workerd compiles no bytes. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { wasmModules } from "../../build/wasm-modules.ts";
import { MODEL_CACHE } from "./models.ts";

const WORKERS = "scripts/bench/inference/workers";
const OUTPUT = "scripts/bench/.cache/inference";
const COMPATIBILITY_DATE = "2026-11-01"; // wrangler.toml's

const text = (value: string) => JSON.stringify(value);

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
      "import.meta.url": text("https://bench.invalid/"),
    },
    plugins: [wasmModules(wasm), scripts],
    logLevel: "error",
  });
  for (const [name, path] of wasm) writeFileSync(join(folder, name), readFileSync(path));
  const modules = [
    `(name = "index.js", esModule = embed "index.js")`,
    ...[...wasm.keys()].map((name) => `(name = ${text(name)}, wasm = embed ${text(name)})`),
  ];
  const config = join(folder, `config${flags.join("")}.capnp`);
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${flags.map(text).join(", ")}],
  services = [
    (name = "main", worker = .engine),
    (name = "models", disk = (path = ${text(resolve(MODEL_CACHE))})),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const engine :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = ${text(COMPATIBILITY_DATE)},
  bindings = [(name = "MODELS", service = "models")],
);
`,
  );
  return config;
}
