/**
 * Damaged images from outside: mutations of all test pictures from a fixed seed. FUZZ_CASES and FUZZ_SEED change their
 * number and the seed: FUZZ_CASES=100000 npm test -- test/http/fuzz.test.ts
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { Inspector } from "../../scripts/measure/isolate-memory.ts";
import { mulberry32 } from "../../scripts/measure/mulberry32.ts";
import { amount } from "../amount.ts";
import { fixture, labelsOf, post, referenceFolder } from "./client.ts";
import { mutate } from "./mutate.ts";
import { tinyModels } from "./tiny-model.ts";

const CASES = Number(process.env.FUZZ_CASES ?? amount(2000, 500));
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const AT_ONCE = 4;
/** For each, with others waiting before it. Generous, since the machine may be busy: a decoding that hangs would never end. */
const MILLISECONDS = 10_000;

/** A generator of integers below `n` that the seed determines. */
function random(seed: number): (n: number) => number {
  const next = mulberry32(seed);
  return (n) => next() % n;
}

function pictures(): Uint8Array[] {
  const folders = [join("test/fixtures/resize"), join("test/fixtures")];
  if (referenceFolder) folders.push(join(referenceFolder, "corpus/variants"), join(referenceFolder, "corpus/pngsuite"));
  return folders.flatMap((folder) => {
    const names = readdirSync(folder).filter((name) => /\.(jpe?g|png|webp|gif|bmp)$/.test(name));
    return names.map((name) => new Uint8Array(readFileSync(join(folder, name))));
  });
}

const models = tinyModels();
let labeler: RunningWorkerd;
let inspector: Inspector;
beforeAll(async () => {
  labeler = await startWorkerd({ models, settings: { DEFAULT_MODEL: "tiny" } });
  inspector = await Inspector.open(labeler.inspector);
});
afterAll(async () => {
  inspector?.close();
  await labeler?.stop();
  rmSync(models, { recursive: true });
});

const isolateMB = async () => {
  const { heap, wasm } = await inspector.memory();
  return heap + wasm;
};

it(`${CASES} damaged images (seed ${SEED}) get a label or a 4xx in time, and leave nothing behind`, async () => {
  const below = random(SEED);
  const originals = pictures();
  const url = `${labeler.url}/label`;
  const good = fixture("coffee.png");
  const statuses = new Map<number, number>();
  let slowest = 0;
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < CASES; n = next++) {
      const image = mutate(originals[below(originals.length)], below);
      const start = performance.now();
      const response = await post(url, image);
      const text = await response.text();
      const milliseconds = performance.now() - start;
      const detail = `case ${n}: ${response.status} ${text} after ${milliseconds} ms`;
      expect(response.status === 200 || (response.status >= 400 && response.status < 500), detail).toBe(true);
      expect(milliseconds, detail).toBeLessThan(MILLISECONDS);
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      slowest = Math.max(slowest, milliseconds);
    }
  };
  await labelsOf(await post(url, good));
  const before = await isolateMB();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const after = await isolateMB();
  expect((await labelsOf(await post(url, good))).length).toBe(4);
  const counts = JSON.stringify(Object.fromEntries(statuses));
  console.log(`${counts}, slowest ${slowest.toFixed(0)} ms, isolate ${before.toFixed(1)} → ${after.toFixed(1)} MB`);
  // Up to eight small instances and a large one of the codecs may have come into being.
  expect(after).toBeLessThan(128);
  expect(after - before).toBeLessThan(8 * 4 + 40);
}, 600_000);
