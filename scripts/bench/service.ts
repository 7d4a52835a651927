/**
 * npm run bench:service [-- REQUESTS]: the labeler as a whole, in workerd on this machine: how long the first request
 * takes and a warm one, what the Worker weighs, and whether memory grows. Linux only, since it reads /proc.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { startLabeler } from "../lib/labeler.ts";
import { cpuMs, residentMB, workerdProcesses } from "../lib/processes.ts";
import { bundleWorker } from "../lib/run.ts";

const REQUESTS = Number(process.argv[2] ?? 1000);
const IMAGE = "test/fixtures/coffee.png";

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

const image = readFileSync(IMAGE);
const labeler = await startLabeler();
const row = (name: string, value: string) => console.log(`| ${name} | ${value} |`);
try {
  const label = async () => {
    const start = performance.now();
    const response = await fetch(`${labeler.url}/label`, { method: "POST", body: image });
    if (!response.ok) throw new Error(await response.text());
    await response.arrayBuffer();
    return performance.now() - start;
  };
  console.log(`| ${IMAGE}, one after the other | |\n|---|---|`);
  row("first request, cold", `${(await label()).toFixed(0)} ms`);
  for (let i = 1; i < 10; i++) await label();
  // wrangler runs two: a small one that passes requests on, and the one with the model.
  const [pid] = workerdProcesses().sort((a, b) => residentMB(b) - residentMB(a));
  const before = residentMB(pid);
  const cpu = cpuMs(pid);
  const times: number[] = [];
  for (let i = 10; i < REQUESTS; i++) times.push(await label());
  row("warm request, median", `${median(times).toFixed(1)} ms`);
  row("processor time of workerd a request", `${((cpuMs(pid) - cpu) / times.length).toFixed(1)} ms`);
  row("memory of workerd after 10 requests", `${before.toFixed(0)} MB`);
  row(`memory of workerd after ${REQUESTS} requests`, `${residentMB(pid).toFixed(0)} MB`);
} finally {
  await labeler.stop();
}

const folder = mkdtempSync(join(tmpdir(), "bundle-"));
try {
  bundleWorker(folder);
  let [raw, packed] = [0, 0];
  for (const file of readdirSync(folder).filter((name) => /\.(js|wasm)$/.test(name))) {
    const bytes = readFileSync(join(folder, file));
    raw += bytes.length;
    packed += gzipSync(bytes, { level: 9 }).length;
  }
  row("Worker: script and wasm", `${(raw / 1024).toFixed(0)} KB, ${(packed / 1024).toFixed(0)} KB with gzip`);
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(); // wrangler's worker leaves timers behind
