/** Prebundles TensorFlow.js for the Worker, so that wrangler and vitest take the same file. */
import { readFile, writeFile } from "node:fs/promises";
import { build, type Plugin } from "esbuild";

const OUTPUT = "worker/inference/tfjs.bundle.js";

/** The backend imports glue for threads too, 36 KB that an isolate cannot use. */
const withoutThreads: Plugin = {
  name: "without-threads",
  setup({ onLoad }) {
    onLoad({ filter: /tfjs-backend-wasm-threaded-simd(\.worker)?\.js$/ }, () => ({
      contents: "export default undefined; export const wasmWorkerContents = '';",
    }));
  },
};

/** Writes worker/inference/tfjs.bundle.js; leaves the file alone where it is right already, for the sake of watchers. */
export async function bundleTfjs(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: ["worker/inference/tfjs.entry.ts"],
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    // The emscripten glue takes a runtime with `process` for Node.
    define: { process: "undefined" },
    legalComments: "inline",
    plugins: [withoutThreads],
    write: false,
    logLevel: "warning",
  });
  const code = outputFiles[0]?.text ?? "";
  const old = await readFile(OUTPUT, "utf8").catch(() => "");
  if (old !== code) await writeFile(OUTPUT, code);
}
