/**
 * Runs the labeler on workerd itself, without wrangler: as on an edge device, and in a single process whose memory can
 * be measured.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { indexModels, MODELS } from "../build/model-index.ts";
import { freePorts } from "../system/ports.ts";
import type { LabelerOptions, RunningLabeler } from "./labeler.ts";
import { copyWorkerBundle } from "./worker-bundle.ts";
import { workerdConfig } from "./workerd-config.ts";

export interface RunningWorkerd extends RunningLabeler {
  /** The process id. */
  readonly pid: number;
  /** The host and port of the inspector. */
  readonly inspector: string;
  /** The output so far. */
  log(): string;
}

/** How long workerd may take to answer, and how often it is asked, in milliseconds. */
const STARTS_WITHIN = 20_000;
const ASKED_EVERY = 10;

async function answers(url: string, child: ChildProcess, log: () => string): Promise<void> {
  const end = performance.now() + STARTS_WITHIN;
  while (performance.now() < end) {
    if (child.exitCode !== null) break;
    const ready = await fetch(`${url}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((wake) => setTimeout(wake, ASKED_EVERY));
  }
  throw new Error(`workerd does not answer at ${url}:\n${log()}`);
}

export interface WorkerdOptions extends LabelerOptions {
  /** The port to listen on; a free one unless set. With it, a restarted labeler keeps its address. */
  readonly port?: number;
  /**
   * A JavaScript module that runs before the Worker's, whose bundle stays unchanged. Its default export receives the
   * Worker's handlers and returns the handlers to serve. LABELER_PRELUDE in the environment names that of all labelers
   * without one, to test them under it.
   */
  readonly prelude?: string | undefined;
}

/** Adds a prelude to a bundled Worker. @returns The name of the module with the handlers. */
function putBefore(bundle: string, prelude: string): string {
  cpSync(prelude, join(bundle, "prelude.js"));
  const entry = `import prepare from "./prelude.js";
import handlers from "./index.js";
export * from "./index.js";
export default prepare(handlers);
`;
  writeFileSync(join(bundle, "entry.js"), entry);
  return "entry.js";
}

/** Bundles the labeler of this checkout, runs it and waits until it answers. */
export async function startWorkerd({
  settings = {},
  models = MODELS,
  state,
  port: wanted,
  prelude = process.env.LABELER_PRELUDE,
}: WorkerdOptions = {}): Promise<RunningWorkerd> {
  const [free, inspectorPort] = await freePorts(2);
  const port = wanted ?? free;
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-workerd-"));
  const results = state ?? join(folder, "state");
  mkdirSync(results, { recursive: true });
  const address = `127.0.0.1:${port}`;
  const bundle = join(folder, "worker");
  const declared = await copyWorkerBundle(bundle);
  const entry = prelude === undefined ? "index.js" : putBefore(bundle, prelude);
  const config = workerdConfig({ declared, bundle, entry, models, state: results, address, settings });
  const configFile = join(bundle, "config.capnp"); // beside the modules to which it refers
  writeFileSync(configFile, config);
  const inspector = `127.0.0.1:${inspectorPort}`;
  const workerd: string = createRequire(import.meta.url)("workerd").default;
  const args = ["serve", configFile, `--inspector-addr=${inspector}`];
  const child = spawn(workerd, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
  const kill = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", kill);
  const stop = async () => {
    // SIGTERM is not used: workerd would wait for clients that keep their connections open.
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGKILL")) await ended;
    process.off("exit", kill);
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    // Checking the models takes about as long as workerd needs to start, which reads their index with the first request.
    await Promise.all([answers(url, child, () => log), indexModels(models)]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop, pid: child.pid ?? 0, inspector, log: () => log };
}
