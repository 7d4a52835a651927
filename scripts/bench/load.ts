/**
 * npm run bench:load: the labeler under load, on workerd: 200 requests a second of one small image, whose
 * answer is cached, and 20 clients that upload photos of 12 megapixels, one after the other. Beside it a Node server of
 * npm's packages with the same network. Linux only, since it reads /proc.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { countIn, runCommand } from "../command-line/command.ts";
import { startWorkerd } from "../labeler/workerd.ts";
import { freePorts } from "../system/ports.ts";
import { cpuMs, residentMB } from "../system/processes.ts";
import { installRivals } from "./decode/install.ts";
import { NETWORKS, prepareModel } from "./inference/models.ts";
import { atOnce, atRate, labelOf, type Seen } from "./load/clients.ts";
import { noisyPhoto } from "./load/photo.ts";

const RATE = 200;
const UPLOADS = 20;
/** In seconds. */
const MEMORY_EVERY = 10;
const MODEL = "mobilenet_v1_1.0_224";
const SMALL = "test/fixtures/coffee-96.webp";

interface Server {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

async function labeler(): Promise<Server> {
  const { url, pid, stop } = await startWorkerd();
  return { name: "Edge Labeler, workerd", url: `${url}/label?model=${MODEL}`, pid, stop };
}

async function nodeServer(): Promise<Server> {
  const network = NETWORKS.find(({ name }) => name === MODEL);
  if (network === undefined) throw new Error(`${MODEL} is none of the networks`);
  await prepareModel(network);
  const [port] = await freePorts(1);
  const args = ["rivals/node-labeler.js", String(port), resolve("scripts/bench/.cache/models", MODEL)];
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: "scripts/bench",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  if (child.stdout !== null) await Promise.race([once(child.stdout, "data"), ended]);
  if (child.exitCode !== null) throw new Error("the Node server did not start");
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { name: "Node, @jsquash, stock tfjs-wasm", url: `http://127.0.0.1:${port}/`, pid: child.pid ?? 0, stop };
}

const statuses = ({ statuses: all }: Seen) => [...all].map(([status, count]) => `${count} × ${status}`).join(", ");
const ms = (value: number) => (Number.isNaN(value) ? "–" : `${value.toFixed(value < 10 ? 1 : 0)} ms`);

interface Measured {
  readonly name: string;
  readonly rows: readonly string[];
}

async function measure(
  start: () => Promise<Server>,
  small: Uint8Array<ArrayBuffer>,
  photo: Uint8Array<ArrayBuffer>,
  seconds: number,
): Promise<Measured> {
  const server = await start();
  try {
    const labels = [await labelOf(server.url, small), await labelOf(server.url, photo)];
    await atOnce(server.url, photo, 2, 3);
    const memory = [residentMB(server.pid)];
    const cpu = cpuMs(server.pid);
    const begin = performance.now();
    const watch = setInterval(() => memory.push(residentMB(server.pid)), 1000);
    const [tiny, uploads] = await Promise.all([
      atRate(server.url, small, RATE, seconds),
      atOnce(server.url, photo, UPLOADS, seconds),
    ]);
    clearInterval(watch);
    // Until the last answer was there, which may be long after the last question.
    const took = (performance.now() - begin) / 1000;
    const every = memory.filter((_, second) => second % MEMORY_EVERY === 0);
    return {
      name: server.name,
      rows: [
        labels.join("; "),
        `${ms(tiny.quantile(0.5))}, ${ms(tiny.quantile(0.99))}`,
        `${(tiny.times.length / took).toFixed(0)}`,
        statuses(tiny),
        `${ms(uploads.quantile(0.5))}, ${ms(uploads.quantile(0.99))}`,
        (uploads.times.length / took).toFixed(1),
        statuses(uploads),
        `${((cpuMs(server.pid) - cpu) / took / 10).toFixed(0)} %`,
        `${every.map((mb) => mb.toFixed(0)).join(", ")}; at most ${Math.max(...memory).toFixed(0)} MB`,
      ],
    };
  } finally {
    await server.stop();
  }
}

const ROWS = [
  "labels",
  `${RATE} small images a second: median, 99th percentile`,
  "answered a second",
  "statuses",
  `${UPLOADS} uploads at once: median, 99th percentile`,
  "uploads labelled a second",
  "statuses",
  "processor",
  `memory of the process, every ${MEMORY_EVERY} s`,
];

const usage = `npm run bench:load -- [options]: ${RATE} small images a second and ${UPLOADS} uploads at once, beside a plain Node server

  --seconds N       how long each server is loaded (60)`;

const options = { seconds: { type: "string", default: "60" } } as const;

await runCommand({ usage, options }, async (values) => {
  const seconds = countIn("seconds", values.seconds);
  const small = new Uint8Array(readFileSync(SMALL));
  installRivals();
  const photo = await noisyPhoto();
  const measured: Measured[] = [];
  for (const start of [labeler, nodeServer]) measured.push(await measure(start, small, photo, seconds));
  console.log(
    `A small image has ${(small.length / 1e3).toFixed(1)} kB, a photo ${(photo.length / 1e6).toFixed(1)} MB; ${seconds} s each.\n`,
  );
  console.log(`| | ${measured.map(({ name }) => name).join(" | ")} |\n|---|${measured.map(() => "---|").join("")}`);
  for (const [i, row] of ROWS.entries()) console.log(`| ${row} | ${measured.map(({ rows }) => rows[i]).join(" | ")} |`);
  return 0;
});
