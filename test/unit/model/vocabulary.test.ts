/** From the scores of classes to the labels of model.json: groups, then only and not, then min, then top. */
import { describe, expect, it } from "vitest";
import { parseDerivedSpec } from "../../../worker/model/derived-spec.ts";
import { parseGroups } from "../../../worker/model/groups.ts";
import { rankLabels, scoresIn } from "../../../worker/model/scores.ts";
import { makeVocabulary, type VocabularyOptions } from "../../../worker/model/vocabulary.ts";

const CLASSES = ["1:tench", "2:goldfish", "152:Chihuahua", "153:Japanese spaniel", "409:analog clock"];
const SCORES = Float32Array.of(0.125, 0.0625, 0.25, 0.3125, 0.25);
const DOGS = new Map([["dog", ["152:Chihuahua", "153:Japanese spaniel"]]]);

function answer(options: VocabularyOptions, { top = 5, min = 0, scores = SCORES } = {}) {
  const vocabulary = makeVocabulary(CLASSES, options);
  return rankLabels(vocabulary, scoresIn(vocabulary, scores), top, min).map(({ label, confidence }) => [
    label,
    confidence,
  ]);
}

describe("the order of an answer", () => {
  it("sums the confidences of a group, and leaves labels without a group as they are", () => {
    expect(answer({ groups: DOGS })).toEqual([
      ["dog", 0.5625],
      ["409:analog clock", 0.25],
      ["1:tench", 0.125],
      ["2:goldfish", 0.0625],
    ]);
  });

  it("leaves labels out behind the groups, without scaling the others up", () => {
    expect(answer({ groups: DOGS, only: ["dog", "1:tench"] })).toEqual([
      ["dog", 0.5625],
      ["1:tench", 0.125],
    ]);
    expect(answer({ groups: DOGS, not: ["dog"] })[0]).toEqual(["409:analog clock", 0.25]);
    expect(answer({ only: ["1:tench", "2:goldfish"], not: ["1:tench"] })).toEqual([["2:goldfish", 0.0625]]);
  });

  it("asks each label for its own least confidence, and a request can only ask for more", () => {
    const options = { groups: DOGS, min: { dog: 0.6, "1:tench": 0.1 } };
    expect(answer(options).map(([label]) => label)).toEqual(["409:analog clock", "1:tench", "2:goldfish"]);
    expect(answer(options, { min: 0.11 }).map(([label]) => label)).toEqual(["409:analog clock", "1:tench"]);
    expect(answer({ min: 0.25 }, { min: 0.1 }).length).toBe(3);
  });

  it("counts the labels that pass, not those that the least confidence took away", () => {
    expect(answer({ min: { "153:Japanese spaniel": 0.9 } }, { top: 1 })).toEqual([["152:Chihuahua", 0.25]]);
  });

  it("says unknown by the scores of the classes, not by those of their groups", () => {
    expect(answer({ groups: DOGS, unknown: 0.3125 })[0]).toEqual(["dog", 0.5625]);
    expect(answer({ groups: DOGS, unknown: 0.32 }, { min: 0.9 })).toEqual([["unknown", 0.6875]]);
  });

  it("never sums to more than 1", () => {
    const scores = Float32Array.of(0, 0, 0.7, 0.30001, 0);
    expect(answer({ groups: DOGS }, { scores })[0]).toEqual(["dog", 1]);
  });
});

describe("a name that there is not", () => {
  it.each<[VocabularyOptions, RegExp]>([
    [{ only: ["Chihuahua"] }, /only: there is no label "Chihuahua"\. Did you mean "152:Chihuahua"/],
    [{ not: ["2:goldfisch"] }, /not: there is no label "2:goldfisch"\. Did you mean "2:goldfish"/],
    [{ min: { dog: 0.5 } }, /min: there is no label "dog"/],
    [{ groups: new Map([["fish", ["3:shark"]]]) }, /groups, fish: there is no label "3:shark"/],
    [{ groups: DOGS, only: ["152:Chihuahua"] }, /only: "152:Chihuahua" is in the group "dog"/],
    [{ groups: DOGS, min: { dgo: 0.5 } }, /Did you mean "dog"/],
  ])("%j is refused with the nearest ones", (options, message) => {
    expect(() => makeVocabulary(CLASSES, options)).toThrow(message);
  });
});

