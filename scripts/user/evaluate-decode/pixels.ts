/** The labeler's decoder in a workerd of its own: from the bytes of a file to the pixels of a model's input. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { readDeclared } from "../../labeler/declared.ts";
import { type Started, startWorker, stopChild } from "../../labeler/worker-process.ts";
import type { InputTask } from "./reference.ts";

const ENTRY = "scripts/user/evaluate-decode/pixel-worker.js";
const text = (value: string) => JSON.stringify(value);

/** Leaves wasm where workerd finds it: a module beside the script. */
const besideTheScript = (found: Set<string>): Plugin => ({
  name: "wasm beside the script",
  setup: ({ onResolve }) =>
    onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
      found.add(join(resolveDir, path));
      return { path: `./${basename(path)}`, external: true };
    }),
});

/** Writes the Worker and workerd's configuration into a folder. @returns The path of the configuration. */
async function bundle(folder: string): Promise<string> {
  const wasm = new Set<string>();
  await build({
    entryPoints: [ENTRY],
    outfile: join(folder, "index.js"),
    bundle: true,
    format: "esm",
    plugins: [besideTheScript(wasm)],
    logLevel: "error",
  });
  for (const path of wasm) writeFileSync(join(folder, basename(path)), readFileSync(path));
  const { compatibilityDate } = await readDeclared();
  const modules = [
    `(name = "index.js", esModule = embed "index.js")`,
    ...[...wasm].map((path) => `(name = ${text(basename(path))}, wasm = embed ${text(basename(path))})`),
  ];
  const config = join(folder, "config.capnp");
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .decoder)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const decoder :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = ${text(compatibilityDate)},
);
`,
  );
  return config;
}

export class PixelProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), "edge-labeler-pixels-"));
  readonly #timeoutMs: number;
  #config = "";
  #started: Started | undefined;

  /** @param timeoutMs How long one file may take. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  async start(): Promise<void> {
    this.#config ||= await bundle(this.#folder);
    this.#started = await startWorker(this.#config);
  }

  /**
   * Decodes a file. Starts workerd anew after a file that ended it.
   *
   * @returns [height, width, 3], 0..255; undefined if there are none.
   */
  async decode(
    bytes: Uint8Array<ArrayBuffer>,
    task: InputTask,
    scale: "auto" | "full",
  ): Promise<Uint8Array | undefined> {
    if (this.#started === undefined) await this.start();
    const query = new URLSearchParams({ options: JSON.stringify({ ...task, scale }) });
    try {
      const response = await fetch(`http://127.0.0.1:${this.#started?.http}/?${query}`, {
        method: "POST",
        body: bytes,
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      const body = new Uint8Array(await response.arrayBuffer());
      return response.ok ? body : undefined;
    } catch {
      await this.#end();
      return undefined;
    }
  }

  async #end(): Promise<void> {
    if (this.#started !== undefined) await stopChild(this.#started.child);
    this.#started = undefined;
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
