/** Runs `npm run serve` for tests, and inspects its processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { freePorts } from "../../scripts/system/ports.ts";
import { scriptArguments } from "../script.ts";
import { addTiny } from "./tiny-model.ts";

export const TOKEN = "s3cret";
export const headers = { authorization: `Bearer ${TOKEN}` };

export interface Serve {
  readonly process: ChildProcess;
  readonly url: string;
  readonly ended: Promise<number | null>;
  log(): string;
}

export interface ServeFolders {
  readonly state: string;
  readonly models: string;
}

/**
 * The folders of a test file: a state folder that its tests share, so that the Worker is bundled once, and models with
 * "tiny" alone. What a test has started is ended behind it, and the folders are removed behind the last one.
 */
export function shareServeFolders(name: string): ServeFolders & { readonly folder: string } {
  const folder = join(tmpdir(), `edge-labeler-${name}-${randomUUID()}`);
  const [state, models] = [join(folder, "state"), join(folder, "models")];
  beforeAll(() => addTiny(models, "tiny"));
  afterEach(endServes);
  afterAll(() => rmSync(folder, { recursive: true }));
  return { folder, state, models };
}

export const DIRECT: readonly string[] = [process.execPath, ...scriptArguments("serve")];
export const BY_NPM: readonly string[] = ["npm", "run", "serve", "--"];

const running: Serve[] = [];

/** Starts it without waiting for anything. @param env Its environment, beside which it has TOKEN unless it sets another. */
export async function spawnServe(
  { state, models }: ServeFolders,
  args: readonly string[] = [],
  [command, ...first] = DIRECT,
  env: NodeJS.ProcessEnv = {},
): Promise<Serve> {
  const [port] = await freePorts(1);
  // One worker unless a test is about several, whatever the machine has.
  const workers = args.includes("--workers") ? [] : ["--workers", process.env.SERVE_WORKERS ?? "1"];
  const folders = ["--state", state, "--models", models];
  const all = ["--port", String(port), ...folders, "--var", "DEFAULT_MODEL:tiny", ...workers, ...args];
  const child = spawn(command, [...first, ...all], { env: { ...process.env, LABELER_TOKEN: TOKEN, ...env } });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const found = { process: child, url: `http://127.0.0.1:${port}`, ended, log: () => log };
  running.push(found);
  return found;
}

/** Starts it and waits until it answers. */
export async function startServe(...options: Parameters<typeof spawnServe>): Promise<Serve> {
  const found = await spawnServe(...options);
  await expect.poll(found.log, { timeout: 120_000 }).toMatch(/Edge Labeler at/);
  return found;
}

/** Ends all that run. */
export async function endServes(): Promise<void> {
  for (const { process, ended } of running.splice(0)) {
    if (process.exitCode === null && process.signalCode === null) process.kill("SIGTERM");
    await ended;
  }
}

const lockIn = (state: string) => JSON.parse(readFileSync(join(state, "lock"), "utf8"));

/** The process id of the workerd in a state folder: of several, that with the results. */
export const workerdIn = (state: string): number => lockIn(state).workerd.pid;

/** The process ids of the workers of a state folder, if there are several. */
export const workersIn = (state: string): number[] => lockIn(state).others.map(({ pid }: { pid: number }) => pid);

/** Gone, or waiting to be cleared away. */
export function hasEnded(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
