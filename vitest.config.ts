/** Two test projects: `unit` runs inside workerd, `blackbox` drives the product from outside with Node. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { prepare } from "./scripts/lib/prepare.ts";

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

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [
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
          }),
        ],
        test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000 },
      },
      {
        test: {
          name: "blackbox",
          include: ["test/{http,ekuiper,page,bench,docs}/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
