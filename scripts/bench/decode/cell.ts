/** One decoder with one file, in a workerd of its own: its garbage, compilation and memory are then its own too. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import { cpuMs, residentMB } from "../../lib/processes.ts";

export interface FirstDecode {
  readonly width: number;
  readonly height: number;
  /** Of all colours, 0..255; undefined for palette indices. */
  readonly mean?: number;
  readonly outputBytes: number;
  readonly wasmBytes: number;
  /** What the process has at the most while it decodes, beyond what it had with the file in hand, in bytes. */
  readonly residentBytes: number;
}

/** Milliseconds of one decode, on average: of the processor in all threads, and by the clock inside of workerd. */
export interface Sample {
  readonly cpu: number;
  readonly wall: number;
}

const MB = 1 << 20;

/** The most that a process had resident since resetPeak(), in MB. */
function peakMB(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmHWM:\s*(\d+)/)?.[1]) / 1024;
}

/** Lets a process's peak begin with what it has now: man 5 proc, clear_refs. */
const resetPeak = (pid: number) => writeFileSync(`/proc/${pid}/clear_refs`, "5");

/** Processor time of all threads of a process in ms; to the nanosecond, where the kernel keeps such statistics. */
function preciseCpuMs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const times = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    return times.reduce((sum, time) => sum + Number(time), 0) / 1e6;
  } catch {
    return cpuMs(pid);
  }
}

async function listening(child: ChildProcess, log: () => string): Promise<number> {
  // workerd reports the port that it was given in JSON on the control descriptor.
  let control = "";
  for await (const data of child.stdio[3] as Readable) {
    control += data;
    const port = control.match(/"event":"listen".*"port":(\d+)/)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(log().trim().split("\n")[0] || "workerd ended");
}

export class Cell {
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  /** @param config of bundleEngine. @throws Error if the Worker does not start: it cannot run in workerd. */
  static async start(config: string, file: Uint8Array<ArrayBuffer>): Promise<Cell> {
    const workerd: string = createRequire(import.meta.url)("workerd").default;
    const child = spawn(workerd, ["serve", config, "--control-fd=3"], { stdio: ["ignore", "pipe", "pipe", "pipe"] });
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (log += data));
    const cell = new Cell(child, `http://127.0.0.1:${await listening(child, () => log)}`);
    try {
      await cell.#ask("/file", file);
      return cell;
    } catch (error) {
      await cell.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async #ask<T>(path: string, body?: Uint8Array<ArrayBuffer>): Promise<T> {
    const response = await fetch(this.#url + path, { method: "POST", body: body ?? null });
    const answer = (await response.json()) as T & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  /** The first decode, for what it gives and the memory it takes. */
  async first(): Promise<FirstDecode> {
    const before = residentMB(this.pid);
    resetPeak(this.pid);
    const decode = await this.#ask<Omit<FirstDecode, "residentBytes">>("/first");
    return { ...decode, residentBytes: Math.round((peakMB(this.pid) - before) * MB) };
  }

  /** `repeat` decodes. */
  async sample(repeat: number): Promise<Sample> {
    const before = preciseCpuMs(this.pid);
    const { ms } = await this.#ask<{ readonly ms: number }>(`/time?repeat=${repeat}`);
    return { cpu: (preciseCpuMs(this.pid) - before) / repeat, wall: ms };
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    if (this.#child.exitCode === null && this.#child.kill("SIGKILL")) await ended;
  }
}
