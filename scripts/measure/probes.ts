/**
 * Requests /healthz repeatedly while a labeler is at work, as an operator's probe does, and measures how long the
 * answers take.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";

export interface Probe {
  /** From the request to the end of the response, in milliseconds. */
  readonly ms: number;
  /** The amount of work done meanwhile. */
  readonly done: number;
}

/** The pause between a response and the next request, in milliseconds. */
const PAUSE = 10;

/**
 * Probes as long as `work` runs.
 *
 * @param url The labeler's address, without a slash at the end.
 * @param work Calls `did` after each unit of work.
 */
export async function probeDuring<T>(
  url: string,
  work: (did: () => void) => Promise<T>,
): Promise<{ result: T; probes: readonly Probe[] }> {
  const done = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Worker(new URL("./probe-thread.js", import.meta.url), {
    workerData: { url, done, pause: PAUSE },
    execArgv: [],
  });
  try {
    await once(thread, "message");
    const result = await work(() => Atomics.add(done, 0, 1));
    const answer = once(thread, "message");
    thread.postMessage("end");
    const [probes] = (await answer) as [readonly Probe[]];
    return { result, probes };
  } finally {
    await thread.terminate();
  }
}

/** The work that was done during one probe: during nine of ten probes at most `most`, and during any at most `ever`. */
export function workDuring(probes: readonly Probe[]): { readonly most: number; readonly ever: number } {
  const sorted = probes.map(({ done }) => done).sort((a, b) => a - b);
  return { most: sorted[Math.floor(0.9 * (sorted.length - 1))] ?? 0, ever: sorted.at(-1) ?? 0 };
}

/** For example "median 24 ms, 90 % 31 ms, slowest 52 ms". */
export function waits(probes: readonly Probe[]): string {
  const sorted = probes.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN).toFixed(0);
  return `median ${at(0.5)} ms, 90 % ${at(0.9)} ms, slowest ${at(1)} ms`;
}
