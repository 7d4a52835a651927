/** POST /label from outside: every form of body and every parameter. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningLabeler, startLabeler } from "../../scripts/labeler/labeler.ts";
import { expectProblem, fixture, type Label, labelsOf, post } from "./client.ts";

let labeler: RunningLabeler;
let url: string;
beforeAll(async () => {
  labeler = await startLabeler();
  url = `${labeler.url}/label`;
});
afterAll(() => labeler?.stop());

const coffee = fixture("coffee.png");
const base64 = Buffer.from(coffee).toString("base64");
const ESPRESSO = "968:espresso";
const best = async (response: Promise<Response>) => (await labelsOf(await response))[0]?.label;

describe.each([
  ["mobilenet_v1_1.0_224", "golden.json"],
  ["efficientnet_lite0", "efficientnet_lite0.json"],
])("the fixtures against native TensorFlow Lite and Pillow, %s", (model, file) => {
  const golden = JSON.parse(Buffer.from(fixture(file)).toString()) as Record<string, Label[]>;
  const names = Object.keys(golden);
  const asked = `precision=exact&model=${model}`;

  it("covers every picture", () => expect(names.length).toBe(6));

  it.each(names.filter((name) => name.endsWith(".png")))("%s has the golden five labels within 1e-5", async (name) => {
    const labels = await labelsOf(await post(`${url}?${asked}`, fixture(name)));
    expect(labels.map(({ label }) => label)).toEqual(golden[name].map(({ label }) => label));
    for (const [i, { confidence }] of labels.entries()) {
      expect(Math.abs(confidence - golden[name][i].confidence)).toBeLessThan(1e-5);
    }
  });

  it.each(names.filter((name) => name.endsWith(".jpg")))("%s has the golden top-1 label", async (name) => {
    expect(await best(post(`${url}?${asked}`, fixture(name)))).toBe(golden[name][0].label);
  });
});

describe("the image may come", () => {
  it("as it is", async () => {
    expect(await best(post(url, coffee, { "content-type": "image/png" }))).toBe(ESPRESSO);
  });

  it("with the Content-Type of curl --data-binary, which calls it a form", async () => {
    expect(await best(post(url, coffee, { "content-type": "application/x-www-form-urlencoded" }))).toBe(ESPRESSO);
  });

  it("without a Content-Type", async () => {
    expect(await best(post(url, coffee, { "content-type": "" }))).toBe(ESPRESSO);
  });

  it("in chunks, without a Content-Length", async () => {
    const chunked = fetch(url, { method: "POST", body: new Blob([coffee]).stream(), duplex: "half" } as RequestInit);
    expect(await best(chunked)).toBe(ESPRESSO);
  });

  it("as the file of a form, after other fields", async () => {
    const form = new FormData();
    form.set("top", "3");
    form.set("photo", new Blob([coffee]), "coffee.png");
    expect(await best(post(url, form))).toBe(ESPRESSO);
  });

  it.each([
    ["base64 in the field image", JSON.stringify({ image: base64 })],
    ["a data URL in the field image", JSON.stringify({ image: `data:image/png;base64,${base64}` })],
    ["a string of base64", JSON.stringify(base64)],
    ["base64 broken into lines", JSON.stringify({ image: base64.replace(/.{76}/g, "$&\n") })],
  ])("in JSON, as %s", async (_, body) => {
    expect(await best(post(url, body, { "content-type": "application/json" }))).toBe(ESPRESSO);
  });

  it("in JSON with the Content-Type of curl -d", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect(await best(post(url, JSON.stringify({ image: base64 }), form))).toBe(ESPRESSO);
  });
});

describe("a body that holds no image is refused with a way out:", () => {
  it.each([
    ["nothing at all", "", {}, /empty.*--data-binary @photo\.jpg/],
    ["JSON of another shape", '{"picture":"AAAA"}', {}, /"image"/],
    ["JSON with more fields", `{"image":"AAAA","tops":3}`, {}, /no field "tops"; do you mean "top"\?.*"image"/],
    ["broken JSON", '{"image":', {}, /not valid JSON: Unexpected end.*Send \{"image"/],
    ["JSON with no base64", '{"image":"not base64!"}', {}, /neither base64/],
    ["an empty image", '{"image":""}', {}, /empty/],
    ["a form without a boundary", "--x", { "content-type": "multipart/form-data" }, /does not name its boundary/],
  ])("%s", async (_, body, headers, detail) => {
    await expectProblem(await post(url, body, headers as Record<string, string>), 400, "bad-body", detail);
  });

  it("a form without a file", async () => {
    const form = new FormData();
    form.set("image", "a text");
    await expectProblem(
      await post(url, form),
      400,
      "bad-body",
      /"image" of the form is the text "a text", and not a file/,
    );
  });
});

describe("parameters", () => {
  it("top says how many labels, five if absent", async () => {
    expect((await labelsOf(await post(url, coffee))).length).toBe(5);
    expect((await labelsOf(await post(`${url}?top=1`, coffee))).length).toBe(1);
    expect((await labelsOf(await post(`${url}?top=5000`, coffee))).length).toBe(1001);
  });

  it("labels come best first", async () => {
    const confidences = (await labelsOf(await post(`${url}?top=1001`, coffee))).map(({ confidence }) => confidence);
    expect(confidences).toEqual(confidences.toSorted((a, b) => b - a));
    expect(confidences.reduce((sum, confidence) => sum + confidence, 0)).toBeCloseTo(1, 4);
  });

  it("min leaves out what is less sure, decimals and 0 included", async () => {
    expect((await labelsOf(await post(`${url}?min=0`, coffee))).length).toBe(5);
    expect((await labelsOf(await post(`${url}?min=0.5`, coffee))).map(({ label }) => label)).toEqual([ESPRESSO]);
    expect((await labelsOf(await post(`${url}?min=0.002`, coffee))).length).toBe(2);
    expect(await labelsOf(await post(`${url}?min=1`, coffee))).toEqual([]);
  });

  it("model chooses one of /models", async () => {
    expect(await best(post(`${url}?model=mobilenet_quant_v1_224`, coffee))).toBe(ESPRESSO);
  });

  it("crop=center looks at the middle of the image alone", async () => {
    const [whole, middle] = await Promise.all(
      ["squash", "center"].map(async (crop) => labelsOf(await post(`${url}?crop=${crop}`, coffee))),
    );
    expect(middle[0].label).toBe(ESPRESSO);
    expect(middle[0].confidence).not.toBe(whole[0].confidence);
  });

  it("Accept: text/plain gives the top-1 label alone", async () => {
    const response = await post(url, coffee, { accept: "text/plain" });
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(await response.text()).toBe(ESPRESSO);
  });

  it.each([
    ["top=0", /top: must be at least 1/],
    ["top=-1", /top: must be a number/],
    ["top=2.5", /top: must be a whole number/],
    ["top=many", /top: must be a number/],
    ["top=", /top: must be a number/],
    ["min=1.5", /min: must be between 0 and 1/],
    ["min=-0.1", /min: must be a number/],
    ["crop=middle", /crop: must be squash, center, or a rectangle x0,y0,x1,y1/],
    ["precision=double", /precision: must be exact, fast or quantised/],
    ["exif=rotate", /exif: must be apply or ignore/],
    ["top=0&min=2&crop=x", /top: must be at least 1; min: must be between 0 and 1; crop: must be/],
    ["topp=3", /no parameter topp.*top, min, model/],
    ["__proto__=1", /no parameter __proto__.*top, min, model/],
    ["a=1&b=1&c=1&d=1&e=1", /no parameter a, b, c and 2 more\./],
    ["top=1&top=2", /top is given 2 times/],
  ])("?%s is refused", async (query, detail) => {
    await expectProblem(await post(`${url}?${query}`, coffee), 400, "bad-parameter", detail);
  });

  it("an unknown model is a 404 that names those there are", async () => {
    await expectProblem(
      await post(`${url}?model=resnet`, coffee),
      404,
      "unknown-model",
      /"resnet".*mobilenet_v1_1\.0_224/,
    );
  });
});
