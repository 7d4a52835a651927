/**
 * `npm run budget`: measures the size of the Worker and the time of a fresh one to its first label; fails above the
 * budget. For CI.
 */
import { readFileSync } from "node:fs";
import { prepare } from "../build/prepare.ts";
import { CommandError, runCommand } from "../command-line/command.ts";
import { bundleSize } from "../labeler/run.ts";
import { startWorkerd } from "../labeler/workerd.ts";

/** Script and wasm with gzip, in bytes, without static files. */
const MAX_GZIP = 1 << 20;
/**
 * The limit for a fresh process, in ms: far above the usual time, so that a busy machine does not fail it, only a
 * blunder does.
 */
const MAX_FIRST_LABEL = 2000;

const usage = `npm run budget: measures the size of the Worker, and the time of a fresh one to its first label

Exits with 1 above ${MAX_GZIP >> 10} KB with gzip or ${MAX_FIRST_LABEL} ms.`;

await runCommand({ usage }, async () => {
  await prepare();
  const { raw, gzip } = bundleSize();
  const labeler = await startWorkerd({ settings: { LOG: "off" } });
  const image = readFileSync("test/fixtures/coffee.png");
  const begin = performance.now();
  const response = await fetch(`${labeler.url}/label`, { method: "POST", body: image });
  const text = await response.text();
  const first = performance.now() - begin;
  await labeler.stop();
  if (!response.ok) throw new CommandError(`The labeler answers ${response.status}: ${text}`, 1);
  const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(0)} KB`;
  console.log(`Worker: ${kilobytes(raw)}, ${kilobytes(gzip)} with gzip; ${kilobytes(MAX_GZIP)} are allowed.`);
  console.log(`First label of a fresh process: ${first.toFixed(0)} ms; ${MAX_FIRST_LABEL} ms are allowed.`);
  return gzip > MAX_GZIP || first > MAX_FIRST_LABEL ? 1 : 0;
});
