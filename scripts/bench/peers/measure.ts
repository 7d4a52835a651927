/** Measures servers beside each other: one client in turn, then several at once. */
import { unseen } from "../load/unseen.ts";
import type { SizedImage } from "./images.ts";
import type { Running } from "./servers.ts";

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Has an image labelled. @returns The top-1 label. @throws Error if it is not answered with labels. */
async function send({ url, name }: Running, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const response = await fetch(url, { method: "POST", body: unseen(bytes) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${name}: ${response.status} ${text}`);
  return (JSON.parse(text) as { label: string }[])[0].label;
}

/** Requests from one client, each after the answer of the one before. */
export interface OneByOne {
  /** The processor time of all processes of the server for a request, in milliseconds: the median of the rounds. */
  readonly cpu: number;
  /** The time of a request by the clock, in milliseconds: the median of all. */
  readonly clock: number;
}

/** What a server did with an image. */
interface Seen {
  readonly cpu: number[];
  readonly clock: number[];
}

async function burst(server: Running, { bytes }: SizedImage, milliseconds: number, seen: Seen): Promise<void> {
  const [cpu, begin] = [server.cpuMs, performance.now()];
  let count = 0;
  for (; performance.now() - begin < milliseconds || count < 5; count++) {
    const start = performance.now();
    await send(server, bytes);
    seen.clock.push(performance.now() - start);
  }
  seen.cpu.push((server.cpuMs - cpu) / count);
}

/**
 * Measures each server with each image in short bursts, in rounds: the order of the servers alternates, so that a change
 * of the machine's speed falls on all of them.
 *
 * @returns For each server, in their order, a result for each image.
 */
export async function oneByOne(
  servers: readonly Running[],
  images: readonly SizedImage[],
  rounds: number,
): Promise<OneByOne[][]> {
  const seen = servers.map(() => images.map((): Seen => ({ cpu: [], clock: [] })));
  for (let round = -1; round < rounds; round++) {
    for (const [at, image] of images.entries()) {
      const order = [...servers.keys()];
      for (const index of round % 2 === 0 ? order : order.reverse()) {
        const warmUp = { cpu: [], clock: [] };
        await burst(servers[index], image, 500, round < 0 ? warmUp : seen[index][at]);
      }
    }
  }
  return seen.map((each) => each.map(({ cpu, clock }) => ({ cpu: median(cpu), clock: median(clock) })));
}

/** Images a second that a server labels for so many clients with keep-alive connections, each with one after the other. */
export async function throughput(
  server: Running,
  { bytes }: SizedImage,
  clients: number,
  milliseconds: number,
): Promise<number> {
  let count = 0;
  const begin = performance.now();
  const client = async () => {
    while (performance.now() - begin < milliseconds) {
      await send(server, bytes);
      count++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (count * 1000) / (performance.now() - begin);
}

/** The top-1 labels of the images, to see that all servers do the same work. */
export async function labelsOf(server: Running, images: readonly SizedImage[]): Promise<string[]> {
  const labels: string[] = [];
  for (const { bytes } of images) labels.push(await send(server, bytes));
  return labels;
}
