/**
 * Keeps workerd running: restarts it when it dies or stops answering, and lets it finish its requests before it ends.
 */
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../../command-line/command.ts";
import { ask } from "./ask.ts";
import { LastWords } from "./causes.ts";
import { startChild } from "./child.ts";

export interface SupervisorOptions {
  /** The path of workerd. */
  readonly workerd: string;
  readonly config: string;
  /** The host and port to listen on. */
  readonly address: string;
  /** The address of the labeler, without a slash at the end; `unix:PATH` for a unix socket. */
  readonly url: string;
  /** Further arguments of workerd. */
  readonly args?: readonly string[];
  /** Variables of its environment beside those of this process. */
  readonly env?: () => Readonly<Record<string, string>>;
  /** What it is called in messages; workerd. */
  readonly name?: string;
  /** The longest time between two checks whether it answers, in milliseconds; 5000. */
  readonly interval?: number;
  /** Whether each process loads the default model before it counts as answering, so that no request waits for it. */
  readonly loadsModel?: boolean;
  /** Told after each check, and when a process ends. */
  readonly onCondition?: (condition: Condition) => void;
  /** The folder of the results, for messages. */
  readonly results: string;
  /** How long requests may take to end, in milliseconds. */
  readonly drain: number;
  /** How long the labeler may fail to answer before it is restarted, in milliseconds. */
  readonly watchdog: number;
  /** A file descriptor that each process keeps open. */
  readonly descriptor?: number;
  /** Called before each start. An error that it throws counts as a failed start. */
  readonly starting?: () => void;
  /** Receives the id of each new process. */
  readonly started?: (pid: number) => void;
  /** Called every few seconds: returns why workerd must be restarted; undefined if it need not be. */
  readonly whyRestart?: () => string | undefined;
}

/** Whether a process answers; "silent" if it has not done so for SOON, or does not yet. */
export type Condition = "answers" | "silent" | "ended";

/** How long a check may take before the process counts as silent, in milliseconds. */
const SOON = 2000;

/** How long loading the default model may delay that a process counts as answering, in milliseconds. */
const LOADING = 20_000;

const BACKOFF = { first: 250, most: 30_000 };
/** A process that lived this long, in milliseconds, did not fail at its start. */
const LONG_ENOUGH = 60_000;

/** How a process ended. */
interface End {
  readonly how: string;
  /** The cause and its fix, if it was recognised. */
  readonly cause: string | undefined;
  /** Whether the process ever answered. */
  readonly answered: boolean;
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

export class Supervisor {
  readonly #options: SupervisorOptions;
  #child: ChildProcess | undefined;
  #ending = false;
  #restarting = false;
  /** Ends the wait for the next start early. */
  #wake = new AbortController();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get #name(): string {
    return this.#options.name ?? "workerd";
  }

  /** Whether a process has not ended yet. */
  get running(): boolean {
    return this.#child?.pid !== undefined && !hasEnded(this.#child);
  }

