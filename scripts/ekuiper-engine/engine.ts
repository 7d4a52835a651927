/** Runs a built kuiperd on free ports in a temporary folder: one engine for one demo or one test file. */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../system/ports.ts";
import { type BuildOptions, buildEngine } from "./build.ts";

export interface Engine {
  /** The release of eKuiper. */
  version: string;
  /** The base URL of its REST API, without a slash at the end. */
  url: string;
  /** The base URL of its httppush streams, without a slash at the end. */
  pushUrl: string;
  /** Its process id, which changes with a restart. */
  pid(): number;
  /** The last lines of its log. */
  log(): string;
  /** Kills it as a power cut would, or ends it as a service manager does (SIGTERM); its folder stays. */
  kill(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Starts it again after `kill`, at the same address and with the data that it had on disk. */
  restart(): Promise<void>;
  /** Stops it and removes its folder. Safe to call twice. */
  stop(): Promise<void>;
}

const startSeconds = 20;
const stopSeconds = 10;
const keptLogLines = 500;

export interface EngineOptions extends BuildOptions {
  /** The default MQTT broker of streams, for example tcp://127.0.0.1:1883. */
  broker: string;
  /** eKuiper's own settings for this engine, for example KUIPER__PORTABLE__PYTHONBIN. */
  environment?: Readonly<Record<string, string>>;
}

/**
 * Builds the engine if necessary, starts it and waits until its REST API answers. It may call loopback and private
 * addresses, since the labeler and the broker are there.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const build = await buildEngine(options);
  const folder = await mkdtemp(join(tmpdir(), "edge-labeler-kuiper-"));
  await cp(build.etc, join(folder, "etc"), { recursive: true });
  for (const name of ["data", "log", "plugins/portable"]) await mkdir(join(folder, name), { recursive: true });

  const [restPort, cliPort, pushPort] = await freePorts(3);
  const lines: string[] = [];
  const start = () => {
    const process = spawn(build.binary, [], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: environment(options, folder, { restPort, cliPort, pushPort }),
    });
    for (const stream of [process.stdout, process.stderr]) {
      createInterface(stream).on("line", (line) => {
        lines.push(line);
        if (lines.length > keptLogLines) lines.shift();
      });
    }
    return process;
  };
  let child = start();
  // The engine and its folder must not outlive this process, however it ends.
  const kill = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", kill);

  const engine: Engine = {
    version: build.version,
    url: `http://127.0.0.1:${restPort}`,
    pushUrl: `http://127.0.0.1:${pushPort}`,
    pid: () => child.pid ?? 0,
    log: () => lines.join("\n"),
    kill: (signal = "SIGKILL") => terminate(child, signal),
    async restart() {
      child = start();
      await answers(engine, child, options.signal);
    },
    async stop() {
      await terminate(child, "SIGTERM");
      process.off("exit", kill);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await answers(engine, child, options.signal);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return engine;
}

interface Ports {
  restPort: number;
  cliPort: number;
  pushPort: number;
}

const environment = (options: EngineOptions, folder: string, { restPort, cliPort, pushPort }: Ports) => ({
  ...withoutSettings(process.env),
  KuiperBaseKey: folder,
  KUIPER__BASIC__RESTIP: "127.0.0.1",
  KUIPER__BASIC__RESTPORT: String(restPort),
  KUIPER__BASIC__IP: "127.0.0.1",
  KUIPER__BASIC__PORT: String(cliPort),
  KUIPER__BASIC__ENABLEPRIVATENET: "true",
  KUIPER__BASIC__CONSOLELOG: "true",
  KUIPER__BASIC__FILELOG: "false",
  KUIPER__SOURCE__HTTPSERVERIP: "127.0.0.1",
  KUIPER__SOURCE__HTTPSERVERPORT: String(pushPort),
  MQTT_SOURCE__DEFAULT__SERVER: options.broker,
  ...options.environment,
});

async function answers(engine: Engine, child: ChildProcess, signal?: AbortSignal): Promise<void> {
  let failure = "";
  child.once("error", (error) => {
    failure = error.message;
  });
  const deadline = performance.now() + startSeconds * 1000;
  while (performance.now() < deadline) {
    signal?.throwIfAborted();
    if (failure || hasEnded(child)) break;
    const ready = await fetch(`${engine.url}/ping`, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await sleep(50);
  }
  const cause = failure || (hasEnded(child) ? `ended with code ${child.exitCode}` : `silent for ${startSeconds} s`);
  throw new Error(`eKuiper's engine did not start: ${cause}. Its last lines:\n${engine.log()}`);
}

async function terminate(child: ChildProcess, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), stopSeconds * 1000);
  await ended;
  clearTimeout(timer);
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** The environment without the user's own eKuiper settings, which would otherwise apply to this engine. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = { ...environment };
  for (const name of Object.keys(rest)) if (/^(KUIPER|MQTT_SOURCE)/i.test(name)) delete rest[name];
  return rest;
}
