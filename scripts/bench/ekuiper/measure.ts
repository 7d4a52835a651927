/** One round of one contender: latency, images a second, processor time and memory on the gateway. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningWorkerd } from "../../labeler/workerd.ts";
import { cpuMs } from "../../system/processes.ts";
import { type Contender, Gateway, LABELS, type Memory, type Parts } from "./gateway.ts";

export interface Round {
  readonly contender: Contender;
  /** Publish to label, in ms; empty where no label comes back. */
  readonly latencies: number[];
  readonly imagesPerSecond: number;
  /** Processor time of an image on the gateway, in ms. */
  readonly gatewayCpu: number;
  /** The same of the labeler. */
  readonly labelerCpu: number;
  readonly memory: Memory;
}

const WARM_UP = 12;
const PAUSE = 20; // ms, so that memory is that of a gateway at its usual pace

export async function measure(
  contender: Contender,
  parts: Parts,
  labeler: RunningWorkerd,
  images: readonly Uint8Array[],
  count: number,
): Promise<Round> {
  const gateway = await Gateway.start(contender, parts);
  // No image comes twice, or the labeler would know its answer. What follows a file's end changes no pixel.
  const image = (i: number) => Buffer.concat([images[i % images.length] ?? new Uint8Array(), Buffer.from(`${sent++}`)]);
  let seen = await stored(labeler.url);
  /** Waits until so many more images are done. */
  const done = async (more: number) => {
    if (contender !== "relay") {
      for (let i = 0; i < more; i++) await gateway.mailbox.next(LABELS, 30);
      return;
    }
    const goal = seen + more;
    while ((await stored(labeler.url)) < goal) await sleep(10);
    seen = goal;
  };
  try {
    for (let i = 0; i < WARM_UP; i++) {
      await gateway.mailbox.publish("tfdemo", image(i));
      await done(1);
    }
    const [cpu, labelerCpu] = [gateway.cpu(), cpuMs(labeler.pid)];
    const latencies: number[] = [];
    const memories: Memory[] = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await gateway.mailbox.publish("tfdemo", image(i));
      await done(1);
      latencies.push(performance.now() - start);
      if (i % 10 === 9) memories.push(gateway.memory());
      await sleep(PAUSE);
    }
    const result = {
      contender,
      latencies: contender === "relay" || contender === "none" ? [] : latencies,
      gatewayCpu: (gateway.cpu() - cpu) / count,
      labelerCpu: (cpuMs(labeler.pid) - labelerCpu) / count,
      memory: {
        rss: median(memories.map(({ rss }) => rss)),
        pss: median(memories.map(({ pss }) => pss)),
      },
    };
    const start = performance.now();
    for (let i = 0; i < count; i++) await gateway.mailbox.publish("tfdemo", image(i));
    await done(count);
    return { ...result, imagesPerSecond: (1000 * count) / (performance.now() - start) };
  } finally {
    await gateway.stop();
  }
}

let sent = 0;
let cursor = "0";
let total = 0;

/** How many results the labeler keeps. */
async function stored(url: string): Promise<number> {
  const response = await fetch(`${url}/results?since=${cursor}&limit=1000`);
  const rows: { next: string }[] = await response.json();
  cursor = rows.at(-1)?.next ?? cursor;
  total += rows.length;
  return total;
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
