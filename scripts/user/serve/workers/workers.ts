/**
 * Runs the labeler as several workers: a process for the results, which they share, and a dispatcher in front of them in this
 * process. A worker that ends or hangs takes its own requests along and no others, and workers are replaced one by one.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Supervisor, type SupervisorOptions } from "../supervisor.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Roster } from "./roster.ts";
import { Shared } from "./shared.ts";
import { Sockets } from "./sockets.ts";
import { Worker } from "./worker.ts";

export interface WorkersOptions {
  readonly count: number;
  readonly port: number;
  readonly ip: string;
  /** The state folder. */
  readonly state: string;
  /** Whether each worker loads the default model before it takes requests. */
  readonly loadsModel: boolean;
  /** The paths of workerd's configurations: of each worker, and of the process that stores the results. */
  readonly workerConfig: string;
  readonly storeConfig: string;
  /** Receives the ids of all processes whenever they change, that with the results apart. */
  readonly started: (store: number | undefined, workers: readonly number[]) => void;
  /** What is the same for all processes. */
  readonly common: Pick<SupervisorOptions, "workerd" | "results" | "drain" | "watchdog" | "descriptor">;
  /** What only the process with the results needs. */
  readonly store: Pick<SupervisorOptions, "starting" | "whyRestart">;
}

/** How long the requests of a worker that is replaced may take, in milliseconds: longer than the slowest upload. */
const LAST_REQUESTS = 120_000;

/** How long the process with the results may take to end, in milliseconds: what it has acknowledged is on disk. */
const STORE_DRAIN = 300;

export class Workers {
  readonly #options: WorkersOptions;
  readonly #sockets: Sockets;
  readonly #roster = new Roster<Worker>();
  readonly #shared = new Shared();
  readonly #dispatcher = new Dispatcher(this.#roster);
  readonly #store: Supervisor;
  /** The workers that take requests, by number. */
  readonly #current = new Map<number, Worker>();
  /** All that have not ended. */
  readonly #all = new Set<Worker>();
  #storePid: number | undefined;
  #generation = 0;
  #ending = false;
  /** The replacements that are under way: one after the other. */
  #replacing: Promise<void> = Promise.resolve();
  #fail: (error: unknown) => void = () => undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#sockets = new Sockets(options.state);
    const { common, store, storeConfig } = options;
    const path = this.#storePath;
    this.#store = new Supervisor({
      ...common,
      config: storeConfig,
      // The workers keep connections to it, and make a call again that is cut off.
      drain: Math.min(common.drain, STORE_DRAIN),
      name: "The process with the results",
      address: `unix:${path}`,
      url: `unix:${path}`,
      starting: () => {
        store.starting?.();
        this.#sockets.remove(path);
      },
      started: (pid) => {
        this.#storePid = pid;
        this.#note();
      },
      onCondition: (condition) => {
        if (condition === "answers") this.#sockets.protect(path);
      },
      ...(store.whyRestart && { whyRestart: store.whyRestart }),
    });
  }

  get #storePath(): string {
    return this.#sockets.path("store");
  }

  get #supervisorPath(): string {
    return this.#sockets.path("supervisor");
  }

  /** Whether a process has not ended yet. */
  get running(): boolean {
    return this.#store.running || [...this.#all].some(({ running }) => running);
  }

  /**
   * Runs until end() is called. All processes have ended when this returns, and have been told to if it throws.
   *
   * @param ready Called when all workers answer.
   * @throws CommandError if a process does not even start, or nobody can listen at the address.
   */
  async run(ready: () => void): Promise<void> {
    try {
      const failed = new Promise<never>((_, reject) => {
        this.#fail = reject;
      });
      failed.catch(() => undefined);
      await Promise.race([this.#run(ready), failed]);
    } finally {
      this.kill();
    }
  }

  async #run(ready: () => void): Promise<void> {
    await this.#shared.listen(this.#supervisorPath);
    this.#sockets.protect(this.#supervisorPath);
    const store = this.#runStore();
    await store.answers;
    const { count, port, ip } = this.#options;
    if (!this.#ending) {
      const workers = Array.from({ length: count }, (_, i) => this.#start(i + 1));
      for (const { ended } of workers) ended.catch(this.#fail);
      await Promise.all(workers.map(({ answers, ended }) => Promise.race([answers, ended])));
      for (const [i, worker] of workers.entries()) this.#take(i + 1, worker);
    }
    if (!this.#ending) {
      await this.#dispatcher.listen(port, ip);
      ready();
    }
    await store.ended;
  }

  /** Accepts nothing more, lets requests end, and ends all processes; that with the results at last. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#dispatcher.close(this.#options.common.drain);
    await Promise.all([...this.#all].map((worker) => worker.end()));
    await this.#store.end();
  }

  /** Restarts the process with the results, and replaces one worker after the other. No request is refused. */
  restart(): Promise<void> {
    const replace = async () => {
      if (!this.#ending) await this.#store.restart();
      await this.#replaceAll();
    };
    this.#replacing = this.#replacing.then(replace).catch(console.error);
    return this.#replacing;
  }

  /** Kills all processes without waiting for their ends, and removes their sockets. */
  kill(): void {
    this.#ending = true;
    this.#store.kill();
    for (const worker of this.#all) worker.kill();
    this.#shared.close();
    this.#sockets.close();
  }

  #runStore(): { readonly answers: Promise<void>; readonly ended: Promise<void> } {
    let ready: () => void = () => undefined;
    const answers = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const ended = this.#store.run(ready);
    ended.catch(this.#fail);
    return { answers: Promise.race([answers, ended]), ended };
  }

  /** Starts a worker, which takes no requests yet. */
  #start(number: number): Worker {
    const { count, common, workerConfig, loadsModel } = this.#options;
    const worker = new Worker({
      number,
      of: count,
      generation: this.#generation++,
      sockets: this.#sockets,
      shared: this.#shared,
      supervisor: this.#supervisorPath,
      store: this.#storePath,
      onCondition: (which, condition) => this.#roster.note(which, condition),
      started: () => this.#note(),
      common: { ...common, config: workerConfig, loadsModel },
    });
    this.#all.add(worker);
    this.#note();
    const forget = () => {
      this.#all.delete(worker);
      if (!this.#ending) this.#note();
    };
    worker.ended.then(forget, forget);
    return worker;
  }

  /** Gives requests to a worker from now on. */
  #take(number: number, worker: Worker): void {
    this.#current.set(number, worker);
    this.#roster.add(worker);
    this.#roster.note(worker, worker.condition);
  }

  async #replaceAll(): Promise<void> {
    for (const [number, before] of this.#current) {
      if (this.#ending) return;
      const next = this.#start(number);
      try {
        await Promise.race([next.answers, next.ended]);
      } catch (error) {
        console.error(`Worker ${number} is not replaced: ${(error as Error).message}`);
        return;
      }
      if (this.#ending) return; // end() has ended it, too
      this.#take(number, next);
      next.ended.catch(this.#fail);
      await Promise.race([this.#roster.retire(before), sleep(LAST_REQUESTS, undefined, { ref: false })]);
      await before.end();
    }
  }

  #note(): void {
    const pids = [...this.#all].flatMap(({ pid, running }) => (running && pid !== undefined ? [pid] : []));
    this.#options.started(this.#storePid, pids);
  }
}
