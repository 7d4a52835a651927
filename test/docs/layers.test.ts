/** The check that imports run one way (scripts/verify/check/layers.ts). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { findUpwardImports, TREES } from "../../scripts/verify/check/layers.ts";

/** Writes files of a repository, checks them, and removes them. */
function check(files: Readonly<Record<string, string>>): string[] {
  const repository = mkdtempSync(join(tmpdir(), "edge-labeler-layers-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, name)), { recursive: true });
    writeFileSync(join(repository, name), text);
  }
  try {
    return TREES.flatMap((tree) => findUpwardImports(repository, tree));
  } finally {
    rmSync(repository, { recursive: true });
  }
}

it("takes imports from the own layer's folder and from below", () => {
  const files = {
    "worker/routes/label.ts": 'import { a } from "../http/a.ts";\nimport { b } from "./b.ts";\n',
    "worker/http/a.ts": 'import type { E } from "../errors.ts";\nimport { z } from "zod";\n',
  };
  expect(check(files)).toEqual([]);
});

it("names an import from above, of a type too, and one from a neighbour in the same layer", () => {
  const files = {
    "worker/results/store.ts": 'import type { AppEnv } from "../http/app-env.ts";\n',
    "worker/image/decode.ts": 'export const read = () => import("../tflite/graph.ts");\n',
  };
  expect(check(files).toSorted()).toEqual([
    expect.stringContaining("worker/image/decode.ts imports worker/tflite/graph.ts"),
    expect.stringContaining("worker/results/store.ts imports worker/http/app-env.ts"),
  ]);
});

it("names what scripts share and imports from a command", () => {
  const files = { "scripts/labeler/run.ts": 'import { options } from "../user/serve/options.ts";\n' };
  expect(check(files)).toEqual([
    expect.stringContaining("scripts/labeler/run.ts imports scripts/user/serve/options.ts"),
  ]);
});

it("names a folder that is in no layer", () => {
  expect(check({ "worker/stuff/a.ts": "" })).toEqual([expect.stringContaining("worker/stuff/a.ts is in no layer")]);
});
