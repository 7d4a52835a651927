/**
 * Runs the labeler on workerd itself, without wrangler in between: as on a box beside the gateways, and in a single
 * process whose memory can be measured.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { unstable_readConfig } from "wrangler";
import type { LabelerOptions, RunningLabeler } from "./labeler.ts";
import { indexModels, MODELS } from "./model-index.ts";
import { freePorts } from "./ports.ts";
import { bundleWorker } from "./run.ts";
import { bundleTfjs } from "./tfjs-bundle.ts";

export interface RunningWorkerd extends RunningLabeler {
  /** Its process id. */
  readonly pid: number;
  /** Where the inspector listens: host and port. */
  readonly inspector: string;
}

/** A string of Cap'n Proto's text format. */
const text = (value: string) => JSON.stringify(value);

function config(folder: string, models: string, settings: Readonly<Record<string, string>>, port: number): string {
  const { vars, compatibility_date } = unstable_readConfig({ config: "wrangler.toml" }, { hideWarnings: true });
  const modules = readdirSync(folder).flatMap((name) => {
    if (name === "index.js") return [`(name = "index.js", esModule = embed "index.js")`];
    return name.endsWith(".wasm") ? [`(name = ${text(name)}, wasm = embed ${text(name)})`] : [];
  });
  // The entry first: it is the module that workerd takes the handlers from.
  modules.sort((a, b) => Number(b.includes("esModule")) - Number(a.includes("esModule")));
  const bindings = Object.entries({ ...vars, ...settings }).map(([name, value]) => {
    return `(name = ${text(name)}, text = ${text(String(value))})`;
  });
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .labeler),
    (name = "models", disk = (path = ${text(resolve(models))})),
    (name = "internet", network = (allow = [])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const labeler :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = ${text(compatibility_date ?? "")},
  bindings = [(name = "ASSETS", service = "models"), ${bindings.join(", ")}],
);
`;
}

async function answers(url: string, child: ChildProcess, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (child.exitCode !== null) break;
    const ready = await fetch(`${url}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error(`workerd does not answer at ${url}:\n${log()}`);
}

/** Bundles the labeler of this checkout, runs it on a free port and waits until it answers. */
export async function startWorkerd({ settings = {}, models = MODELS }: LabelerOptions = {}): Promise<RunningWorkerd> {
  await Promise.all([indexModels(models), bundleTfjs()]);
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-workerd-"));
  bundleWorker(folder);
  const [port, inspectorPort] = await freePorts(2);
  writeFileSync(join(folder, "config.capnp"), config(folder, models, settings, port));
  const inspector = `127.0.0.1:${inspectorPort}`;
  const workerd: string = createRequire(import.meta.url)("workerd").default;
  const args = ["serve", join(folder, "config.capnp"), `--inspector-addr=${inspector}`];
  const child = spawn(workerd, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async () => {
    // Not SIGTERM: workerd would wait for the clients that keep their connections open.
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGKILL")) await ended;
    process.off("exit", kill);
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await answers(url, child, () => log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop, pid: child.pid ?? 0, inspector };
}
