/**
 * npm run bench:workers: what a second worker brings, and what each further one takes. The load comes from this process, on
 * the same cores, so the processor time of each part is printed beside it. Linux only, since it reads /proc.
 */
import { countIn, runCommand } from "../command-line/command.ts";
import { installRivals } from "./decode/install.ts";
import { NETWORKS, prepareModel } from "./inference/models.ts";
import { labeler, type Running } from "./peers/servers.ts";
import { type Clients, type Labelled, labelFor } from "./workers/clients.ts";

const MODEL = "efficientnet_lite0";
const CLIENTS: readonly Clients[] = [
  { count: 2, keepAlive: true },
  { count: 8, keepAlive: true },
  { count: 20, keepAlive: true },
  { count: 8, keepAlive: false },
];
/** How many times the images of one worker two of them should label. */
const GOALS: Readonly<Record<string, number>> = { "640×480": 1.6, "1080p": 1.8, "12 MP": 1.8 };
/** The most memory that a further worker should take, in MB. */
const FURTHER = 110;

const usage = `npm run bench:workers -- [options]: images a second with one worker and with two, and the memory of a further one

  --rounds N       how often each is measured (3)
  --seconds N      how long each load lasts (2)

It ends with 1 if a goal is missed. Another program that is busy spoils it.`;

const options = { rounds: { type: "string", default: "3" }, seconds: { type: "string", default: "2" } } as const;

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
/** What a load took of the processors, in milliseconds for an image. */
interface Parts {
  readonly workers: number;
  /** The supervisor with the dispatcher. */
  readonly dispatcher: number;
  readonly client: number;
}

interface Measured extends Parts {
  readonly perSecond: number;
}

async function measure(server: Running, bytes: Uint8Array<ArrayBuffer>, clients: Clients, ms: number) {
  const [all, own] = [server.cpuMs, server.ownCpuMs];
  const { images, perSecond, clientMs }: Labelled = await labelFor(server.url, bytes, clients, ms);
  const dispatcher = (server.ownCpuMs - own) / images;
  const measured: Measured = {
    perSecond,
    dispatcher,
    workers: (server.cpuMs - all) / images - dispatcher,
    client: clientMs,
  };
  return measured;
}

const mid = (all: readonly Measured[], part: keyof Measured) => median(all.map((each) => each[part]));

/**
 * How many times as fast two workers are on two processors that do nothing else: one worker keeps one of them busy, and two
 * workers share both with the dispatcher and the clients.
 *
 * @param clients Whether the clients are on these processors, too.
 */
function byProcessorTime(one: readonly Measured[], two: readonly Measured[], clients: boolean): number {
  return (
    (2 * mid(one, "workers")) / (mid(two, "workers") + mid(two, "dispatcher") + (clients ? mid(two, "client") : 0))
  );
}

const nameOf = ({ count, keepAlive }: Clients) =>
  `${count} clients, ${keepAlive ? "keep-alive" : "a connection for each request"}`;

await runCommand({ usage, options }, async (values) => {
  const [rounds, seconds] = [countIn("rounds", values.rounds), countIn("seconds", values.seconds)];
  const network = NETWORKS.find(({ name }) => name === MODEL);
  if (network === undefined) throw new Error(`${MODEL} is not among the networks`);
  installRivals();
  await prepareModel(network);
  // Only now: it encodes with what was just installed.
  const { jpegs } = await import("./peers/images.ts");
  const images = (await jpegs()).filter(({ size }) => size in GOALS);
  const servers: Running[] = [];
  let missed = false;
  try {
    for (const workers of [1, 2, 3]) servers.push(await labeler(workers).start(network));
    const [one, two, three] = servers;
    console.log("Images a second, and processor time of an image in ms with one worker and with two.");
    console.log("By processor time: the ratio on two processors that do nothing else, with the clients and without.\n");
    console.log("| | 1 worker | 2 workers | ratio | by processor time | workers | dispatcher | client |");
    console.log(`|${"---|".repeat(8)}`);
    for (const { size, bytes } of images) {
      for (const clients of CLIENTS) {
        const seen: [Measured[], Measured[]] = [[], []];
        for (let round = 0; round <= rounds; round++) {
          for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
            const measured = await measure([one, two][at], bytes, clients, seconds * 1000);
            if (round > 0) seen[at].push(measured); // The first round warms up.
          }
        }
        const ratio = median(seen[1].map(({ perSecond }, round) => perSecond / seen[0][round].perSecond));
        const reached = ratio >= GOALS[size];
        missed ||= !reached;
        const rates = seen.map((each) => `${mid(each, "perSecond").toFixed(1)}/s`);
        const times = (part: keyof Parts) => seen.map((each) => mid(each, part).toFixed(1)).join(", ");
        const goal = `${ratio.toFixed(2)} ×${reached ? "" : `, goal ${GOALS[size]} missed`}`;
        const parts = (["workers", "dispatcher", "client"] as const).map(times);
        const possible = [true, false]
          .map((included) => `${byProcessorTime(...seen, included).toFixed(2)} ×`)
          .join(", ");
        const cells = [...rates, goal, possible, ...parts];
        console.log(`| ${size}, ${nameOf(clients)} | ${cells.join(" | ")} |`);
      }
    }
    // As much for each worker as the others have had.
    for (const { bytes } of images) {
      for (let i = 0; i < 2 * rounds; i++) await labelFor(three.url, bytes, CLIENTS[2], seconds * 1000);
    }
    const [first, second, third] = servers.map(({ memoryMB }) => memoryMB);
    const further = third - second;
    missed ||= further > FURTHER;
    const all = [first, second, third].map((mb) => mb.toFixed(0)).join(", ");
    console.log(
      `\nProportional memory of all processes with 1, 2 and 3 workers: ${all} MB; a further worker takes ` +
        `${further.toFixed(0)} MB${further > FURTHER ? `, goal ${FURTHER} missed` : ""}.`,
    );
  } finally {
    for (const server of servers) await server.stop();
  }
  return missed ? 1 : 0;
});
