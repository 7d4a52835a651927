/**
 * Runs the labeler on workerd itself, without wrangler: as on an edge device, and in a single process whose memory can
 * be measured.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MODELS } from "../build/model-files.ts";
import { ensureIndex } from "./current-index.ts";
import { modelsToRead } from "./folders.ts";
import type { LabelerOptions, RunningLabeler } from "./labeler.ts";
import { workerBundle } from "./worker-bundle.ts";
import { startWorker, stopChild } from "./worker-process.ts";
import { workerdConfig } from "./workerd-config.ts";

export interface RunningWorkerd extends RunningLabeler {
  /** The process id. */
  readonly pid: number;
  /** The host and port of the inspector. */
  readonly inspector: string;
  /** The output so far. */
  log(): string;
}

export interface WorkerdOptions extends LabelerOptions {
  /** The port to listen on; a free one unless set. With it, a restarted labeler keeps its address. */
  readonly port?: number;
  /**
   * A JavaScript module that runs before the Worker's, whose bundle stays unchanged. Its default export receives the
   * Worker's handlers and returns the handlers to serve; its export `prepareObject` does so with the class of the Durable
   * Object. LABELER_PRELUDE in the environment names that of all labelers
   * without one, to test them under it.
   */
  readonly prelude?: string | undefined;
  /** V8_FLAGS unless set. */
  readonly v8Flags?: readonly string[] | undefined;
}

/** Adds a prelude to a bundled Worker. @returns The name of the module with the handlers. */
function putBefore(bundle: string, prelude: string): string {
  cpSync(prelude, join(bundle, "prelude.js"));
  const entry = `import prepare, { prepareObject } from "./prelude.js";
import handlers, { Results as Original } from "./index.js";
export * from "./index.js";
export const Results = prepareObject(Original);
export default prepare(handlers);
`;
  writeFileSync(join(bundle, "entry.js"), entry);
  return "entry.js";
}

async function index(models: string, notes: string): Promise<void> {
  if (models === MODELS) return ensureIndex(models, notes);
  const { indexModels } = await import("../build/model-index.ts");
  await indexModels(models);
}

/** Bundles the labeler of this checkout, runs it and waits until it listens. */
export async function startWorkerd({
  settings = {},
  models = modelsToRead(),
  state,
  port = 0,
  prelude = process.env.LABELER_PRELUDE,
  v8Flags,
}: WorkerdOptions = {}): Promise<RunningWorkerd> {
  const { folder: cached, declared, notes } = await workerBundle();
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-workerd-"));
  const results = state ?? join(folder, "state");
  mkdirSync(results, { recursive: true });
  let [bundle, entry] = [cached, "index.js"];
  if (prelude !== undefined) {
    bundle = join(folder, "worker");
    cpSync(cached, bundle, { recursive: true });
    entry = putBefore(bundle, prelude);
  }
  const address = `127.0.0.1:${port}`;
  const configFile = join(folder, "config.capnp");
  const config = { declared, bundle, elsewhere: true, entry, models, state: results, address, settings, v8Flags };
  writeFileSync(configFile, workerdConfig(config));
  const starting = startWorker(configFile, { inspected: true, options: ["--import-path=/"] });
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder); // after workerd is killed
  const stop = async () => {
    const started = await starting.catch(() => undefined);
    // SIGTERM is not used: workerd would wait for clients that keep their connections open.
    if (started !== undefined) await stopChild(started.child);
    process.off("exit", removeFolder);
    removeFolder();
  };
  try {
    // workerd starts meanwhile; it reads the index with the first request.
    const [{ child, http, inspector, log }] = await Promise.all([starting, index(models, notes)]);
    return { url: `http://127.0.0.1:${http}`, stop, pid: child.pid ?? 0, inspector: `127.0.0.1:${inspector}`, log };
  } catch (error) {
    await stop();
    throw error;
  }
}
