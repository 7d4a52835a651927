/** A worker: a workerd with the labeler, its watchdog, and the sockets at which it takes requests. */
import { EXTERNALS, SOCKETS } from "../../../labeler/several-workers-config.ts";
import { type Condition, Supervisor, type SupervisorOptions } from "../supervisor.ts";
import type { Member } from "./roster.ts";
import type { Shared } from "./shared.ts";
import type { Sockets } from "./sockets.ts";

/** How often it is checked whether a worker answers, in milliseconds: one that hangs should get few requests. */
const INTERVAL = 1000;

export interface WorkerOptions {
  /** Which one it is, from 1, and how many there are. */
  readonly number: number;
  readonly of: number;
  /** How many workers had this number before. */
  readonly generation: number;
  readonly sockets: Sockets;
  readonly shared: Shared;
  /** The paths of the sockets of other processes. */
  readonly supervisor: string;
  readonly store: string;
  readonly onCondition: (worker: Worker, condition: Condition) => void;
  /** Told of each new process, whose id is in `pid` then. */
  readonly started: () => void;
  /** What is the same for all. */
  readonly common: Pick<
    SupervisorOptions,
    "workerd" | "config" | "results" | "drain" | "watchdog" | "descriptor" | "loadsModel"
  >;
}

export class Worker implements Member {
  readonly path: string;
  /** The path of the socket at which it answers the supervisor. */
  readonly internal: string;
  /** Rejects if it cannot run at all, and is fulfilled when it has ended. */
  readonly ended: Promise<void>;
  /** Is fulfilled when it answers for the first time. */
  readonly answers: Promise<void>;
  /** The id of its process, which may have ended. */
  pid: number | undefined;
  condition: Condition = "ended";
  readonly #options: WorkerOptions;
  readonly #supervisor: Supervisor;
  #processes = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { number, of, generation, sockets, supervisor, store, onCondition, started, common } = options;
    const id = `${number}-${generation}`;
    this.path = sockets.path(`worker-${id}`);
    this.internal = sockets.path(`internal-${id}`);
    this.#supervisor = new Supervisor({
      ...common,
      name: `Worker ${number}`,
      address: `unix:${this.path}`,
      url: `unix:${this.path}`,
      args: [
        ...["--socket-addr", `${SOCKETS.internal}=unix:${this.internal}`],
        ...["--external-addr", `${EXTERNALS.store}=unix:${store}`],
        ...["--external-addr", `${EXTERNALS.supervisor}=unix:${supervisor}`],
      ],
      env: () => ({ WORKER: `${number}/${of}`, PROCESS: this.#process }),
      interval: INTERVAL,
      starting: () => this.#begin(),
      started: (pid) => {
        this.pid = pid;
        started();
      },
      onCondition: (condition) => {
        this.condition = condition;
        if (condition === "answers") for (const path of [this.path, this.internal]) sockets.protect(path);
        onCondition(this, condition);
      },
    });
    let ready: () => void = () => undefined;
    this.answers = new Promise((resolve) => {
      ready = resolve;
    });
    this.ended = this.#supervisor.run(ready).finally(() => this.#forget());
    this.ended.catch(() => undefined);
  }

  /** The name of its process. */
  get #process(): string {
    return `${this.#options.number}-${this.#options.generation}-${this.#processes}`;
  }

  /** Ends it in order. What it has counted stays counted. */
  async end(): Promise<void> {
    await this.#options.shared.noteMetrics(this.#process);
    await this.#supervisor.end();
    await this.ended.catch(() => undefined);
  }

  kill(): void {
    this.#supervisor.kill();
  }

  get running(): boolean {
    return this.#supervisor.running;
  }

  /** A new process takes the place of the one before. */
  #begin(): void {
    const { sockets, shared } = this.#options;
    this.#forget();
    this.#processes++;
    shared.begin(this.#process, { internal: this.internal });
    for (const path of [this.path, this.internal]) sockets.remove(path);
  }

  #forget(): void {
    this.#options.shared.end(this.#process);
  }
}
