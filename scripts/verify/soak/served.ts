/** `npm run serve` as a process with its own state folder, and what the system reports about its workerd. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { scriptArguments } from "../../labeler/run.ts";
import { freePorts } from "../../system/ports.ts";
import { processTree } from "../../system/processes.ts";

/** In milliseconds. */
const STARTS_WITHIN = 120_000;
const BACK_WITHIN = 30_000;
const ENDS_WITHIN = 20_000;

/** From the first failure that a kill may cause to the last, as times of performance.now(). */
interface Downtime {
  readonly from: number;
  until: number;
}

/** The processes of workerd among these. */
const workerdsAmong = (pids: readonly number[]): number[] =>
  pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "workerd" && isRunning(pid);
    } catch {
      return false; // it has ended meanwhile
    }
  });

/** Whether a process runs; not if it has ended and waits to be reaped. */
const isRunning = (pid: number): boolean => !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

export class Served {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #downtimes: Downtime[] = [];
  /** How many processes of workerd it has while none is killed. */
  #count = 1;
  #kills = 0;
  #log = "";

  private constructor(process: ChildProcess, url: string, folder: string) {
    this.#process = process;
    this.url = url;
    this.#folder = folder;
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on("data", (data) => {
        this.#log = (this.#log + data).slice(-20_000);
      });
    }
  }

  /** @param workers How many workers it has. */
  static async start(workers = 1): Promise<Served> {
    const [port] = await freePorts(1);
    const folder = mkdtempSync(join(tmpdir(), "edge-labeler-soak-"));
    const args = ["--port", `${port}`, "--state", join(folder, "state"), "--workers", `${workers}`, "--var", "LOG:off"];
    const environment = Object.entries(process.env).filter(([name]) => !/^(LABELER_TOKENS?|npm_.*)$/.test(name));
    const child = spawn(process.execPath, scriptArguments("scripts/user/serve.ts", args), {
      env: Object.fromEntries(environment),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const served = new Served(child, `http://127.0.0.1:${port}`, folder);
    process.once("exit", () => served.#kill());
    await served.#answers(STARTS_WITHIN);
    served.#count = served.workerds.length;
    return served;
  }

  /** The last output of supervisor and workerd. */
  get log(): string {
    return this.#log;
  }

  /** The ids of its processes of workerd: one, or each worker and the process with the results. */
  get workerds(): number[] {
    return workerdsAmong(processTree(this.#process.pid ?? 0));
  }

  /** Whether a failed call overlapped a time in which a process of workerd was dead. */
  wasDown(from: number, until: number): boolean {
    return this.#downtimes.some((down) => from <= down.until && until >= down.from);
  }

  /** Kills a process of workerd with SIGKILL, each in its turn. @returns The milliseconds after which a new one answers. */
  async killWorkerd(): Promise<number> {
    const pids = this.workerds;
    if (pids.length === 0) throw new Error("there is no workerd to kill");
    const pid = pids[this.#kills++ % pids.length];
    const down: Downtime = { from: performance.now(), until: Number.POSITIVE_INFINITY };
    this.#downtimes.push(down);
    process.kill(pid, "SIGKILL");
    const end = performance.now() + BACK_WITHIN;
    const isBack = (now: readonly number[]) => !now.includes(pid) && now.length === this.#count;
    while (!isBack(this.workerds) && performance.now() < end) await sleep(10);
    await this.#answers(BACK_WITHIN);
    down.until = performance.now();
    return down.until - down.from;
  }

  async #answers(within: number): Promise<void> {
    const end = performance.now() + within;
    while (performance.now() < end) {
      if (this.#process.exitCode !== null) break;
      const signal = AbortSignal.timeout(2000);
      if (
        await fetch(`${this.url}/healthz`, { signal }).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        return;
      await sleep(50);
    }
    throw new Error(`The labeler does not answer within ${within / 1000} s:\n${this.#log}`);
  }

  /** Asks it to end. @returns Its exit code; undefined if it does not end in time. */
  async stop(): Promise<number | null | undefined> {
    const ended = new Promise<number | null>((resolve) => this.#process.once("exit", resolve));
    if (this.#process.exitCode !== null) return this.#process.exitCode;
    this.#process.kill("SIGTERM");
    return Promise.race([ended, sleep(ENDS_WITHIN, undefined, { ref: false })]);
  }

  /** Removes its folder, and kills what still runs of it. */
  remove(): void {
    this.#kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #kill(): void {
    const pids = this.workerds;
    if (this.#process.exitCode === null) this.#process.kill("SIGKILL");
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended together with its supervisor.
      }
    }
  }
}
