/** The configuration of wrangler is read by wrangler once in each state. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { readConfiguration } from "../../scripts/labeler/declared.ts";

const reads = vi.hoisted(() => ({ count: 0 }));
vi.mock("wrangler", async (importOriginal) => {
  const { unstable_readConfig } = await importOriginal<typeof import("wrangler")>();
  const counted: typeof unstable_readConfig = (...args) => {
    reads.count++;
    return unstable_readConfig(...args);
  };
  return { unstable_readConfig: counted };
});

const folder = mkdtempSync(join(tmpdir(), "declared-"));
const config = join(folder, "wrangler.toml");
afterAll(() => rmSync(folder, { recursive: true }));

/** @param date Differs from run to run, so that none is in the cache. */
const toml = (date: string, period: number) => `name = "x"
main = "index.js"
compatibility_date = "${date}"
vars = { RUN = "${folder}" }
[dev]
ip = "0.0.0.0"
[[ratelimits]]
name = "RATE_LIMITER"
namespace_id = "1"
simple = { limit = 5, period = ${period} }
[env.other]
vars = { OTHER = 1 }
`;

it("reads a file again when it has changed, or for another environment, and else remembers it", async () => {
  writeFileSync(config, toml("2026-01-01", 10));
  const first = await readConfiguration({ config });
  expect(first).toMatchObject({
    compatibilityDate: "2026-01-01",
    vars: { RUN: folder },
    dev: { ip: "0.0.0.0" },
    rateLimiterPeriod: 10,
  });
  expect(await readConfiguration({ config })).toEqual(JSON.parse(JSON.stringify(first)));
  expect(reads.count).toBe(1);
  expect(await readConfiguration({ config, env: "other" })).toMatchObject({ vars: { OTHER: 1 } });
  writeFileSync(config, toml("2026-01-01", 60));
  expect(await readConfiguration({ config })).toMatchObject({ rateLimiterPeriod: 60 });
  expect(reads.count).toBe(3);
});

it("lets wrangler say that there is no such file", async () => {
  await expect(readConfiguration({ config: join(folder, "none.toml") })).rejects.toThrow(/none\.toml/);
});
