/**
 * npm run bench:peers: the labeler beside what people would build in its place: a Python server and a Node server with
 * native packages, all with the same network and one thread for each worker. Linux only, since it reads /proc.
 */
import { countIn, runCommand } from "../command-line/command.ts";
import { installRivals } from "./decode/install.ts";
import { NETWORKS, prepareModel } from "./inference/models.ts";
import type { SizedImage } from "./peers/images.ts";
import { labelsOf, type OneByOne, oneByOne, throughput } from "./peers/measure.ts";
import { labeler, node, type Peer, python, type Running, versions } from "./peers/servers.ts";

const PEERS: readonly Peer[] = [labeler(1), labeler(2), python(1), python(1, true), python(2), node];
const COMPARED = ["efficientnet_lite0", "mobilenet_v1_1.0_224"];
/** Clients at once, and for how long, in milliseconds. */
const CLIENTS = 8;
const LOAD = 5000;

const usage = `npm run bench:peers -- [options]: the labeler beside servers in Python and Node, one client and ${CLIENTS} at once

  --rounds N       how often each is measured with each image (5)
  --json           the figures as JSON`;

const options = { rounds: { type: "string", default: "5" }, json: { type: "boolean", default: false } } as const;

/** A server's figures with one network. */
interface Row {
  readonly network: string;
  readonly server: string;
  readonly sizes: Readonly<Record<string, OneByOne>>;
  /** Images a second for several clients at once. */
  readonly throughput: Readonly<Record<string, number>>;
  /** After the load, of all its processes. */
  readonly memoryMB: number;
  /** The top-1 label of each image. */
  readonly labels: readonly string[];
}

async function compare(name: string, images: readonly SizedImage[], rounds: number): Promise<Row[]> {
  const network = NETWORKS.find((known) => known.name === name);
  if (network === undefined) throw new Error(`${name} is not among the networks`);
  await prepareModel(network);
  const servers: Running[] = [];
  try {
    for (const peer of PEERS) servers.push(await peer.start(network));
    const labels: string[][] = [];
    for (const server of servers) labels.push(await labelsOf(server, images));
    const single = await oneByOne(servers, images, rounds);
    const rows: Row[] = [];
    for (const [at, server] of servers.entries()) {
      const rates: [string, number][] = [];
      for (const image of images) rates.push([image.size, await throughput(server, image, CLIENTS, LOAD)]);
      rows.push({
        network: network.title,
        server: server.name,
        sizes: Object.fromEntries(images.map(({ size }, i) => [size, single[at][i]])),
        throughput: Object.fromEntries(rates),
        memoryMB: server.memoryMB,
        labels: labels[at],
      });
    }
    return rows;
  } finally {
    for (const server of servers) await server.stop();
  }
}

function print(rows: readonly Row[], images: readonly SizedImage[]): void {
  const sizes = images.map(({ size }) => size);
  const head = ["server", ...sizes, ...sizes.map((size) => `${size}, ${CLIENTS} clients`), "memory"];
  for (const network of new Set(rows.map((row) => row.network))) {
    console.log(
      `\n${network}: processor time of a request (time by the clock), images a second, proportional memory\n`,
    );
    console.log(`| ${head.join(" | ")} |\n|${head.map(() => "---|").join("")}`);
    for (const row of rows.filter((each) => each.network === network)) {
      const single = sizes.map((size) => `${row.sizes[size].cpu.toFixed(1)} (${row.sizes[size].clock.toFixed(1)}) ms`);
      const many = sizes.map((size) => `${row.throughput[size].toFixed(0)}/s`);
      console.log(`| ${[row.server, ...single, ...many, `${row.memoryMB.toFixed(0)} MB`].join(" | ")} |`);
    }
    const labels = new Set(rows.filter((each) => each.network === network).map((row) => row.labels.join(", ")));
    console.log(`\nTop-1 labels: ${[...labels].join("; ")}.`);
  }
}

await runCommand({ usage, options }, async ({ rounds, json }) => {
  const count = countIn("rounds", rounds);
  installRivals();
  // Only now: it encodes with what was just installed.
  const { jpegs } = await import("./peers/images.ts");
  const images = await jpegs();
  const rows: Row[] = [];
  for (const name of COMPARED) rows.push(...(await compare(name, images, count)));
  if (json) console.log(JSON.stringify({ versions: versions(), rows }, undefined, 2));
  else {
    console.log(
      `Node ${process.version}; ${versions().join(", ")}; sharp and onnxruntime-node: scripts/bench/package.json.`,
    );
    print(rows, images);
  }
  return 0;
});
