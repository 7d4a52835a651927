/** One engine with one model, in a process of its own: its garbage, compilation and memory are then its own too. */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import { Inspector, type IsolateMemory } from "../../lib/isolate-memory.ts";
import { preciseCpuMs, residentMB } from "../../lib/processes.ts";

/** Milliseconds of one inference, on average: of the processor in all threads, and by the clock of the process. */
export interface Sample {
  readonly cpu: number;
  readonly wall: number;
}

/** What an engine says of itself when it has loaded a model. */
export interface Details {
  readonly residentBytes?: number;
  readonly dotIsExact?: boolean;
}

/** A process that holds an engine with its model. */
export interface Cell {
  readonly details: Details;
  /** @param pixels [height, width, 3] of the model's input, red first. @returns What the network gives. */
  run(pixels: Uint8Array<ArrayBuffer>): Promise<readonly number[]>;
  /** `repeat` inferences of the pixels that run() had last. */
  sample(repeat: number): Promise<Sample>;
  /** Memory of the process, and of the isolate where it is one. */
  memory(): Promise<{ readonly residentMB: number; readonly isolate?: IsolateMemory }>;
  stop(): Promise<void>;
}

export async function stopChild(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  if (child.exitCode === null && child.kill("SIGKILL")) await ended;
}

/** The ports that workerd reports on its control descriptor, in JSON. */
async function ports(child: ChildProcess, log: () => string): Promise<{ http: number; inspector: number }> {
  let control = "";
  const port = (event: string) => Number(control.match(new RegExp(`"event":"${event}".*?"port":(\\d+)`))?.[1]);
  for await (const data of child.stdio[3] as Readable) {
    control += data;
    const found = { http: port("listen"), inspector: port("listen-inspector") };
    if (found.http > 0 && found.inspector > 0) return found;
  }
  throw new Error(log().trim().split("\n")[0] || "workerd ended");
}

/** A Worker of workers/ in workerd. */
export class WorkerdCell implements Cell {
  readonly #child: ChildProcess;
  readonly #ports: { readonly http: number; readonly inspector: number };
  details: Details = {};

  private constructor(child: ChildProcess, found: { readonly http: number; readonly inspector: number }) {
    this.#child = child;
    this.#ports = found;
  }

  /** @param config of bundleEngine. @throws Error if the Worker does not start. */
  static async start(config: string): Promise<WorkerdCell> {
    const workerd: string = createRequire(import.meta.url)("workerd").default;
    const args = ["serve", config, "--control-fd=3", "--inspector-addr=127.0.0.1:0"]; // any free port
    const child = spawn(workerd, args, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (log += data));
    return new WorkerdCell(child, await ports(child, () => log));
  }

  /** Asks the Worker. @throws Error with what it says is wrong. */
  async ask<T>(path: string, body?: Uint8Array<ArrayBuffer>): Promise<T> {
    const url = `http://127.0.0.1:${this.#ports.http}${path}`;
    const response = await fetch(url, { method: "POST", body: body ?? null });
    const answer = (await response.json()) as T & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  /** @param query Further parameters of the Worker. */
  async load(model: string, query: Readonly<Record<string, string>>): Promise<void> {
    this.details = await this.ask(`/load?${new URLSearchParams({ ...query, model })}`);
  }

  /** Processor time that it has used so far, in ms. */
  get cpuMs(): number {
    return preciseCpuMs(this.#child.pid ?? 0);
  }

  run(pixels: Uint8Array<ArrayBuffer>): Promise<readonly number[]> {
    return this.ask("/run", pixels);
  }

  async sample(repeat: number): Promise<Sample> {
    const before = this.cpuMs;
    const { ms } = await this.ask<{ readonly ms: number }>(`/time?repeat=${repeat}`);
    return { cpu: (this.cpuMs - before) / repeat, wall: ms };
  }

  async memory(): Promise<{ readonly residentMB: number; readonly isolate: IsolateMemory }> {
    const resident = residentMB(this.#child.pid ?? 0);
    const inspector = await Inspector.open(`127.0.0.1:${this.#ports.inspector}`);
    try {
      return { residentMB: resident, isolate: await inspector.memory() };
    } finally {
      inspector.close();
    }
  }

  stop(): Promise<void> {
    return stopChild(this.#child);
  }
}
