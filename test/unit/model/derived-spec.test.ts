/** Hostile model.json of derived models: each is refused with the field and a reason, and none takes long. */
import { describe, expect, it } from "vitest";
import { LabelerError } from "../../../worker/errors.ts";
import { parseDerivedSpec } from "../../../worker/model/derived-spec.ts";
import { makeVocabulary } from "../../../worker/model/vocabulary.ts";

const CLASSES = ["red", "green", "blue", "grey"];
const with_ = (field: string, json: string) => `{"base":"tiny","${field}":${json}}`;
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const many = (count: number, entry: (i: number) => string) => Array.from({ length: count }, (_, i) => entry(i)).join();

/** As the index reads it, up to the vocabulary of its labels. */
function read(text: string): unknown {
  const spec = parseDerivedSpec(text);
  const { groups, ...rest } = spec ?? {};
  const inline = typeof groups === "object" ? new Map(Object.entries(groups)) : undefined;
  return spec && makeVocabulary(CLASSES, { ...rest, groups: inline });
}

describe("a hostile model.json", () => {
  it.each([
    ["a base that is a path", '{"base":"../tiny"}'],
    ["a base that is an object", '{"base":{"toString":"tiny"}}'],
    ["a field that there is not", with_("exec", '"rm"')],
    ["a field with the name of the prototype", with_("__proto__", '{"head":"x"}')],
    ["a head outside of the folder", with_("head", '"/etc/passwd"')],
    ["a head that goes up", with_("head", '".."')],
    ["a head in another folder", with_("head", '"a\\\\b"')],
    ["groups outside of the folder", with_("groups", '"../../groups.txt"')],
    ["groups of what is no list", with_("groups", '{"a":{"length":4}}')],
    ["deep nesting", with_("groups", nested(5000))],
    ["a region of the prototype's name that is no rectangle", with_("regions", '{"__proto__":[0,0,2,1]}')],
    ["regions without end", with_("regions", `{${many(2000, (i) => `"r${i}":[0,0,1,1]`)}}`)],
    ["a rectangle of infinity", with_("regions", '{"a":[0,0,1e999,1]}')],
    ["a rectangle of texts", with_("regions", '{"a":["0","0","1","1"]}')],
    ["a rectangle with a long tail", with_("crop", `"0,0,1,${"1".repeat(100_000)}"`)],
    ["a minimum of a label that there is not", with_("min", '{"constructor":0.5}')],
    ["a minimum that is no number", with_("min", '{"red":"0"}')],
    ["a threshold beyond 1", with_("unknown", "1e308")],
    ["a label with a line feed", with_("labels", '["a\\nb"]')],
    ["a label that is reserved", with_("labels", '["unknown"]')],
    ["a label of a megabyte", with_("labels", `["${"x".repeat(1 << 20)}"]`)],
    ["labels in `only` without end", with_("only", `[${many(20_000, (i) => `"label ${i}"`)}]`)],
    ["half of it", '{"base":"tiny","head"'],
    ["no object", '"base"'],
  ])("is refused: %s", (_, text) => {
    const start = performance.now();
    let refusal: unknown;
    try {
      // A text without a base is that of another kind of model.
      if (read(text) === undefined) refusal = new LabelerError("model-unusable", "model.json names no base");
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(LabelerError);
    expect(refusal).toMatchObject({ kind: "model-unusable", message: expect.stringMatching(/^model\.json/) });
    expect((refusal as Error).message.length).toBeLessThan(2000);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("has no effect by names of the prototype, and changes nothing that other objects inherit", () => {
    const plain = read('{"base":"tiny"}');
    expect(read(with_("min", '{"__proto__":{"polluted":1}}'))).toMatchObject({ labels: CLASSES });
    expect(read(with_("groups", '{"__proto__":["red"]}'))).toMatchObject({ labels: CLASSES });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(read('{"base":"tiny"}')).toEqual(plain);
  });
});
