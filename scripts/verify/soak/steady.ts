/**
 * A second labeler, on workerd alone, that is never killed: one that is restarted every minute never finishes warming
 * up, so that its memory does not show leaks. Its live memory is read repeatedly through the inspector.
 */

import { type RunningWorkerd, startWorkerd } from "../../labeler/workerd.ts";
import { Inspector } from "../../measure/isolate-memory.ts";
import { residentMB } from "../../system/processes.ts";
import { grows, type Sample, slopeOf, slopeText } from "./memory.ts";

/** The interval between two readings, in milliseconds. */
const EVERY = 3000;
/**
 * The tolerated growth of live JS objects, in MB per minute, also of a soak of less than two minutes: the result cache fills up
 * at first.
 */
const [HEAP_TOLERATED, HEAP_TOLERATED_EARLY] = [3, 6];
/** The tolerated growth of the process, in MB per minute, and the minutes after which it is tested. */
const [RESIDENT_TOLERATED, RESIDENT_AFTER] = [3, 5];
/** The memory that an isolate may use, in MB. */
const ISOLATE_MB = 128;

export class Steady {
  readonly #workerd: RunningWorkerd;
  readonly #inspector: Inspector;
  readonly #heap: Sample[] = [];
  readonly #isolate: Sample[] = [];
  readonly #resident: Sample[] = [];
  #running = true;
  #looking: Promise<void> = Promise.resolve();

  private constructor(workerd: RunningWorkerd, inspector: Inspector) {
    this.#workerd = workerd;
    this.#inspector = inspector;
  }

  static async start(): Promise<Steady> {
    const workerd = await startWorkerd({ settings: { LOG: "off" } });
    return new Steady(workerd, await Inspector.open(workerd.inspector));
  }

  get url(): string {
    return this.#workerd.url;
  }

  /** It is never killed. */
  wasDown(): boolean {
    return false;
  }

  watch(): void {
    const begin = performance.now();
    const look = async () => {
      while (this.#running) {
        const { heap, wasm } = await this.#inspector.memory();
        const age = (performance.now() - begin) / 1000;
        this.#heap.push({ age, mb: heap });
        this.#isolate.push({ age, mb: heap + wasm });
        this.#resident.push({ age, mb: residentMB(this.#workerd.pid) });
        await new Promise((wake) => setTimeout(wake, EVERY));
      }
    };
    this.#looking = look();
  }

  /** @returns Its figures as rows of a table, and its faults. */
  async judge(): Promise<{ rows: [name: string, value: string][]; faults: string[] }> {
    this.#running = false;
    await this.#looking;
    const [heap, resident] = [slopeOf(this.#heap), slopeOf(this.#resident)];
    const most = (samples: readonly Sample[]) => Math.max(...samples.map(({ mb }) => mb));
    const minutes = (this.#resident.at(-1)?.age ?? 0) / 60;
    const faults: string[] = [];
    if (heap === undefined) faults.push("too few looks at the memory");
    if (heap && grows(heap, minutes < 2 ? HEAP_TOLERATED_EARLY : HEAP_TOLERATED))
      faults.push(`what is alive in the isolate grows: ${slopeText(heap)}`);
    if (resident && minutes >= RESIDENT_AFTER && grows(resident, RESIDENT_TOLERATED)) {
      faults.push(`the process grows: ${slopeText(resident)}`);
    }
    if (most(this.#isolate) > ISOLATE_MB) faults.push(`the isolate had ${most(this.#isolate).toFixed(0)} MB`);
    const rows: [string, string][] = [
      ["JS heap of the labeler that is not killed", `at most ${most(this.#heap).toFixed(1)} MB; ${slopeText(heap)}`],
      ["its isolate, WebAssembly included", `at most ${most(this.#isolate).toFixed(1)} MB`],
      ["its process", `at most ${most(this.#resident).toFixed(0)} MB; ${slopeText(resident)}`],
    ];
    return { rows, faults };
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#looking.catch(() => undefined);
    this.#inspector.close();
    await this.#workerd.stop();
  }
}
