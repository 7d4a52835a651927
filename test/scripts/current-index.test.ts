import { cp, mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { indexModels } from "../../scripts/build/model-index.ts";
import { ensureIndex } from "../../scripts/labeler/current-index.ts";

let folder: string;
let models: string;
let indexed: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "edge-labeler-index-"));
  models = join(folder, "models");
  indexed = 0;
  await mkdir(models);
  await cp("model-assets/mobilenet_quant_v1_224", join(models, "one"), { recursive: true });
});

afterEach(() => rm(folder, { recursive: true }));

/** @returns The names of the models in the index. */
async function ensured(): Promise<string[]> {
  await ensureIndex(models, join(folder, "notes"), async (root) => {
    indexed++;
    return indexModels(root);
  });
  const index = JSON.parse(await readFile(join(models, "index.json"), "utf8")) as { models: { name: string }[] };
  return index.models.map(({ name }) => name);
}

test("models that have not changed are not indexed again", async () => {
  expect(await ensured()).toEqual(["one"]);
  expect(await ensured()).toEqual(["one"]);
  expect(indexed).toBe(1);
});

test("a model that was added, changed or removed is indexed", async () => {
  await ensured();
  await cp(join(models, "one"), join(models, "two"), { recursive: true });
  expect(await ensured()).toEqual(["one", "two"]);
  await writeFile(join(models, "two", "labels.txt"), "too few");
  await ensured();
  expect(await readFile(join(models, "index.json"), "utf8")).toContain('"error"');
  await rm(join(models, "two"), { recursive: true });
  expect(await ensured()).toEqual(["one"]);
  expect(indexed).toBe(4);
});

test("an index that was removed or changed is written again", async () => {
  await ensured();
  await rm(join(models, "index.json"));
  expect(await ensured()).toEqual(["one"]);
  await writeFile(join(models, "index.json"), '{"models":[]}');
  expect(await ensured()).toEqual(["one"]);
});

test("a change that keeps size and time of a file is found, once the files were not read any more", async () => {
  const labels = join(models, "one", "labels.txt");
  await ensured();
  await wait(2100); // Until then, the contents are compared.
  await ensured();
  const note = JSON.parse(await readFile(join(folder, "notes", "index.json"), "utf8")) as { inodes?: string };
  expect(note.inodes).toContain("one/labels.txt");
  const { atime, mtime } = await stat(labels);
  const text = await readFile(labels, "utf8");
  await writeFile(labels, text.replace("background", "BACKGROUND"));
  await utimes(labels, atime, mtime);
  expect((await stat(labels)).size).toBe(text.length);
  await ensured();
  expect(indexed).toBe(2);
});
