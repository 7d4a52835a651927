/**
 * Runs a Worker for measurements in its own workerd, so that its garbage, compilation and memory are measured alone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { preciseCpuMs } from "../system/processes.ts";
import { workerdProgram } from "./folders.ts";

/** The average milliseconds of one run: processor time of all threads, and time by the clock of the process. */
export interface Sample {
  readonly cpu: number;
  readonly wall: number;
}

/** A workerd that listens. */
export interface Started {
  readonly child: ChildProcess;
  readonly http: number;
  /** The inspector's port, 0 if it does not listen. */
  readonly inspector: number;
  /** Its output so far. */
  log(): string;
}

export async function stopChild(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  if (child.exitCode === null && child.kill("SIGKILL")) await ended;
}

export interface StartOptions {
  /** Whether its inspector listens, too. */
  readonly inspected?: boolean;
  /** workerd and what runs it; npm's workerd of this machine unless given. */
  readonly command?: readonly string[];
  /** More options of workerd. */
  readonly options?: readonly string[];
}

/**
 * @param config The path of workerd's configuration.
 * @throws Error if workerd cannot start the Worker.
 */
export async function startWorker(
  config: string,
  { inspected = false, command = [workerdProgram()], options = [] }: StartOptions = {},
): Promise<Started> {
  const [program, ...before] = command;
  const inspector = inspected ? ["--inspector-addr=127.0.0.1:0"] : []; // any free port
  const args = [...before, "serve", config, "--control-fd=3", ...inspector, ...options];
  const child = spawn(program ?? "", args, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (log += data));
  // workerd reports the ports that it listens on as JSON on the control descriptor.
  let control = "";
  const port = (event: string) => Number(control.match(new RegExp(`"event":"${event}".*?"port":(\\d+)`))?.[1] ?? 0);
  for await (const data of child.stdio[3] as Readable) {
    control += data;
    const [http, inspector] = [port("listen"), port("listen-inspector")];
    if (http > 0 && (inspector > 0 || !inspected)) return { child, http, inspector, log: () => log };
  }
  throw new Error(log.trim().split("\n")[0] || "workerd ended");
}

export class WorkerProcess {
  readonly #started: Started;

  constructor(started: Started) {
    this.#started = started;
  }

  get pid(): number {
    return this.#started.child.pid ?? 0;
  }

  /** The host and port of the inspector. */
  protected get inspector(): string {
    return `127.0.0.1:${this.#started.inspector}`;
  }

  /** The processor time that it has used so far, in ms. */
  get cpuMs(): number {
    return preciseCpuMs(this.pid);
  }

  /** Sends a request to the Worker. @throws Error with the message of its response. */
  async ask<T>(path: string, body?: Uint8Array<ArrayBuffer>): Promise<T> {
    const url = `http://127.0.0.1:${this.#started.http}${path}`;
    const response = await fetch(url, { method: "POST", body: body ?? null });
    const answer = (await response.json()) as T & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  /** Sends one request to the Worker, and measures it from outside. */
  async timed<T>(path: string, body: Uint8Array<ArrayBuffer>): Promise<{ answer: T; sample: Sample }> {
    const [before, begin] = [this.cpuMs, performance.now()];
    const answer = await this.ask<T>(path, body);
    return { answer, sample: { wall: performance.now() - begin, cpu: this.cpuMs - before } };
  }

  /** Measures `repeat` runs on the input that it received last. */
  async sample(repeat: number): Promise<Sample> {
    const before = this.cpuMs;
    const { ms } = await this.ask<{ readonly ms: number }>(`/time?repeat=${repeat}`);
    return { cpu: (this.cpuMs - before) / repeat, wall: ms };
  }

  stop(): Promise<void> {
    return stopChild(this.#started.child);
  }
}
