/** The result cache (worker/labeling/result-cache.ts), with the Cache API of the real runtime. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { expect, it } from "vitest";
import { cacheOriginOf } from "../../../worker/http/labeler.ts";
import { ResultCache } from "../../../worker/labeling/result-cache.ts";
import type { Labelled } from "../../../worker/labeling/types.ts";

const labelled = (label: string): Labelled => ({
  labels: [{ label, confidence: 0.5 }],
  missing: 0.25,
  warnings: 0,
  eighths: 8,
  model: "m",
  format: "png",
});

const ORIGIN = "https://labeler.example.org";

it("another isolate finds an answer in the Cache API under the same origin, and has it in memory then", async () => {
  const context = createExecutionContext();
  new ResultCache().keep("shared-key", labelled("cat"), (work) => context.waitUntil(work), ORIGIN);
  await waitOnExecutionContext(context);
  const other = new ResultCache();
  expect(await other.find("shared-key", "https://other.example.org")).toBeUndefined();
  expect(await other.find("shared-key", ORIGIN)).toEqual({ labelled: labelled("cat"), found: "cache-api" });
  expect(await other.find("shared-key", ORIGIN)).toEqual({ labelled: labelled("cat"), found: "memory" });
  expect(await other.find("no-key", ORIGIN)).toBeUndefined();
});

it("nothing is in the Cache API without an origin, as on workers.dev", async () => {
  expect(cacheOriginOf("https://edge-labeler.name.workers.dev/label")).toBeUndefined();
  expect(cacheOriginOf("https://labeler.example.org/label?top=1")).toBe(ORIGIN);
  const work: Promise<unknown>[] = [];
  new ResultCache().keep("alone-key", labelled("cat"), (put) => work.push(put));
  expect(work).toEqual([]);
  expect(await new ResultCache().find("alone-key")).toBeUndefined();
});

it("memory is bounded: what was asked for longest ago goes", async () => {
  const answers = new ResultCache(3 * 420);
  const keep = (key: string) => answers.keep(key, labelled(key), (work) => void work);
  for (const key of ["lru-a", "lru-b", "lru-c"]) keep(key);
  await answers.find("lru-a");
  keep("lru-d");
  const found = async (key: string) => (await answers.find(key, ORIGIN))?.found;
  expect(await found("lru-a")).toBe("memory");
  expect(await found("lru-c")).toBe("memory");
  expect(await found("lru-d")).toBe("memory");
  expect(await found("lru-b")).not.toBe("memory");
});

it("remembers large images by size and beginning, up to a limit", async () => {
  const cache = new ResultCache();
  const beginning = new Uint8Array([1, 2, 3]);
  expect(await cache.isRepeated(beginning, 1000)).toBe(false);
  expect(await cache.isRepeated(beginning, 1000)).toBe(true);
  expect(await cache.isRepeated(beginning, 1001)).toBe(false);
  expect(await cache.isRepeated(new Uint8Array([1, 2, 4]), 1000)).toBe(false);
  for (let size = 2000; size < 3000; size++) await cache.isRepeated(beginning, size);
  expect(await cache.isRepeated(beginning, 1000)).toBe(false);
});