  /**
   * Runs until end() is called. workerd has ended when this returns or throws.
   *
   * @param ready Called when the labeler answers for the first time.
   * @throws CommandError if workerd does not even start.
   */
  async run(ready: () => void): Promise<void> {
    let backoff = BACKOFF.first;
    for (let first = true; !this.#ending; first = false) {
      const began = performance.now();
      this.#restarting = false;
      const { how, cause, answered } = await this.#runOnce(() => first && ready());
      if (this.#ending) return;
      if (this.#restarting) continue;
      if (first && !answered) {
        throw new CommandError(`${this.#name} did not start (${how}). ${cause ?? "Its message is above."}`, 1);
      }
      if (performance.now() - began > LONG_ENOUGH) backoff = BACKOFF.first;
      console.error(
        `${this.#name} ended (${how}).${cause ? ` ${cause}` : ""} It is started again in ${backoff / 1000} s.`,
      );
      this.#wake = new AbortController();
      await sleep(backoff, undefined, { signal: this.#wake.signal }).catch(() => undefined);
      backoff = Math.min(BACKOFF.most, 2 * backoff);
    }
  }

  /** Lets workerd finish its requests and end; those that take too long are cut off. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#wake.abort();
    await this.#finish();
  }

  /** Lets workerd finish its requests and restarts it; if a start is already pending, starts it at once. */
  async restart(): Promise<void> {
    this.#wake.abort();
    if (!this.running) return;
    this.#restarting = true;
    await this.#finish();
  }

  /** Kills workerd without waiting for its end. Call it when this process is about to end. */
  kill(): void {
    this.#ending = true;
    if (this.running) this.#child?.kill("SIGKILL");
  }

  async #finish(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const exit = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    // workerd waits for clients that keep their connections open, possibly for ever.
    const timer = setTimeout(() => child.kill("SIGKILL"), this.#options.drain);
    await exit;
    clearTimeout(timer);
  }

  /** Runs one process to its end, and ends it if anything here fails. */
  async #runOnce(answered: () => void): Promise<End> {
    const { workerd, config, address, args = [], env, results, descriptor, starting, started } = this.#options;
    const words = new LastWords({ results });
    let child: ChildProcess;
    try {
      starting?.();
      child = startChild({
        command: [workerd, "serve", config, ...args, "--socket-addr", `http=${address}`],
        descriptor,
        env: env?.(),
        onWords: (text) => words.hear(text),
      });
    } catch (error) {
      return { how: (error as Error).message, cause: undefined, answered: false };
    }
    this.#child = child;
    // All of its output has arrived when stderr is closed, too.
    const closed = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(signal ?? `code ${code}`));
    });
    try {
      if (child.pid !== undefined) started?.(child.pid);
      const everAnswered = await this.#watch(child, words, answered);
      return { how: await closed, cause: words.cause, answered: everAnswered };
    } finally {
      if (this.running) child.kill("SIGKILL");
      await closed;
    }
  }

  /** Checks repeatedly whether the labeler is alive, and kills it if not. @returns Whether it ever answered. */
  async #watch(child: ChildProcess, words: LastWords, answered: () => void): Promise<boolean> {
    const { name, url, watchdog, whyRestart, loadsModel, onCondition, interval = 5000 } = this.#options;
    const gone = new AbortController();
    for (const event of ["exit", "error"]) {
      child.once(event, () => {
        gone.abort();
        onCondition?.("ended");
      });
    }
    let last = performance.now();
    let everAnswered = false;
    let told = false;
    while (!hasEnded(child) && !gone.signal.aborted) {
      const silent = setTimeout(() => onCondition?.("silent"), SOON);
      const lives = (await ask({ url, path: "/healthz", timeout: Math.max(1000, watchdog / 3) })) !== undefined;
      // It may fail: requests say why.
      if (lives && !everAnswered && loadsModel) await ask({ url, path: "/v2/health/ready", timeout: LOADING });
      clearTimeout(silent);
      if (gone.signal.aborted) break;
      onCondition?.(lives ? "answers" : "silent");
      if (lives) {
        if (!everAnswered) answered();
        everAnswered = true;
        last = performance.now();
      } else if (performance.now() - last > watchdog && !this.#ending) {
        console.error(
          `${name === undefined ? "The labeler" : name} has not answered for ${watchdog / 1000} s: it is killed.`,
        );
        child.kill("SIGKILL");
      }
      if (everAnswered && words.cause !== undefined && !told) {
        console.error(words.cause); // The labeler runs, but with a fault.
        told = true;
      }
      const why = everAnswered && !this.#ending && !this.#restarting ? whyRestart?.() : undefined;
      if (why !== undefined) {
        console.error(`${why} ${name ?? "The labeler"} starts again.`);
        void this.restart();
      }
      const wait = everAnswered ? Math.min(interval, watchdog / 6) : 50;
      await sleep(wait, undefined, { signal: gone.signal }).catch(() => undefined);
    }
    return everAnswered;
  }
}
