/**
 * The other client of npm run bench:fair: it sends one small image after the other while something else loads the labeler,
 * by turns to /label and as eKuiper does, and asks for /healthz meanwhile, on a new connection each time as probes do. A
 * process of its own (other-client-process.ts), since whoever sends the load is busy.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { scriptArguments } from "../../labeler/run.ts";

export const KINDS = ["small image", "eKuiper's call", "probe"] as const;
export type Kind = (typeof KINDS)[number];

export interface Call {
  readonly kind: Kind;
  readonly status: string;
  readonly ms: number;
}

export class OtherClient {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** @param url The labeler's, without a slash at the end. */
  static async start(url: string): Promise<OtherClient> {
    const [run, ...args] = scriptArguments("scripts/bench/fair/other-client-process.ts", [url]);
    const child = fork(run, args);
    await once(child, "message");
    return new OtherClient(child);
  }

  /** @returns The calls that were made while something was done; each one that was begun is waited for. */
  async during(work: () => Promise<void>): Promise<readonly Call[]> {
    this.#process.send("begin");
    await work();
    const answer = once(this.#process, "message");
    this.#process.send("end");
    const [calls] = (await answer) as [readonly Call[]];
    return calls;
  }

  stop(): void {
    this.#process.kill();
  }
}
