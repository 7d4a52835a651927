/** Keeps workerd running: starts it anew when it dies or falls silent, and lets it finish its requests before it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../lib/command.ts";

export interface SupervisorOptions {
  /** The program. */
  readonly workerd: string;
  readonly config: string;
  /** Host and port to listen on. */
  readonly address: string;
  /** Where the labeler answers, without a slash at the end. */
  readonly url: string;
  /** How long requests may take to end, in milliseconds. */
  readonly drain: number;
  /** How long the labeler may be silent, in milliseconds. */
  readonly watchdog: number;
  /** Told of each new process. */
  readonly started: (pid: number) => void;
}

const BACKOFF = { first: 250, most: 30_000 };
/** A process that lived that long was all right. */
const LONG_ENOUGH = 60_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  #child: ChildProcess | undefined;
  #ending = false;
  #restarting = false;
  /** Cuts a wait short. */
  readonly #wake = new AbortController();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Runs until end() is called.
   *
   * @param ready Called when the labeler answers for the first time.
   * @throws CommandError if workerd does not even start.
   */
  async run(ready: () => void): Promise<void> {
    let backoff = BACKOFF.first;
    for (let first = true; !this.#ending; first = false) {
      const began = Date.now();
      const child = this.#start();
      const exit = new Promise<string>((resolve) => {
        child.once("error", (error) => resolve(error.message));
        child.once("exit", (code, signal) => resolve(signal ?? `code ${code}`));
      });
      const watching = this.#watch(child, () => first && ready());
      const how = await exit;
      const answered = await watching;
      if (this.#ending) return;
      if (this.#restarting) {
        this.#restarting = false;
        continue;
      }
      if (first && !answered) throw new CommandError(`workerd did not start (${how}); its message is above.`, 1);
      if (Date.now() - began > LONG_ENOUGH) backoff = BACKOFF.first;
      console.error(`workerd ended (${how}). It is started anew in ${backoff / 1000} s.`);
      await sleep(backoff, undefined, { signal: this.#wake.signal }).catch(() => undefined);
      backoff = Math.min(BACKOFF.most, 2 * backoff);
    }
  }

  /** Lets workerd finish its requests and end; what takes too long is cut off. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#wake.abort();
    await this.#finish();
  }

  /** Lets workerd finish its requests, and starts it anew. */
  async restart(): Promise<void> {
    this.#restarting = true;
    await this.#finish();
  }

  async #finish(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    // workerd waits for clients that keep their connections open, which may be for ever.
    const timer = setTimeout(() => child.kill("SIGKILL"), this.#options.drain);
    await exit;
    clearTimeout(timer);
  }

  #start(): ChildProcess {
    // Detached: a terminal's Ctrl-C would end it at once, and with it the requests that it is working on.
    const { workerd, config, address } = this.#options;
    const child = spawn(workerd, ["serve", config, "--socket-addr", `http=${address}`], {
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    this.#child = child;
    if (child.pid !== undefined) this.#options.started(child.pid);
    return child;
  }

  /** Asks again and again whether the labeler lives, and kills it if not. @returns Whether it ever answered. */
  async #watch(child: ChildProcess, answered: () => void): Promise<boolean> {
    const { url, watchdog } = this.#options;
    const gone = new AbortController();
    child.once("exit", () => gone.abort());
    child.once("error", () => gone.abort());
    let last = Date.now();
    let everAnswered = false;
    while (child.exitCode === null && child.signalCode === null && !gone.signal.aborted) {
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(Math.max(1000, watchdog / 3))]);
      const lives = await fetch(`${url}/healthz`, { signal }).then(
        (response) => response.ok,
        () => false,
      );
      if (lives) {
        if (!everAnswered) answered();
        everAnswered = true;
        last = Date.now();
      } else if (Date.now() - last > watchdog && !this.#ending && !gone.signal.aborted) {
        console.error(`The labeler has not answered for ${watchdog / 1000} s: it is killed.`);
        child.kill("SIGKILL");
      }
      const pause = everAnswered ? Math.min(5000, watchdog / 6) : 50;
      await sleep(pause, undefined, { signal: gone.signal }).catch(() => undefined);
    }
    return everAnswered;
  }
}
