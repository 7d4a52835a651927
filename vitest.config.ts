/**
 * The test projects: `unit` runs inside workerd, in a few isolates that its files share; `isolated` has files that need
 * an isolate of their own; `blackbox` drives the product from outside with Node. Three files run at once, however many
 * cores there are: half of the time the black-box tests wait for programs that they have started.
 */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { prepare } from "./scripts/build/prepare.ts";
import { LongestFirst } from "./test/sequencer.ts";

await prepare();

/** A folder of this machine as a service that code in workerd can fetch from: `env.FIXTURES.fetch("http://x/coffee.png")`. */
const folder = (root: string | undefined) => async (request: { url: string }) => {
  if (root === undefined) return new Response("LABELER_REFERENCE is not set", { status: 404 });
  const path = join(root, decodeURIComponent(new URL(request.url).pathname));
  try {
    return new Response(await readFile(path));
  } catch (error) {
    return new Response(String(error), { status: 404 });
  }
};

const reference = process.env.LABELER_REFERENCE && resolve(process.env.LABELER_REFERENCE);

const insideWorkerd = () =>
  cloudflareTest({
    wrangler: { configPath: "./wrangler.toml" },
    miniflare: {
      bindings: {
        HAS_REFERENCE: reference !== undefined,
        BENCHMARK: process.env.LABELER_BENCHMARK !== undefined,
      },
      serviceBindings: {
        FIXTURES: folder(resolve("test/fixtures")),
        REFERENCE: folder(reference),
        MODELS: folder(resolve("model-assets")),
      },
    },
  });

/** They see what others leave in an isolate: memory that was used, results that were stored. */
const isolated = ["test/unit/image/memory.test.ts", "test/unit/former-release/client.test.ts"];

export default defineConfig({
  test: {
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: [insideWorkerd()],
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          exclude: isolated,
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        plugins: [insideWorkerd()],
        test: { name: "isolated", include: isolated, testTimeout: 60_000 },
      },
      {
        test: {
          name: "blackbox",
          include: ["test/{http,ekuiper,page,bench,docs,layouts,operations,scripts}/**/*.test.ts"],
          // Engines, brokers, browsers and two labelers share two processors: what fails once is tried once more, and said.
          retry: process.env.CI ? 1 : 0,
          testTimeout: 120_000,
          hookTimeout: 600_000,
          // A busy machine may take a while to get where a test waits for it.
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
