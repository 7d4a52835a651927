/** `feed` publishes images as the feeder of eKuiper's tutorial does; `watch` prints what comes back. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError, UsageError } from "../../command-line/command.ts";
import { connectTo } from "./mqtt-client.ts";

const IMAGE = /\.(jpe?g|png|webp|gif|bmp)$/i;

/** The files, and the images in the folders, sorted by name. @throws CommandError */
export async function imageFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) throw new CommandError(`There is no file or folder ${path}.`);
    if (!info.isDirectory()) {
      files.push(path);
      continue;
    }
    const names = (await readdir(path)).filter((name) => IMAGE.test(name)).sort();
    if (names.length === 0) throw new CommandError(`There are no images in ${path}.`);
    files.push(...names.map((name) => join(path, name)));
  }
  return files;
}

/** A duration such as 1s, 200ms or 2m, in milliseconds. @throws UsageError */
export function duration(text: string): number {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  if (number === undefined) throw new UsageError(`"${text}" is not a duration. Give one such as 1s, 200ms or 2m.`);
  return Number(number) * { ms: 1, s: 1000, m: 60_000 }[unit as "ms" | "s" | "m"];
}

export interface FeedOptions {
  readonly broker: string;
  readonly topic: string;
  /** The time between the starts of two publications, in milliseconds. */
  readonly every: number;
  readonly forever: boolean;
  readonly signal: AbortSignal;
  log(line: string): void;
}

/**
 * Publishes each file in turn, with MQTT's QoS 1.
 *
 * @returns Their number.
 * @throws UsageError for a topic with wildcards.
 */
export async function feed(files: readonly string[], options: FeedOptions): Promise<number> {
  const { broker, topic, every, forever, signal, log } = options;
  if (/[+#]|^\$share\//.test(topic)) {
    throw new UsageError(`--topic ${topic}: images are published to one topic, without + and # and $share.`);
  }
  const client = await connectTo(broker, { reconnect: true });
  let count = 0;
  try {
    const start = performance.now();
    do {
      for (const file of files) {
        // Scheduled from the start, so that slow publications do not add up.
        const wait = start + count * every - performance.now();
        if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return count;
        const image = await readFile(file);
        await client.publishAsync(topic, image, { qos: 1 });
        count++;
        log(`${new Date().toISOString()}  ${topic}  ${basename(file)}, ${image.length} bytes`);
      }
    } while (forever);
    return count;
  } finally {
    await client.endAsync();
  }
}

export interface WatchOptions {
  readonly broker: string;
  readonly topics: readonly string[];
  /** The number of messages after which it ends. */
  readonly count: number;
  readonly signal: AbortSignal;
  take(topic: string, message: string): void;
}

/** Passes on each message of the topics until there were `count` of them, or until it is told to stop. */
export async function watch({ broker, topics, count, signal, take }: WatchOptions): Promise<void> {
  const client = await connectTo(broker, { reconnect: true });
  try {
    await new Promise<void>((resolve, reject) => {
      let left = count;
      client.on("message", (topic, payload) => {
        if (left <= 0) return;
        take(topic, payload.toString("utf8"));
        if (--left === 0) resolve();
      });
      signal.addEventListener("abort", () => resolve());
      client.subscribeAsync([...topics], { qos: 1 }).catch(reject);
    });
  } finally {
    await client.endAsync(true);
  }
}
