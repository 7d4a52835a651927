/** Runs the labeler's decoder in a workerd of its own: from the bytes of a file to the pixels of a model's input. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wasmModules } from "../../build/wasm-modules.ts";
import { readDeclared } from "../../labeler/declared.ts";
import { type Started, startWorker, stopChild } from "../../labeler/worker-process.ts";
import { writeWorkerConfig } from "../../labeler/write-worker-config.ts";
import type { InputTask } from "./reference.ts";

const ENTRY = "scripts/user/evaluate-decode/pixel-worker.js";

/** Writes the Worker and workerd's configuration into a folder. @returns The path of the configuration. */
async function bundle(folder: string): Promise<string> {
  const { build } = await import("esbuild");
  const wasm = new Map<string, string>();
  await build({
    entryPoints: [ENTRY],
    outfile: join(folder, "index.js"),
    bundle: true,
    format: "esm",
    plugins: [wasmModules(wasm)],
    logLevel: "error",
  });
  const { compatibilityDate } = await readDeclared();
  return writeWorkerConfig({ folder, wasm, compatibilityDate });
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
   * Decodes a file. Restarts workerd after a file that terminated it.
   *
   * @returns [height, width, 3], 0..255; undefined if the file has no pixels.
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