describe("a vocabulary that has two meanings", () => {
  it.each<[string, VocabularyOptions, RegExp]>([
    ["a label of two groups", { groups: new Map([...DOGS, ["pet", ["152:Chihuahua"]]]) }, /in the group "dog", too/],
    ["a label twice in a group", { groups: new Map([["a", ["1:tench", "1:tench"]]]) }, /is there twice/],
    [
      "a group named as another label",
      { groups: new Map([["1:tench", ["2:goldfish"]]]) },
      /name of a label that is not/,
    ],
    ["no label left", { only: ["1:tench"], not: ["1:tench"] }, /no label is left/],
  ])("%s is refused", (_, options, message) => {
    expect(() => makeVocabulary(CLASSES, options)).toThrow(message);
  });

  it("refuses unknown for a model that has a class of this name", () => {
    expect(() => makeVocabulary(["unknown", "known"], { unknown: 0.5 })).toThrow(/two meanings/);
  });
});

describe("groups.txt", () => {
  it("has groups in brackets and labels below them", () => {
    const groups = parseGroups(
      "\ufeff# animals\r\n[dog]\r\n152:Chihuahua\r\n\r\n[fish]\n1:tench\n2:goldfish\n",
      "g.txt",
    );
    expect([...groups]).toEqual([
      ["dog", ["152:Chihuahua"]],
      ["fish", ["1:tench", "2:goldfish"]],
    ]);
  });

  it.each([
    ["1:tench\n", /g\.txt, line 1: a label stands before the first \[group\]/],
    ["[a]\n1:tench\n[a]\n", /line 3: the group "a" is there twice/],
    ["[a]\n[b]\nx\n", /the group "a" has no labels/],
    ["# nothing\n", /there are no groups/],
    ["[unknown]\nx\n", /line 1: "unknown" is reserved/],
    [`[${"x".repeat(129)}]\nx\n`, /129 characters; 128 are allowed/],
    ["[a\u0007b]\nx\n", /control character/],
    ["[]\nx\n", /a name is empty/],
  ])("%j is refused with the line", (text, message) => {
    expect(() => parseGroups(text, "g.txt")).toThrow(message);
  });
});

describe("the model.json of a derived model", () => {
  it("names a base; without one it stands beside a model.tflite", () => {
    expect(parseDerivedSpec('{"base":"a"}')).toEqual({ base: "a" });
    expect(parseDerivedSpec('{"crop":"center"}')).toBeUndefined();
    expect(() => parseDerivedSpec('{"only":["x"]}')).toThrow(/only: is for models that derive.*"base"/);
  });

  it.each([
    ['{"base":"../a"}', /base: must be the name of a model/],
    ['{"base":7}', /base/],
    ['{"base":"a","head":"../../secret"}', /head: must be the name of a file/],
    ['{"base":"a","groups":"/etc/passwd"}', /groups: .*must be the name of a file/],
    ['{"base":"a","groups":".env"}', /groups/],
    ['{"base":"a","only":[]}', /only: must have at least 1/],
    ['{"base":"a","only":["unknown"]}', /only\.0: "unknown" is reserved/],
    ['{"base":"a","labels":["x","a\\u0000b"]}', /labels\.1: a name has a control character/],
    ['{"base":"a","min":1.5}', /min: .*between 0 and 1/],
    ['{"base":"a","unknown":-1}', /unknown: must be between 0 and 1/],
    ['{"base":"a","min":{"x":2}}', /min/],
    ['{"base":"a","input":{"mean":0,"std":1}}', /there is no field input/],
    ['{"base":"a"', /not JSON/],
  ])("%s is refused with the field", (text, message) => {
    expect(() => parseDerivedSpec(text)).toThrow(message);
  });
});
