/** POST /label with several images: one list of answers, each with its labels or its own error. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";
import { RUNTIMES } from "./runtimes.ts";

const coffee = fixture("coffee.png");
const rocket = fixture("rocket.jpg");
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const json = { "content-type": "application/json" };

const form = (...files: (readonly [name: string, bytes: Uint8Array<ArrayBuffer>])[]) => {
  const data = new FormData();
  for (const [name, bytes] of files) data.append("image", new Blob([bytes]), name);
  return data;
};

interface Answer {
  name?: string;
  labels?: { label: string; confidence: number }[];
  missing?: number;
  error?: { type: string; status: number; detail: string };
}

async function answersOf(response: Response): Promise<Answer[]> {
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as Answer[];
}

describe.each(RUNTIMES)("several images at once, on %s", (_, start) => {
  let labeler: RunningLabeler;
  let url: string;
  beforeAll(async () => {
    labeler = await start({ settings: { MAX_IMAGES: "4", MAX_FORM_BYTES: "3000000" } });
    url = `${labeler.url}/label`;
  });
  afterAll(() => labeler?.stop());

  it("the files of a form are labelled in their order, with their names, as each would be alone", async () => {
    const alone = await Promise.all([rocket, coffee].map(async (image) => labelsOf(await post(url, image))));
    const answers = await answersOf(await post(url, form(["rocket.jpg", rocket], ["coffee.png", coffee])));
    expect(answers).toEqual([
      { name: "rocket.jpg", labels: alone[0] },
      { name: "coffee.png", labels: alone[1] },
    ]);
  });

  it("one that cannot be read has its own error, and the others their labels", async () => {
    const answers = await answersOf(
      await post(
        url,
        form(
          ["a.png", coffee],
          ["b.txt", new TextEncoder().encode("hello")],
          ["c.png", new Uint8Array()],
          ["d", rocket],
        ),
      ),
    );
    expect(answers.map(({ name }) => name)).toEqual(["a.png", "b.txt", "c.png", "d"]);
    expect(answers[0].labels?.[0].label).toBe("968:espresso");
    expect(answers[1]).toEqual({
      name: "b.txt",
      error: {
        type: "urn:edge-labeler:problem:unsupported-image",
        title: expect.stringMatching(/\w/),
        status: 415,
        detail: expect.stringMatching(/begins with "hello"/),
      },
    });
    expect(answers[2].error).toMatchObject({ status: 400, detail: expect.stringMatching(/empty/) });
    expect(answers[3].labels?.length).toBe(5);
  });

  it("one whose file ends early says how much of it is missing", async () => {
    const [whole, cut] = await answersOf(
      await post(url, form(["whole", coffee], ["cut", coffee.subarray(0, 400_000)])),
    );
    expect(whole).not.toHaveProperty("missing");
    expect(cut.missing).toBeCloseTo(0.13, 1);
    expect(cut.labels?.[0].label).toBe("968:espresso");
  });

  it.each([
    ["a list in the field images", { images: [base64(rocket), base64(coffee)] }, [undefined, undefined]],
    ["a list alone", [base64(rocket), `data:image/png;base64,${base64(coffee)}`], [undefined, undefined]],
    ["with names", { images: [{ name: "r", image: base64(rocket) }, { image: base64(coffee) }] }, ["r", undefined]],
  ])("JSON: %s", async (_, body, names) => {
    const answers = await answersOf(await post(url, JSON.stringify(body), json));
    expect(answers.map(({ name }) => name)).toEqual(names);
    expect(answers[0].labels).toEqual(await labelsOf(await post(url, rocket)));
    expect(answers[1].labels).toEqual(await labelsOf(await post(url, coffee)));
  });

  it("a list of one is answered by a list of one, a form with one file as ever", async () => {
    const alone = await labelsOf(await post(url, rocket));
    expect(await answersOf(await post(url, JSON.stringify([base64(rocket)]), json))).toEqual([{ labels: alone }]);
    expect(await labelsOf(await post(url, form(["rocket.jpg", rocket])))).toEqual(alone);
  });

  it("base64 that is none is that image's error", async () => {
    const [bad, good] = await answersOf(await post(url, JSON.stringify(["no base64!", base64(rocket)]), json));
    expect(bad.error).toMatchObject({ status: 400, detail: expect.stringMatching(/neither base64/) });
    expect(good.labels?.length).toBe(5);
  });

  it("top, min and model hold for each", async () => {
    const two = form(["a", coffee], ["b", coffee]);
    const top = await answersOf(await post(`${url}?top=2&model=mobilenet_quant_v1_224`, two));
    expect(top.map(({ labels }) => labels?.length)).toEqual([2, 2]);
    expect(top[0].labels).toEqual(await labelsOf(await post(`${url}?top=2&model=mobilenet_quant_v1_224`, coffee)));
    expect((await answersOf(await post(`${url}?min=0.5`, two))).map(({ labels }) => labels?.length)).toEqual([1, 1]);
    expect((await answersOf(await post(`${url}?min=1`, two))).map(({ labels }) => labels)).toEqual([[], []]);
  });

  it("Accept: text/plain gives a line each, empty where there is none", async () => {
    const response = await post(url, form(["a", coffee], ["b", new Uint8Array(9)], ["c", coffee]), {
      accept: "text/plain",
    });
    expect(await response.text()).toBe("968:espresso\n\n968:espresso\n");
  });

  it("more than the limit are refused, and so is what is no list of images", async () => {
    const five = JSON.stringify(Array(5).fill(base64(rocket)));
    await expectProblem(await post(url, five, json), 413, "too-many-images", /5 images.*limit is 4.*MAX_IMAGES/);
    await expectProblem(await post(url, "[]", json), 400, "bad-body", /list of images is empty/);
    await expectProblem(await post(url, '{"images":[]}', json), 400, "bad-body", /list of images is empty/);
    await expectProblem(
      await post(url, "[1, 2]", json),
      400,
      "bad-body",
      /Image 1 of the list is neither base64 nor an object with "image"/,
    );
    const large = form(...Array.from({ length: 4 }, (_, i) => [`${i}`, new Uint8Array(800_000)] as const));
    await expectProblem(await post(url, large), 413, "body-too-large", /MAX_FORM_BYTES/);
    await expectProblem(
      await post(`${url}?model=resnet`, form(["a", coffee], ["b", coffee])),
      404,
      "unknown-model",
      /resnet/,
    );
  });

  it("eKuiper's calls take one, and say so in their answer", async () => {
    const response = await post(`${labeler.url}/ekuiper/labelImage`, form(["a", coffee], ["b", coffee]));
    expect(await response.json()).toMatchObject({ results: [], error: expect.stringMatching(/one image/) });
  });
});
