/** Derived models in every protocol, in the list of models and on the command line. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { indexModels } from "../../scripts/build/model-index.ts";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { runScript } from "../script.ts";
import { expectProblem, fixture, type Label, labelsOf, post } from "./client.ts";
import { addTiny } from "./tiny-model.ts";

const coffee = fixture("coffee.png");
const BASE = "mobilenet_v1_1.0_224";
const drinks = { drink: ["968:espresso", "969:cup", "970:eggnog"], ware: ["505:coffee mug", "810:soup bowl"] };

const folder = mkdtempSync(join(tmpdir(), "derived-"));

function derive(name: string, spec: unknown, files: Record<string, string> = {}): void {
  mkdirSync(join(folder, name));
  const json = typeof spec === "string" ? spec : JSON.stringify(spec);
  writeFileSync(join(folder, name, "model.json"), json);
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, name, path), text);
}

let labeler: RunningLabeler;
const ask = async (query: string) => labelsOf(await post(`${labeler.url}/label?${query}`, coffee));

beforeAll(async () => {
  cpSync(join("model-assets", BASE), join(folder, BASE), { recursive: true });
  addTiny(folder, "tiny");
  derive("drinks", { base: BASE, description: "What is in the cup", groups: drinks });
  derive("only-drinks", { base: BASE, groups: drinks, only: ["drink"], min: 0.2, crop: "center" });
  derive("filed", { base: BASE, groups: "mine.txt", not: ["0:background"] }, { "mine.txt": "[drink]\n968:espresso\n" });
  derive("unsure", { base: BASE, unknown: 1 });
  derive("colours", { base: "tiny" }, { "labels.txt": "rouge\nvert\nbleu\ngris\n" });
  derive("exact", { base: BASE, precision: "exact" });
  derive("broken", { base: "bad-network" });
  addTiny(folder, "bad-network", { file: "README.md" });
  derive("missing", { base: "mobilenet_v1_1.0_22" });
  derive("chain", { base: "drinks" });
  derive("self", { base: "self" });
  derive("a", { base: "b" });
  derive("b", { base: "a" });
  derive("both", { base: BASE });
  cpSync(join(folder, "tiny", "model.tflite"), join(folder, "both", "model.tflite"));
  derive("lonely", { only: ["red"] });
  derive("no-file", { base: BASE, groups: "none.txt" });
  derive("three", { base: "tiny", labels: ["x", "y", "z"] });
  derive("twice", { base: "tiny", labels: ["x", "y", "x", "z"] });
  derive("other-file", { base: BASE, sha256: "0".repeat(64) });
  derive("head", { base: BASE, head: "head.bin" });
  derive("not-json", "{");
  derive("a list", []);
  labeler = await startWorkerd({ models: folder, settings: { DEFAULT_MODEL: BASE } });
});

afterAll(async () => {
  await labeler?.stop();
  rmSync(folder, { recursive: true });
});

describe("the answer of a derived model", () => {
  it("is the sum of what its base says of a group's labels", async () => {
    const plain = await ask(`model=${BASE}&top=1001`);
    const of = (label: string) => plain.find((one) => one.label === label)?.confidence ?? Number.NaN;
    const [best, second] = await ask("model=drinks&top=2");
    expect(best).toEqual({
      label: "drink",
      confidence: expect.closeTo(of("968:espresso") + of("969:cup") + of("970:eggnog"), 6),
    });
    expect(second.label).not.toMatch(/espresso|cup|eggnog/);
    expect(await ask(`model=only-drinks&top=9&crop=squash`)).toEqual([best]);
    expect((await ask("model=filed&top=1"))[0]).toEqual({ label: "drink", confidence: of("968:espresso") });
    expect(await ask("model=unsure")).toEqual([
      { label: "unknown", confidence: expect.closeTo(1 - of("968:espresso"), 6) },
    ]);
  });

  it("crops as its own model.json says, and else as its base", async () => {
    const sum = (labels: Label[], names: readonly string[]) =>
      labels.filter(({ label }) => names.includes(label)).reduce((total, { confidence }) => total + confidence, 0);
    const centered = await ask(`model=${BASE}&crop=center&top=1001`);
    expect((await ask("model=only-drinks"))[0].confidence).toBeCloseTo(sum(centered, drinks.drink), 6);
  });

  it("is the same by every protocol", async () => {
    const [best] = await ask("model=drinks&top=1");
    const text = await post(`${labeler.url}/label?model=drinks`, coffee, { accept: "text/plain" });
    expect((await text.text()).trim()).toBe("drink");
    expect(await (await post(`${labeler.url}/ekuiper/labelImage?model=drinks`, coffee)).json()).toMatchObject({
      ...best,
      model: "drinks",
    });
    expect((await (await post(`${labeler.url}/models/drinks`, coffee)).json())[0]).toEqual({
      label: best.label,
      score: best.confidence,
    });
    const body = JSON.stringify({
      inputs: [{ name: "image", datatype: "BYTES", shape: [1], data: [Buffer.from(coffee).toString("base64")] }],
    });
    const infer = async (model: string) => {
      const response = await post(`${labeler.url}/v2/models/${model}/infer?top=2`, body);
      const { outputs } = (await response.json()) as { outputs: { name: string; shape: number[]; data: unknown[] }[] };
      return Object.fromEntries(outputs.map(({ name, ...output }) => [name, output]));
    };
    const { labels, confidences, probabilities } = await infer("drinks");
    expect(labels.data[0]).toBe("drink");
    expect(confidences.data[0]).toBeCloseTo(best.confidence, 6);
    expect(probabilities.shape).toEqual([1, 998]);
    expect(probabilities.data[0]).toBeCloseTo(best.confidence, 6);
    expect((await infer("unsure")).labels.data).toEqual(["unknown", ""]);
    expect(await (await fetch(`${labeler.url}/v2/models/drinks`)).json()).toMatchObject({
      outputs: expect.arrayContaining([{ name: "probabilities", datatype: "FP32", shape: [-1, 998] }]),
    });
  });

  it("explains a group by its likeliest label, and says why unknown has no map", async () => {
    const picture = async (model: string) =>
      new Uint8Array(
        await (
          await post(`${labeler.url}/label?model=${model}&explain=1`, coffee, { accept: "image/png" })
        ).arrayBuffer(),
      );
    expect(await picture("drinks")).toEqual(await picture(BASE));
    const unknown = await post(`${labeler.url}/label?model=unsure&explain=1`, coffee);
    await expectProblem(unknown, 422, "no-explanation", /The image is unknown/);
  });

  it("has a tag of its own, for the cache and the client", async () => {
    const tags = ["drinks", "filed", BASE, "exact"].map(async (model) =>
      (await post(`${labeler.url}/label?model=${model}`, coffee)).headers.get("etag"),
    );
    expect(new Set(await Promise.all(tags)).size).toBe(4);
  });

  it("has names of its own for the classes", async () => {
    const labels = (await ask("model=colours&top=4")).map(({ label }) => label);
    expect(labels.sort()).toEqual(["bleu", "gris", "rouge", "vert"]);
  });
});

describe("a list of models", () => {
  it("has derived ones with their base, and what they answer and compute", async () => {
    const response = await fetch(`${labeler.url}/models/drinks`);
    const network = await (await fetch(`${labeler.url}/models/${BASE}`)).json();
    const model = (await response.json()) as Record<string, unknown>;
    expect(model).toMatchObject({ base: BASE, description: "What is in the cup", classes: 998, precision: "fast" });
    for (const field of ["input", "engine", "sha256", "memory", "precisions"])
      expect(model[field]).toEqual(network[field]);
    expect(model.licence).toBe("Apache-2.0");
    const { out } = await runScript("model", ["list", "--models", folder]);
    expect(out).toMatch(new RegExp(`drinks +as ${BASE} +224×224 rgb float32 -1…1 +998 +exact, fast`));
  });

  it("gives another version where any file of the model or of its base has changed", async () => {
    const versionOf = async (name: string) => (await indexModels(folder)).find((entry) => entry.name === name)?.version;
    const before = [await versionOf("filed"), await versionOf("drinks")];
    writeFileSync(join(folder, "filed", "mine.txt"), "[drink]\n968:espresso\n969:cup\n");
    expect(await versionOf("filed")).not.toBe(before[0]);
    const spec = join(folder, BASE, "model.json");
    const text = readFileSync(spec, "utf8");
    writeFileSync(spec, `${text} `);
    expect(await versionOf("drinks")).not.toBe(before[1]);
    writeFileSync(spec, text);
    expect(await versionOf("drinks")).toBe(before[1]);
  });
});

describe("a derived model that cannot be used", () => {
  it.each([
    ["broken", /base: the model "bad-network" cannot be used: .*not a TensorFlow Lite file/],
    ["missing", /base: there is no model "mobilenet_v1_1\.0_22"\. Did you mean "mobilenet_v1_1\.0_224"/],
    ["chain", /base: "drinks" derives from "mobilenet_v1_1\.0_224" itself.*Name "mobilenet_v1_1\.0_224"/],
    ["self", /base: "self" is this model itself/],
    ["a", /base: "b" names this model as its base in turn/],
    ["both", /model\.json names a base, and there is a model\.tflite beside it/],
    ["lonely", /only: is for models that derive from another one/],
    ["no-file", /groups: there is no none\.txt beside it, and none in mobilenet_v1_1\.0_224/],
    ["three", /labels: there are 3 names for 4 classes/],
    ["twice", /labels: two classes have the name "x"/],
    ["other-file", /sha256: the model\.tflite of mobilenet_v1_1\.0_224 has a6e60eb9/],
    ["head", /head: there is no head\.bin beside it/],
    ["not-json", /model\.json is not JSON/],
  ])("%s says why in the list and in an answer", async (name, reason) => {
    const entry = (await indexModels(folder)).find((one) => one.name === name);
    expect(entry?.error).toMatch(reason);
    expect(entry?.error).toContain(join(folder, name));
    await expectProblem(await post(`${labeler.url}/label?model=${name}`, coffee), 500, "model-unusable", reason);
  });
});

describe("npm run evaluate", () => {
  const photos = mkdtempSync(join(tmpdir(), "derived-photos-"));
  beforeAll(() => {
    for (const [name, photo] of [
      ["espresso", "coffee.png"],
      ["Egyptian cat", "chelsea.png"],
    ]) {
      mkdirSync(join(photos, name));
      cpSync(join("test/fixtures", photo), join(photos, name, photo));
    }
  });
  afterAll(() => rmSync(photos, { recursive: true }));
  const evaluate = (model: string) => runScript("evaluate", [photos, "--models", folder, "--model", model, "--json"]);

  it("counts the group of a class as right, and names the classes that a model does not answer", async () => {
    const { results } = JSON.parse((await evaluate("drinks")).out) as { results: { images: number; top1: number }[] };
    expect(results[0]).toMatchObject({ images: 2, top1: 2 });
    const { out, code } = await evaluate("only-drinks");
    expect(code).toBe(1);
    const only = JSON.parse(out) as { results: { images: number }[]; failed: { error: string }[] };
    expect(only.results[0].images).toBe(1);
    expect(only.failed.map(({ error }) => error)).toEqual([
      expect.stringMatching(/The model does not answer with "286:Egyptian cat"/),
    ]);
  });
});

describe("npm run model", () => {
  const models = ["--models", folder];
  const spec = join(folder, "..", "hot.json");
  afterAll(() => rmSync(spec, { force: true }));

  it("adds a derived model from its model.json, checks it by an image, and removes the base last", async () => {
    writeFileSync(spec, JSON.stringify({ base: "tiny", groups: "groups.txt" }));
    const groups = join(folder, "..", "hot-groups.txt");
    writeFileSync(groups, "[hot]\nred\n");
    const added = await runScript("model", ["add", spec, "--groups", groups, ...models]);
    rmSync(groups);
    expect(added.out).toMatch(/hot +as tiny/);
    expect((await runScript("model", ["check", "hot", ...models])).out).toContain("hot: can be used");
    const refused = await runScript("model", ["remove", "tiny", ...models]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/hot.* derive from tiny\. Remove/) });
    expect((await runScript("model", ["remove", "hot", ...models])).code).toBe(0);
    expect(existsSync(join(folder, "hot"))).toBe(false);
  });

  it("leaves nothing of one that cannot be used", async () => {
    writeFileSync(spec, JSON.stringify({ base: "none" }));
    const refused = await runScript("model", ["add", spec, ...models]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/there is no model "none"/) });
    expect(existsSync(join(folder, "hot"))).toBe(false);
  });
});
