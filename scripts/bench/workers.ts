/**
 * npm run bench:workers: what a second worker brings, and what each further one takes. The load comes from this process, on
 * the same cores. Linux only, since it reads /proc.
 */
import { countIn, runCommand } from "../command-line/command.ts";
import { installRivals } from "./decode/install.ts";
import { NETWORKS, prepareModel } from "./inference/models.ts";
import { labeler, type Running } from "./peers/servers.ts";
import { type Clients, imagesPerSecond } from "./workers/clients.ts";

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
    console.log(`| | 1 worker | 2 workers | |\n|---|---|---|---|`);
    for (const { size, bytes } of images) {
      for (const clients of CLIENTS) {
        const rates: [number[], number[]] = [[], []];
        for (let round = 0; round <= rounds; round++) {
          for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
            const rate = await imagesPerSecond([one, two][at].url, bytes, clients, seconds * 1000);
            if (round > 0) rates[at].push(rate); // The first round warms up.
          }
        }
        const ratio = median(rates[1].map((rate, round) => rate / rates[0][round]));
        const reached = ratio >= GOALS[size];
        missed ||= !reached;
        const [before, after] = rates.map((each) => median(each).toFixed(1));
        const goal = `${ratio.toFixed(2)} ×${reached ? "" : `, goal ${GOALS[size]} missed`}`;
        console.log(`| ${size}, ${nameOf(clients)} | ${before}/s | ${after}/s | ${goal} |`);
      }
    }
    // As much for each worker as the others have had.
    for (const { bytes } of images) {
      for (let i = 0; i < 2 * rounds; i++) await imagesPerSecond(three.url, bytes, CLIENTS[2], seconds * 1000);
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
