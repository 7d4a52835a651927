/** Bundles TensorFlow.js for the Worker, so that wrangler and vitest use the same file. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";
import { writeIfNew } from "./write-if-new.ts";

const ENTRY = "worker/inference/tfjs.entry.ts";
const OUTPUT = "worker/inference/tfjs.bundle.js";

/** The files that decide what the bundle contains: package-lock.json determines the code of the packages. */
const INPUTS = [ENTRY, "scripts/build/tfjs-bundle.ts", "package-lock.json"];

/** The backend also imports glue code for threads: 36 KB that an isolate cannot use. */
const withoutThreads: Plugin = {
  name: "without-threads",
  setup({ onLoad }) {
    onLoad({ filter: /tfjs-backend-wasm-threaded-simd(\.worker)?\.js$/ }, () => ({
      contents: "export default undefined; export const wasmWorkerContents = '';",
    }));
  },
};

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

/** The first line of a bundle, with the digests of the files that it was made of and of its code. */
const firstLine = (inputs: string, code: string) => `// ${digest(inputs)} ${digest(code)}\n`;

const isCurrent = (bundle: string, inputs: string): boolean => {
  const code = bundle.slice(bundle.indexOf("\n") + 1);
  return bundle === firstLine(inputs, code) + code;
};

/** Writes worker/inference/tfjs.bundle.js, unless it is right already: it takes a second, and watchers would react. */
export async function bundleTfjs(): Promise<void> {
  const inputs = (await Promise.all(INPUTS.map((file) => readFile(file, "utf8")))).join("\n");
  if (isCurrent(await readFile(OUTPUT, "utf8").catch(() => ""), inputs)) return;
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
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
  const code = outputFiles[0]?.text ?? "";
  await writeIfNew(OUTPUT, firstLine(inputs, code) + code);
}
