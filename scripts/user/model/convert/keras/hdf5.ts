/**
 * Reads the HDF5 files that Keras writes, by h5wasm in a thread of its own: its memory and its time have limits, whatever the
 * file makes the library do.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ConversionError } from "../errors.ts";
import type { Weights } from "./weights.ts";

export interface Hdf5Model {
  /** The text of the model's configuration, if the file has it. */
  readonly config: string | undefined;
  /** Of Keras, such as "2.13.1". */
  readonly version: string;
  /** By path from the root. */
  readonly weights: Weights;
  /** The names of the weights that belong to a group, in the order of its layer, by the path of the group. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

type Answer =
  | { readonly fault: string; readonly fatal: boolean }
  | {
      readonly config: string | undefined;
      readonly version: string;
      readonly weights: readonly (readonly [path: string, shape: readonly number[], values: Float32Array])[];
      readonly groups: readonly (readonly [path: string, names: readonly string[]])[];
    };

/** Weights are rarely packed, and then to a third; more is not from Keras. */
const LARGEST_RATIO = 16;
const LEAST_MEMORY = 64 << 20;
const MOST_MEMORY = 1 << 30;
/** For so long the thread may be busy with one object of a file, in milliseconds, and longer in large files. */
const LONGEST_SILENCE = 750;
const BYTES_PER_MS = 20_000;
/** How often the thread is looked after, in milliseconds. */
const TICK = 50;

/** A thread that reads one file after the other. */
export class Hdf5Reader {
  readonly #thread: Worker;
  /** Settles when the library is loaded. */
  readonly ready: Promise<unknown>;
  /** Counts the objects that were read. */
  readonly #progress = new Int32Array(new SharedArrayBuffer(4));

  /** @param largest The most bytes of weights, and of the library's memory. */
  constructor(largest: number) {
    this.#thread = new Worker(new URL("./hdf5-thread.js", import.meta.url), {
      workerData: { largest, progress: this.#progress },
      execArgv: [],
    });
    this.ready = this.#message();
    this.ready.catch(() => {});
  }

  /** The next message of the thread. */
  async #message(): Promise<unknown> {
    const over = new AbortController();
    const { signal } = over;
    const exit = once(this.#thread, "exit", { signal }).then(() => {
      throw new Error("the reader has ended");
    });
    const message = once(this.#thread, "message", { signal }).then(([value]) => value as unknown);
    try {
      return await Promise.race([message, exit]);
    } finally {
      over.abort();
      exit.catch(() => {});
      message.catch(() => {});
    }
  }

  /** @throws ConversionError with the reason if the file cannot be read. The reader can be used again unless it is `ended`. */
  async read(bytes: Uint8Array): Promise<Hdf5Model> {
    await this.ready;
    let timer: NodeJS.Timeout | undefined;
    const limit = (LONGEST_SILENCE + bytes.length / BYTES_PER_MS) / TICK;
    const late = new Promise<never>((_, reject) => {
      let [seen, ticks] = [-1, 0];
      // Ticks are counted and not milliseconds: on a busy machine both threads come to their turns more rarely.
      timer = setInterval(() => {
        const objects = Atomics.load(this.#progress, 0);
        ticks = objects === seen ? ticks + 1 : 0;
        seen = objects;
        if (ticks < limit) return;
        this.#broken = true;
        reject(new Error("one of its objects cannot be read to an end"));
      }, TICK);
    });
    try {
      const message = this.#message();
      this.#thread.postMessage(bytes);
      const answer = (await Promise.race([message, late])) as Answer;
      if ("fault" in answer) {
        this.#broken = answer.fatal;
        throw new Error(answer.fault);
      }
      const { config, version, weights, groups } = answer;
      return {
        config,
        version,
        weights: new Map(weights.map(([path, shape, values]) => [path, { shape, values: () => values }])),
        groups: new Map(groups),
      };
    } catch (error) {
      const reason = (error as Error).message.split("\n")[0]?.slice(0, 200).replace(/\.$/, "");
      throw new ConversionError(`The HDF5 file is damaged: ${reason}. Save or download it again.`);
    } finally {
      clearInterval(timer);
    }
  }

  #broken = false;

  /** Whether the library has failed in a way after which it is not to be used again. */
  get broken(): boolean {
    return this.#broken;
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
  }
}

/** @throws ConversionError with the reason if the file cannot be read. */
export async function readHdf5(bytes: Uint8Array): Promise<Hdf5Model> {
  const reader = new Hdf5Reader(Math.min(MOST_MEMORY, LEAST_MEMORY + LARGEST_RATIO * bytes.length));
  try {
    return await reader.read(bytes);
  } finally {
    await reader.end();
  }
}
