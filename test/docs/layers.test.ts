/** The check that imports run one way (scripts/verify/check/layers.ts). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { findUpwardImports } from "../../scripts/verify/check/layers.ts";

/** Writes files of a Worker, checks them, and removes them. */
function check(files: Readonly<Record<string, string>>): string[] {
  const worker = mkdtempSync(join(tmpdir(), "edge-labeler-layers-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(worker, name)), { recursive: true });
    writeFileSync(join(worker, name), text);
  }
  try {
    return findUpwardImports(worker);
  } finally {
    rmSync(worker, { recursive: true });
  }
}

it("takes imports from the own layer's folder and from below", () => {
  const files = {
    "routes/label.ts": 'import { a } from "../http/a.ts";\nimport { b } from "./b.ts";\n',
    "http/a.ts": 'import type { E } from "../errors.ts";\nimport { z } from "zod";\n',
  };
  expect(check(files)).toEqual([]);
});

it("names an import from above, of a type too, and one from a neighbour in the same layer", () => {
  const files = {
    "results/store.ts": 'import type { AppEnv } from "../http/app-env.ts";\n',
    "image/decode.ts": 'export const read = () => import("../tflite/graph.ts");\n',
  };
  expect(check(files).toSorted()).toEqual([
    expect.stringContaining("worker/image/decode.ts imports worker/tflite/graph.ts"),
    expect.stringContaining("worker/results/store.ts imports worker/http/app-env.ts"),
  ]);
});

it("names a folder that is in no layer", () => {
  expect(check({ "stuff/a.ts": "" })).toEqual([expect.stringContaining("worker/stuff/a.ts is in no layer")]);
});
