/** Models with a taught head for each region: which files are right, and in which classes a region is answered. */
import { describe, expect, it } from "vitest";
import { checkHeads, readDerived } from "../../../worker/model/derived.ts";
import { writeHead } from "../../../worker/teaching/head-file.ts";
import { teachHead } from "../../../worker/teaching/teach.ts";
import { lessonOf } from "../teaching/made-up.ts";

const regions = { left: "0,0,0.5,1", right: "0.5,0,1,1" };
const headOf = (labels: readonly string[]) =>
  writeHead(teachHead({ ...lessonOf(labels.map(() => 4)), labels: [...labels] }).head);
const FILES: Record<string, Uint8Array> = {
  "left.bin": headOf(["free", "taken"]),
  "right.bin": headOf(["open", "shut", "taken"]),
};

async function derived(json: object) {
  const text = JSON.stringify({ base: "base", regions, head: { left: "left.bin", right: "right.bin" }, ...json });
  const files: Record<string, Uint8Array> = { ...FILES, "model.json": new TextEncoder().encode(text) };
  const read = async (path: string) => files[path.replace("bays/", "")];
  const model = await readDerived("bays", read);
  if (model === undefined) throw new Error("it is not derived");
  return model;
}

async function labelsByRegion(json: object = {}) {
  const { heads, vocabulary } = await derived(json);
  const found = heads?.withVocabularies(vocabulary([]));
  return Object.fromEntries(
    [...(found ?? [])].map(([region, { vocabulary }]) => [region, { ...vocabulary, unknownBelow: undefined }]),
  );
}

describe("a head for each region", () => {
  it("has the classes of all heads, each once, and answers in those of its region", async () => {
    const { heads, vocabulary } = await derived({});
    expect(heads?.labels).toEqual(["free", "taken", "open", "shut"]);
    expect(vocabulary([]).labels).toEqual(["free", "taken", "open", "shut"]);
    expect(await labelsByRegion()).toMatchObject({
      left: { labels: ["free", "taken"], members: [[0], [1]] },
      right: { labels: ["taken", "open", "shut"], members: [[2], [0], [1]] },
    });
  });

  it("applies groups, only, not and min to the classes that a region has", async () => {
    const groups = { busy: ["taken", "shut"] };
    expect(await labelsByRegion({ groups, min: { busy: 0.3 } })).toMatchObject({
      left: { labels: ["busy", "free"], members: [[1], [0]], least: [0.3, 0] },
      right: { labels: ["busy", "open"], members: [[2, 1], [0]], least: [0.3, 0] },
    });
    expect(await labelsByRegion({ labels: ["frei", "belegt", "offen", "zu"], not: ["zu"] })).toMatchObject({
      left: { labels: ["frei", "belegt"] },
      right: { labels: ["belegt", "offen"] },
    });
  });

  it("may be the same file for several regions, which is read and counted once", async () => {
    const { heads } = await derived({ head: { left: "left.bin", right: "left.bin" } });
    const { heads: two } = await derived({});
    expect(heads?.all).toHaveLength(1);
    expect(two?.all).toHaveLength(2);
    expect(heads?.residentBytes).toBe(two?.all[0]?.residentBytes);
  });

  it.each([
    ["a region without one", { head: { left: "left.bin" } }, /head: the region "right" has none/],
    [
      "one of no region",
      { head: { left: "left.bin", right: "right.bin", top: "left.bin" } },
      /head: there is no region "top"/,
    ],
    ["none at all", { head: {} }, /head: the region "left" has none/],
    ["heads without regions", { regions: undefined }, /head: there is no region "left"/],
    ["a path", { head: { left: "../left.bin", right: "right.bin" } }, /model.json, head/],
    ["a list", { head: ["left.bin", "right.bin"] }, /model.json, head/],
    ["a name that is not of a region", { head: { "a b": "left.bin" } }, /model.json, head/],
    ["the prototype", JSON.parse('{"head":{"__proto__":"left.bin"}}'), /model.json, head/],
    ["a missing file", { head: { left: "no.bin", right: "right.bin" } }, /there is no no.bin beside it/],
    ["names that do not fit", { labels: ["a", "b", "c"] }, /there are 3 names for 4 classes/],
    ["a group of a class that there is not", { groups: { busy: ["used"] } }, /there is no label "used"/],
    ["a region without labels", { only: ["open"] }, /only and not leave no label for the region "left"/],
  ])("is refused: %s", async (_, json, reason) => {
    await expect(labelsByRegion(json as object)).rejects.toThrow(reason);
    await expect(labelsByRegion(json as object)).rejects.toMatchObject({ kind: "model-unusable" });
  });

  it("is refused where one of the heads was taught on another network", async () => {
    const model = await derived({});
    expect(() => checkHeads(model, "ab".repeat(32))).not.toThrow();
    expect(() => checkHeads(model, "cd".repeat(32))).toThrow(
      /was taught on base with the SHA-256 abab.*Teach it again/,
    );
  });
});
