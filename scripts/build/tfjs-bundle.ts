/** Bundles TensorFlow.js for the Worker, so that wrangler and vitest use the same file. */
import type { Plugin } from "esbuild";
import { writeIfNew } from "./write-if-new.ts";

const OUTPUT = "worker/inference/tfjs.bundle.js";

/** The backend also imports glue code for threads: 36 KB that an isolate cannot use. */
const withoutThreads: Plugin = {
  name: "without-threads",
  setup({ onLoad }) {
    onLoad({ filter: /tfjs-backend-wasm-threaded-simd(\.worker)?\.js$/ }, () => ({
      contents: "export default undefined; export const wasmWorkerContents = '';",
    }));
  },
};

/** Writes worker/inference/tfjs.bundle.js, unless it is right already, so that watchers do not react. */
export async function bundleTfjs(): Promise<void> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: ["worker/inference/tfjs.entry.ts"],
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    // The glue code of emscripten takes any runtime with `process` for Node.
    define: { process: "undefined" },
    legalComments: "inline",
    plugins: [withoutThreads],
    write: false,
    logLevel: "warning",
  });
  await writeIfNew(OUTPUT, outputFiles[0]?.text ?? "");
}
