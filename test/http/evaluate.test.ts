/** `npm run evaluate` as a user runs it: a few pictures of known class, in folders and by their names. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labelsOfModel } from "../../scripts/build/model-index.ts";
import { Classes, classNamesOf, readSynsets } from "../../scripts/user/evaluate/classes.ts";
import { agreementOf, figuresOf, passes } from "../../scripts/user/evaluate/figures.ts";
import { runScript } from "../script.ts";

const root = mkdtempSync(join(tmpdir(), "evaluate-"));
const put = (picture: string, ...path: string[]) => {
  mkdirSync(join(root, ...path.slice(0, -1)), { recursive: true });
  cpSync(join("test/fixtures", picture), join(root, ...path));
};

beforeAll(() => {
  // As golden.json has MobileNet's top-1 labels: espresso, tripod, Egyptian cat, lakeside; the last is wrong on purpose.
  put("coffee.png", "good", "n07920052_espresso", "deeper", "cup.png");
  put("camera.png", "good", "tripod_1.png");
  put("chelsea.png", "good", "286", "cat.png");
  put("china.jpg", "good", "palace", "china.jpg");
  put("coffee.png", "strange", "968", "cup.png");
  put("coffee.png", "strange", "tea house", "cup.png");
  mkdirSync(join(root, "strange", "espresso"));
  writeFileSync(join(root, "strange", "espresso", "broken.png"), "no picture");
  put("coffee.png", "none", "tea house", "cup.png");
});
afterAll(() => rmSync(root, { recursive: true }));

const evaluate = (...args: string[]) => runScript("evaluate", args);
const V1 = ["--model", "mobilenet_v1_1.0_224", "--crop", "squash"];

describe("npm run evaluate", () => {
  it("prints how often each precision is right and agrees with exact", async () => {
    const { code, out, err } = await evaluate(join(root, "good"), ...V1);
    expect(err).toBe("");
    expect(code).toBe(0);
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => line.split("|").map((cell) => cell.trim()));
    expect(rows).toHaveLength(4);
    // camera.png 0.99, chelsea.png 0.87 and coffee.png 0.99 are above 0.5, china.jpg is just below; palace is among the five.
    expect(rows[2]?.slice(1, 7)).toEqual(["mobilenet_v1_1.0_224", "exact", "squash", "4", "75.0 %", "100.0 %"]);
    expect(rows[3]?.slice(1, 10)).toEqual(
      ["mobilenet_v1_1.0_224", "fast", "squash", "4", "75.0 %", "100.0 %"].concat(["100.0 %", "3 of 3", "yes"]),
    );
  });

  it("goes on behind images of no class and broken ones, names them, and ends with 1", async () => {
    const { code, out } = await evaluate(join(root, "strange"), ...V1, "--precision", "exact", "--json");
    expect(code).toBe(1);
    const { results, failed } = JSON.parse(out);
    expect(results).toMatchObject([{ precision: "exact", crop: "squash", images: 1, top1: 1, top5: 1 }]);
    expect(failed).toMatchObject([
      { file: join(root, "strange/tea house/cup.png"), error: expect.stringMatching(/No label.*"tea house"/) },
      { file: join(root, "strange/espresso/broken.png"), error: expect.stringMatching(/not/i) },
    ]);
  });

  it.each([
    ["no folder", [], /Name a folder/],
    ["a folder that is not there", ["no-such-folder"], /neither a file nor a folder/],
    [
      "no model of that name",
      [join(root, "good"), "--model", "none"],
      /no model "none"\. There are: efficientnet_lite0/,
    ],
    ["no image of a class", [join(root, "none")], /nothing to evaluate: No label.*"tea house"/],
    ["no such precision", [join(root, "good"), ...V1, "--precision", "quantised"], /nothing to evaluate.*precision/],
    ["no such crop", [join(root, "good"), "--model", "mobilenet_v1_1.0_224", "--crop", "middle"], /--crop middle/],
  ])("%s is said, with 2 as the end", async (_, args, message) => {
    const { code, out, err } = await evaluate(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });
});

describe("the class of an image", () => {
  it("is seen from its folder, else from its name", () => {
    expect(classNamesOf("/a", "/a/rose/deep/1.jpg")).toEqual(["rose"]);
    expect(classNamesOf("/a", "/a/rose_12.jpg")).toEqual(["rose_12", "rose"]);
    expect(classNamesOf("/a", "/a/tea rose (3).jpg")).toEqual(["tea rose (3)", "tea rose"]);
    expect(classNamesOf("/a", "/a/85.jpg")).toEqual(["85"]);
  });

  it("is found by synset, number, label, and any of its names", async () => {
    const synsets = await readSynsets();
    expect(synsets.size).toBe(1000);
    for (const name of ["mobilenet_v1_1.0_224", "efficientnet_lite0"]) {
      const classes = new Classes(await labelsOfModel("model-assets", name), synsets);
      for (const known of ["n01806143", "n01806143_peacock", "85", "85:peacock", "Peacock"]) {
        expect(classes.labelOf([known])).toBe("85:peacock");
      }
      expect(classes.labelOf(["n02012849_crane"])).toBe("135:crane");
      expect(classes.labelOf(["n03126707"])).toBe("518:crane");
      expect(classes.labelOf(["german-shepherd"])).toMatch(/^236:/);
      expect(classes.labelOf(["cardigan_7", "cardigan"])).toBe("475:cardigan");
      expect(() => classes.labelOf(["crane"])).toThrow(/"135:crane" or "518:crane"/);
    }
    const flowers = new Classes(["tulip", "rose, garden rose"], synsets);
    expect(flowers.labelOf(["1"])).toBe("rose, garden rose");
    expect(flowers.labelOf(["garden_rose"])).toBe("rose, garden rose");
    expect(() => flowers.labelOf(["n01806143"])).toThrow(/No label/);
  });
});

describe("the figures", () => {
  const answer = (...labels: string[]) => ({
    file: "",
    labels: labels.map((label, i) => ({ label, confidence: i === 0 ? 0.6 : 0.1 })),
  });
  const truths = ["a", "a", "a", "a"];
  const exact = {
    truths,
    seconds: 2,
    answers: [answer("a"), answer("b", "a"), answer("b"), { file: "", error: "broken" }],
  };

  it("count what was labelled", () => {
    expect(figuresOf(exact)).toEqual({ images: 3, top1: 1, top5: 2, imagesPerSecond: 2 });
  });

  it("let no other label pass where exact is sure, and one of a hundred where it is not", () => {
    const of = (count: number, label: string, confidence: number) =>
      Array.from({ length: count }, () => ({ file: "", labels: [{ label, confidence }] }));
    const run = (...parts: ReturnType<typeof of>[]) => ({
      truths: Array(100).fill("a"),
      answers: parts.flat(),
      seconds: 1,
    });
    const judge = (reference: ReturnType<typeof run>, other: ReturnType<typeof run>) =>
      passes(figuresOf(other), figuresOf(reference), agreementOf(other, reference));
    const unsure = run(of(100, "a", 0.4));
    const sure = run(of(100, "a", 0.6));
    expect(judge(unsure, unsure)).toBe(true);
    expect(judge(unsure, run(of(99, "a", 0.4), of(1, "b", 0.4)))).toBe(true);
    expect(judge(unsure, run(of(98, "a", 0.4), of(2, "b", 0.4)))).toBe(false);
    expect(judge(sure, run(of(99, "a", 0.4), of(1, "b", 0.4)))).toBe(false);
    expect(judge(run(), run())).toBe(false);
  });
});
