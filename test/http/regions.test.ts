/** Crops: a rectangle, or named regions, in every protocol; and mistakes in them. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { runScript } from "../script.ts";
import { expectProblem, fixture, type Label, labelsOf, post } from "./client.ts";
import { addTiny } from "./tiny-model.ts";

const coffee = fixture("coffee.png");
const chelsea = fixture("chelsea.png");
const BASE = "mobilenet_v1_1.0_224";
const LEFT = [0, 0, 0.5, 1];
const MIDDLE = "0.25,0.1,0.75,0.9";

type ByRegion = { regions: Record<string, Label[]> };

const folder = mkdtempSync(join(tmpdir(), "regions-"));
let labeler: RunningLabeler;

function derive(name: string, spec: string): void {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "model.json"), spec);
}

const url = (path: string) => `${labeler.url}${path}`;
const json = async <T>(path: string, body: BodyInit = coffee, headers: Record<string, string> = {}): Promise<T> => {
  const response = await post(url(path), body, headers);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as T;
};
const ask = async (query: string) => labelsOf(await post(url(`/label?${query}`), coffee));

beforeAll(async () => {
  cpSync(join("model-assets", BASE), join(folder, BASE), { recursive: true });
  addTiny(folder, "tiny");
  derive("middle", `{"base":"${BASE}","crop":"${MIDDLE}"}`);
  derive("parking", `{"base":"${BASE}","regions":{"right":"0.5,0,1,1","2":${JSON.stringify(LEFT)},"10":[0,0,1,1]}}`);
  derive("one", `{"base":"${BASE}","regions":{"middle":"${MIDDLE}"}}`);
  derive("both", `{"base":"${BASE}","crop":"center","regions":{"a":"0,0,1,1"}}`);
  derive("none", `{"base":"${BASE}","regions":{}}`);
  derive("bad-name", `{"base":"${BASE}","regions":{"bay 1":"0,0,1,1"}}`);
  derive("inverted", `{"base":"${BASE}","regions":{"a":[0.5,0,0.4,1]}}`);
  derive(
    "many",
    JSON.stringify({
      base: "tiny",
      regions: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`r${i}`, "0,0,1,1"])),
    }),
  );
  labeler = await startWorkerd({ models: folder, settings: { DEFAULT_MODEL: BASE } });
});

afterAll(async () => {
  await labeler?.stop();
  rmSync(folder, { recursive: true });
});

describe("a rectangle as crop", () => {
  it("means the same in query, form, JSON, model.json and on the command line", async () => {
    const expected = await ask(`crop=${MIDDLE}`);
    expect(expected).not.toEqual(await ask("crop=squash"));
    expect(await ask("model=middle")).toEqual(expected);
    const form = new FormData();
    form.set("crop", MIDDLE);
    form.set("image", new Blob([coffee]));
    expect(await json("/label", form)).toEqual(expected);
    const image = Buffer.from(coffee).toString("base64");
    for (const crop of [MIDDLE, MIDDLE.split(",").map(Number)]) {
      expect(await json("/label", JSON.stringify({ image, crop }))).toEqual(expected);
    }
    const { results } = await json<{ results: Label[] }>("/ekuiper/labelImage", coffee, {
      "x-label-query": `crop=${MIDDLE}`,
    });
    expect(results).toEqual(expected);
    const { out } = await runScript("label", [
      "test/fixtures/coffee.png",
      "--url",
      labeler.url,
      "--crop",
      MIDDLE,
      "--json",
    ]);
    expect(JSON.parse(out)[0].labels).toEqual(expected.slice(0, 3));
  });

  it("is explained within it, in its own shape", async () => {
    const size = async (query: string) => {
      const response = await post(url(`/label?explain=1&${query}`), coffee, { accept: "image/png" });
      const view = new DataView(await response.arrayBuffer());
      return view.getUint32(16) / view.getUint32(20);
    };
    expect(await size("crop=squash")).toBeCloseTo(600 / 400, 1);
    expect(await size("crop=0,0,0.5,1")).toBeCloseTo(300 / 400, 1);
    expect(await size("model=parking&region=right")).toBeCloseTo(300 / 400, 1);
  });

  it.each(["0,0,1", "0.5,0,0.5,1", "0,0,1.5,1", "round", "a,b,c,d", ""])(
    "%j is refused with the form",
    async (crop) => {
      await expectProblem(
        await post(url(`/label?crop=${crop}`), coffee),
        400,
        "bad-parameter",
        /crop: must be squash, center, or a rectangle x0,y0,x1,y1/,
      );
    },
  );

  it("has cached results and tags of its own", async () => {
    const tagOf = async (query: string) => (await post(url(`/label?${query}`), coffee)).headers.get("etag");
    const tags = await Promise.all(
      [
        `crop=${MIDDLE}`,
        "crop=0.25,0.1,0.75,0.8",
        "crop=squash",
        "model=parking",
        "region=a:0,0,1,1",
        "region=b:0,0,1,1",
      ].map(tagOf),
    );
    expect(new Set(tags).size).toBe(tags.length);
    const again = await post(url(`/label?crop=${MIDDLE}`), coffee);
    expect(again.headers.get("cache-status")).toMatch(/hit/);
    const known = await post(url("/label?model=parking"), coffee, { "if-none-match": `${tags[3]}` });
    expect(known.status).toBe(304);
  });
});

describe("regions", () => {
  it("are each labelled as if they were the picture", async () => {
    const { regions } = await json<ByRegion>("/label?model=parking");
    expect(regions.right).toEqual(await ask("crop=0.5,0,1,1"));
    expect(regions["2"]).toEqual(await ask("crop=0,0,0.5,1"));
    expect(regions["10"]).toEqual(await ask("crop=squash"));
  });

  it("of a request are those that it names, with places of its own or the model's", async () => {
    const { regions } = await json<ByRegion>(`/label?model=parking&region=2&region=mine:${MIDDLE}`);
    expect(Object.keys(regions)).toEqual(["2", "mine"]);
    expect(regions.mine).toEqual(await ask(`crop=${MIDDLE}`));
    expect(await json("/label?region=a:0,0,1,1&top=1")).toEqual({ regions: { a: await ask("top=1") } });
    const form = new FormData();
    form.append("region", "a:0,0,1,1");
    form.append("region", "b:0,0,0.5,1");
    form.set("image", new Blob([coffee]));
    expect(Object.keys((await json<ByRegion>("/label", form)).regions)).toEqual(["a", "b"]);
    const image = Buffer.from(coffee).toString("base64");
    const body = JSON.stringify({ image, region: ["a:0,0,1,1", "b:0,0,0.5,1"] });
    expect(Object.keys((await json<ByRegion>("/label", body)).regions)).toEqual(["a", "b"]);
  });

  it("of several images are those of each", async () => {
    const form = new FormData();
    form.append("image", new Blob([coffee]), "coffee.png");
    form.append("image", new Blob([chelsea]), "chelsea.png");
    const answers = await json<(ByRegion & { name: string })[]>("/label?model=one&top=1", form);
    expect(answers.map(({ name, regions }) => [name, Object.keys(regions)])).toEqual([
      ["coffee.png", ["middle"]],
      ["chelsea.png", ["middle"]],
    ]);
    expect(answers[0].regions.middle).toEqual(await ask(`crop=${MIDDLE}&top=1`));
  });

  it("are a list in the order of model.json for labelImage, and fields for labelRegions", async () => {
    const { regions } = await json<ByRegion>("/label?model=parking");
    const reply = await json<Record<string, unknown>>("/ekuiper/labelImage?model=parking");
    const found = (name: string) => ({
      results: regions[name],
      label: regions[name][0].label,
      confidence: regions[name][0].confidence,
    });
    expect(reply).toEqual({
      results: [],
      label: "",
      confidence: 0,
      model: "parking",
      regions: ["right", "2", "10"].map((name) => ({ name, ...found(name) })),
    });
    expect((await json<Record<string, unknown>>("/ekuiper/labelRegions?model=parking")).regions).toEqual({
      right: found("right"),
      "2": found("2"),
      "10": found("10"),
    });
    const broken = await json<Record<string, unknown>>("/ekuiper/labelRegions?model=one", "no image at all");
    expect(broken).toMatchObject({ regions: { middle: { results: [], label: "", confidence: 0 } } });
    expect(broken.error).toMatch(/not an image/);
  });

  it("of a submitted image are in its result", async () => {
    expect((await post(url("/ekuiper/sink?model=parking&id=lot"), coffee)).status).toBe(204);
    const { regions } = await json<ByRegion>("/label?model=parking");
    const result = await (await fetch(url("/results/lot"))).json();
    expect(result).toMatchObject({ model: "parking", label: "", confidence: 0, results: [], regions });
    const plain = await post(url("/ekuiper/sink?id=plain"), coffee);
    expect(plain.status).toBe(204);
    expect(await (await fetch(url("/results/plain"))).json()).not.toHaveProperty("regions");
  });

  it("are listed with the model", async () => {
    expect(await (await fetch(url("/models/parking"))).json()).toMatchObject({
      base: BASE,
      regions: [
        { name: "right", crop: { x0: 0.5, y0: 0, x1: 1, y1: 1 } },
        { name: "2", crop: { x0: 0, y0: 0, x1: 0.5, y1: 1 } },
        { name: "10", crop: { x0: 0, y0: 0, x1: 1, y1: 1 } },
      ],
    });
  });

  it("are printed by npm run label, but as CSV one at a time", async () => {
    const run = (...args: string[]) => runScript("label", ["test/fixtures/coffee.png", "--url", labeler.url, ...args]);
    const { regions } = await json<ByRegion>("/label?model=parking&top=1");
    const { out } = await run("--model", "parking", "--top", "1");
    expect(out).toContain(`right: ${regions.right[0].label}`);
    expect(JSON.parse((await run("--model", "parking", "--top", "1", "--json")).out)[0]).toMatchObject({ regions });
    const refused = await run("--model", "parking", "--csv");
    expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(/--csv .*--region.*POST \/label/) });
    const one = await run("--model", "parking", "--csv", "--region", "right", "--top", "1");
    expect(one.out).toContain(regions.right[0].label);
  });
});

describe("a call with room for one answer", () => {
  const detail =
    /this call answers for one region, and there are 3\. Name one, such as region=right, or call POST \/label/;
  const calls: [string, string, Record<string, string>][] = [
    ["text", "/label?model=parking", { accept: "text/plain" }],
    ["explain", "/label?model=parking&explain=1", {}],
    ["Hugging Face", "/models/parking", {}],
    ["labelText", "/ekuiper/labelText?model=parking", {}],
  ];

  it.each(calls)("refuses several regions: %s", async (_, path, headers) => {
    const response = await post(url(path), coffee, headers);
    expect(response.status).toBe(400);
    const { detail: reason, error = reason } = (await response.json()) as { detail?: string; error?: string };
    expect(error).toMatch(detail);
  });

  it.each(calls)("takes one that is named: %s", async (_, path, headers) => {
    const region = `${path}${path.includes("?") ? "&" : "?"}region=right`;
    const [best] = await ask("crop=0.5,0,1,1&top=1");
    expect(await (await post(url(region), coffee, headers)).text()).toContain(best.label);
  });

  it("is the Open Inference Protocol, too", async () => {
    const data = [Buffer.from(coffee).toString("base64")];
    const body = JSON.stringify({ inputs: [{ name: "image", datatype: "BYTES", shape: [1], data }] });
    const refused = await post(url("/v2/models/parking/infer"), body);
    expect(refused.status).toBe(400);
    expect(((await refused.json()) as { error: string }).error).toMatch(detail);
    const { outputs } = await json<{ outputs: { name: string; data: unknown[] }[] }>(
      "/v2/models/parking/infer?region=right&top=1",
      body,
    );
    const [best] = await ask("crop=0.5,0,1,1&top=1");
    expect(outputs.find(({ name }) => name === "labels")?.data).toEqual([best.label]);
  });

  it("takes a model with one region as it is", async () => {
    const response = await post(url("/label?model=one"), coffee, { accept: "text/plain" });
    expect((await response.text()).trim()).toBe((await ask(`crop=${MIDDLE}`))[0].label);
  });
});

describe("a mistake in regions", () => {
  it.each([
    ["model=parking&region=righ", /has no region "righ"\. Did you mean right/],
    ["region=a", /has no regions, so that "a" needs a place: a:x0,y0,x1,y1/],
    ["region=a:0,0,1", /region\.0: must be NAME, or NAME:x0,y0,x1,y1/],
    ["region=a b:0,0,1,1", /a name has 1 to 64 letters/],
    ["region=a:0,0,1,1&region=a:0,0,1,1", /"a" is given twice/],
    ["model=parking&crop=center", /crop: is not for regions/],
    [Array.from({ length: 33 }, (_, i) => `region=r${i}:0,0,1,1`).join("&"), /33 regions; at most 32/],
  ])("%s is a 400 with the fix", async (query, detail) => {
    await expectProblem(await post(url(`/label?${query}`), coffee), 400, "bad-parameter", detail);
  });

  it.each([
    ["both", /crop: the model looks at its regions/],
    ["none", /regions: there are none/],
    ["bad-name", /regions/],
    ["inverted", /regions\.a: must be a rectangle/],
    ["many", /regions: there are 33; 32 are allowed/],
  ])("of the model.json of %s makes it unusable, with the field", async (name, detail) => {
    await expectProblem(await post(url(`/label?model=${name}`), coffee), 500, "model-unusable", detail);
  });
});
