/** The models that a package includes, in the folder of a user. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { includeModels, recordIncluded } from "../../scripts/labeler/included-models.ts";

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "edge-labeler-included-"));
  folder = join(parent, "own");
});
afterEach(() => rmSync(parent, { recursive: true }));

const write = (root: string, model: string, contents: string) => {
  mkdirSync(join(root, model), { recursive: true });
  writeFileSync(join(root, model, "model.tflite"), contents);
};
const read = (model: string) => readFileSync(join(folder, model, "model.tflite"), "utf8");

/** A release of the package with these models. */
function release(version: string, models: Readonly<Record<string, string>>): void {
  const included = join(parent, version);
  for (const [model, contents] of Object.entries(models)) write(included, model, contents);
  recordIncluded(included);
  includeModels(included, folder);
}

it("are copied once", () => {
  release("1", { a: "a1", b: "b1" });
  expect([read("a"), read("b")]).toEqual(["a1", "b1"]);
});

it("are updated by a later package unless the user has changed them", () => {
  release("1", { a: "a1", b: "b1" });
  write(folder, "b", "mine");
  release("2", { a: "a2", b: "b2", c: "c2" });
  expect([read("a"), read("b"), read("c")]).toEqual(["a2", "mine", "c2"]);
});

it("stay removed, also after an update", () => {
  release("1", { a: "a1", b: "b1" });
  rmSync(join(folder, "a"), { recursive: true });
  release("1", { a: "a1", b: "b1" });
  release("2", { a: "a2", b: "b1" });
  expect(existsSync(join(folder, "a"))).toBe(false);
});

it("do not replace a model of the same name that the user had before", () => {
  write(folder, "a", "mine");
  release("1", { a: "a1" });
  expect(read("a")).toBe("mine");
  release("2", { a: "a2" });
  expect(read("a")).toBe("mine");
});
