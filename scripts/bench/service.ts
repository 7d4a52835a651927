/**
 * npm run bench:service: the labeler as a whole, on workerd on this machine: how long the first request
 * takes and a warm one, how long a probe waits under load, what the Worker weighs, and whether memory grows. Linux only, since it reads /proc.
 */
import { readFileSync } from "node:fs";
import { countIn, runCommand, UsageError } from "../command-line/command.ts";
import { bundleSize } from "../labeler/run.ts";
import { startWorkerd } from "../labeler/workerd.ts";
import { Inspector } from "../measure/isolate-memory.ts";
import { probeDuring, waits } from "../measure/probes.ts";
import { cpuMs, residentMB } from "../system/processes.ts";

const IMAGE = "test/fixtures/coffee.png";

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
const row = (name: string, value: string) => console.log(`| ${name} | ${value} |`);

/** So many at once, while /healthz is asked for. */
const UPLOADS = 50;

/** Requests before the first look at the memory. */
const FIRST = 10;

const usage = `npm run bench:service -- [options]: first and warm request, probes under load, memory, and size of the Worker

  --requests N      how many images are labelled (1000)`;

const options = { requests: { type: "string", default: "1000" } } as const;

await runCommand({ usage, options }, async (values) => {
  const requests = countIn("requests", values.requests);
  if (requests <= FIRST) throw new UsageError(`--requests ${requests}: it is more than ${FIRST}.`);
  const image = readFileSync(IMAGE);
  const labeler = await startWorkerd({ settings: { MAX_WAIT_MS: "60000" } });
  const inspector = await Inspector.open(labeler.inspector);

  let asked = 0;

  /** @param again Whether the image has come before; else it is another file each time, so that no cached result is used. */
  async function label(again = false): Promise<number> {
    const body = again ? image : new Blob([image, `${asked++}`]);
    const start = performance.now();
    const response = await fetch(`${labeler.url}/label`, { method: "POST", body });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return performance.now() - start;
  }

  async function memory(after: number): Promise<void> {
    const { heap, wasm } = await inspector.memory();
    const [isolate, process] = [(heap + wasm).toFixed(1), residentMB(labeler.pid).toFixed(0)];
    row(`memory after ${after} requests`, `${isolate} MB of JS heap and WebAssembly; process ${process} MB`);
  }

  try {
    console.log(`| ${IMAGE}, one after the other | |\n|---|---|`);
    row("first request, cold", `${(await label()).toFixed(0)} ms`);
    for (let i = 1; i < FIRST; i++) await label();
    await memory(FIRST);
    const cpu = cpuMs(labeler.pid);
    const times: number[] = [];
    for (let i = FIRST; i < requests; i++) times.push(await label());
    row("warm request, median", `${median(times).toFixed(1)} ms`);
    row("processor time of a warm request", `${((cpuMs(labeler.pid) - cpu) / times.length).toFixed(1)} ms`);
    await memory(requests);
    await label(true);
    const known: number[] = [];
    for (let i = 0; i < 200; i++) known.push(await label(true));
    row("the same image again, median", `${median(known).toFixed(1)} ms`);
    const { probes } = await probeDuring(labeler.url, () =>
      Promise.all(Array.from({ length: UPLOADS }, () => label())),
    );
    row(`/healthz while ${UPLOADS} uploads wait, ${probes.length} times`, waits(probes));
    const { raw, gzip } = bundleSize();
    row("Worker: script and wasm", `${(raw / 1024).toFixed(0)} KB, ${(gzip / 1024).toFixed(0)} KB with gzip`);
  } finally {
    inspector.close();
    await labeler.stop();
  }
  return 0;
});
