/** `npm run serve` as a process with its own state folder, and what the system reports about its workerd. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { scriptArguments } from "../../labeler/run.ts";
import { freePorts } from "../../system/ports.ts";

/** In milliseconds. */
const STARTS_WITHIN = 120_000;
const BACK_WITHIN = 30_000;
const ENDS_WITHIN = 20_000;

/** From the first failure that a kill may cause to the last, as times of performance.now(). */
interface Downtime {
  readonly from: number;
  until: number;
}

/** @returns The children of each process, by the parent's id. */
function childrenOf(): Map<number, { pid: number; name: string }[]> {
  const children = new Map<number, { pid: number; name: string }[]>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z") continue;
      children.set(Number(parent), [...(children.get(Number(parent)) ?? []), { pid: Number(entry), name }]);
    } catch {
      // The process has ended meanwhile.
    }
  }
  return children;
}

export class Served {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #downtimes: Downtime[] = [];
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

  static async start(): Promise<Served> {
    const [port] = await freePorts(1);
    const folder = mkdtempSync(join(tmpdir(), "edge-labeler-soak-"));
    const args = ["--port", `${port}`, "--state", join(folder, "state"), "--workers", "1", "--var", "LOG:off"];
    const environment = Object.entries(process.env).filter(([name]) => !/^(LABELER_TOKENS?|npm_.*)$/.test(name));
    const child = spawn(process.execPath, scriptArguments("scripts/user/serve.ts", args), {
      env: Object.fromEntries(environment),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const served = new Served(child, `http://127.0.0.1:${port}`, folder);
    process.once("exit", () => served.#kill());
    await served.#answers(STARTS_WITHIN);
    return served;
  }

  /** The last output of supervisor and workerd. */
  get log(): string {
    return this.#log;
  }

  /** Undefined while none runs. */
  get workerd(): number | undefined {
    const children = childrenOf();
    const found = (pid: number): number | undefined => {
      for (const child of children.get(pid) ?? []) {
        const workerd = child.name === "workerd" ? child.pid : found(child.pid);
        if (workerd !== undefined) return workerd;
      }
      return undefined;
    };
    return found(this.#process.pid ?? 0);
  }

  /** Whether a failed call overlapped a time in which workerd was dead. */
  wasDown(from: number, until: number): boolean {
    return this.#downtimes.some((down) => from <= down.until && until >= down.from);
  }

  /** Kills workerd with SIGKILL. @returns The milliseconds after which a new one answers. */
  async killWorkerd(): Promise<number> {
    const pid = this.workerd;
    if (pid === undefined) throw new Error("there is no workerd to kill");
    const down: Downtime = { from: performance.now(), until: Number.POSITIVE_INFINITY };
    this.#downtimes.push(down);
    process.kill(pid, "SIGKILL");
    while (this.workerd === pid) await sleep(10);
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
    const pid = this.workerd;
    if (this.#process.exitCode === null) this.#process.kill("SIGKILL");
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }
}
