/**
 * What a response states about its image besides the labels: the scale at which it was decoded, how much of it is
 * missing, whether it is damaged. In headers of every protocol, and in `error` if eKuiper asks.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { fixture, labelsOf, post, referenceFolder } from "./client.ts";

const MODEL = "mobilenet_v1_1.0_224";
const FAST = "mobilenet_quant_v1_224";
const EOI = Buffer.from([0xff, 0xd9]);
const rocket = fixture("rocket.jpg");
/** 1920 × 1281, progressive. */
const large = fixture("formats/large-progressive.jpg");
const concat = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const half = rocket.slice(0, rocket.length / 2);
/** Cut, and closed as if it were whole: libjpeg warns of what it makes up. */
const closed = concat(half, EOI);
/** A stretch in the middle is gone, as a lost packet leaves it. */
const torn = concat(rocket.slice(0, 40_000), rocket.slice(41_460));

let labeler: RunningLabeler;
let url: string;
beforeAll(async () => {
  labeler = await startWorkerd();
  url = labeler.url;
});
afterAll(() => labeler?.stop());

const notesOf = ({ headers }: Response) => ({
  missing: headers.get("x-image-missing"),
  warnings: headers.get("x-image-warnings"),
  scale: headers.get("x-image-scale"),
});
const NONE = { missing: null, warnings: null, scale: null };

describe("the scale of a JPEG", () => {
  const scaleOf = async (query: string, body: Uint8Array<ArrayBuffer> = large) => {
    const response = await post(`${url}/label?${query}`, body);
    const labels = await labelsOf(response);
    return { scale: notesOf(response).scale, labels };
  };

  it("is 1/2 with auto and whole with full, whatever the precision", async () => {
    for (const precision of ["exact", "fast"]) {
      const auto = await scaleOf(`precision=${precision}&scale=auto`);
      const full = await scaleOf(`precision=${precision}&scale=full`);
      expect([auto.scale, full.scale], precision).toEqual(["1/2", null]);
      expect(auto.labels, precision).not.toEqual(full.labels);
    }
    const quantised = await scaleOf(`model=${FAST}&scale=full`);
    expect(quantised.scale).toBeNull();
  });

  it("is full by default with exact, and auto otherwise", async () => {
    expect((await scaleOf("precision=exact")).scale).toBeNull();
    expect(await scaleOf("precision=exact")).toEqual(await scaleOf("precision=exact&scale=full"));
    expect((await scaleOf("precision=fast")).scale).toBe("1/2");
    expect((await scaleOf(`model=${FAST}`)).scale).toBe("1/2");
  });

  it("does not concern a small JPEG, nor a PNG", async () => {
    expect((await scaleOf("scale=auto", fixture("chelsea.png"))).scale).toBeNull();
    expect((await scaleOf("scale=auto", fixture("grace_hopper.jpg"))).scale).toBeNull();
  });

  it.runIf(referenceFolder)("is smaller even with full where memory forbids it, and the answer says so", async () => {
    const progressive = new Uint8Array(readFileSync(join(referenceFolder ?? "", "corpus/large/24mp_prog.jpg")));
    const { scale, labels } = await scaleOf("precision=exact&scale=full", progressive);
    expect(scale).toMatch(/^1\/[248]$/);
    expect(labels).toHaveLength(5);
    const baseline = new Uint8Array(readFileSync(join(referenceFolder ?? "", "corpus/large/24mp_base.jpg")));
    expect((await scaleOf("precision=exact", baseline)).scale).toBeNull();
  });

  it("is one of two words", async () => {
    const response = await post(`${url}/label?scale=half`, rocket);
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(/scale: .*auto.*full/);
  });
});

/** Each way to send an image, and get its labels back. */
const protocols: Readonly<Record<string, (image: Uint8Array<ArrayBuffer>) => Promise<Response>>> = {
  raw: (image) => post(`${url}/label`, image),
  JSON: (image) => post(`${url}/label`, JSON.stringify({ image: base64(image) })),
  "a form": (image) => {
    const form = new FormData();
    form.append("image", new Blob([image]), "a.jpg");
    return post(`${url}/label`, form);
  },
  "explained, as a picture": (image) => post(`${url}/label?explain=1`, image, { accept: "image/png" }),
  "Hugging Face": (image) => post(`${url}/models/${MODEL}`, image),
  "Open Inference": (image) => {
    const input = { name: "image", datatype: "BYTES", shape: [1], data: [base64(image)] };
    return post(`${url}/v2/models/${MODEL}/infer`, JSON.stringify({ inputs: [input] }));
  },
};

describe.each(Object.entries(protocols))("%s", (_, send) => {
  it("says nothing of a whole image", async () => {
    const response = await send(rocket);
    expect(response.status).toBe(200);
    expect(notesOf(response)).toEqual(NONE);
  });

  it("says how much is missing, and that a file is damaged", async () => {
    const cut = notesOf(await send(half));
    expect(Number(cut.missing)).toBeGreaterThan(0.2);
    expect(cut.warnings).toBeNull();
    expect(notesOf(await send(closed))).toEqual({ ...cut, warnings: "1" });
    const lost = notesOf(await send(torn));
    expect(Number(lost.missing ?? 0) + Number(lost.warnings ?? 0)).toBeGreaterThan(0);
  });

  it("says at which scale a large JPEG was decoded", async () => {
    expect(notesOf(await send(large)).scale).toBe("1/2");
  });
});

it("several images say it each for itself, and not in headers", async () => {
  const response = await post(
    `${url}/label`,
    JSON.stringify({ images: [base64(rocket), base64(half), base64(closed)] }),
  );
  expect(notesOf(response)).toEqual(NONE);
  const [whole, cut, damaged] = (await response.json()) as Record<string, unknown>[];
  expect(whole).not.toHaveProperty("missing");
  expect(cut).toMatchObject({ missing: expect.any(Number), labels: expect.any(Array) });
  expect(damaged).toMatchObject({ missing: cut?.missing, warnings: 1 });
  const tensors = { name: "image", datatype: "BYTES", shape: [2], data: [base64(half), base64(rocket)] };
  const inferred = await post(`${url}/v2/models/${MODEL}/infer`, JSON.stringify({ inputs: [tensors] }));
  expect(inferred.status).toBe(200);
  expect(notesOf(inferred)).toEqual(NONE);
});

describe("eKuiper's answer", () => {
  const ask = async (image: Uint8Array<ArrayBuffer>) =>
    (await (await post(`${url}/ekuiper/labelImage`, image)).json()) as Record<string, unknown>;

  it("has an error beside the label of a file that is not whole or is damaged, and none otherwise", async () => {
    expect(await ask(rocket)).not.toHaveProperty("error");
    const label = expect.stringMatching(/^\d+:/);
    expect(await ask(half)).toMatchObject({
      label,
      error: expect.stringMatching(/ends early: \d+ % of it is not there/),
    });
    expect(await ask(torn)).toMatchObject({ label, error: expect.stringMatching(/ends early|is damaged in/) });
  });

  it("is stored with the label", async () => {
    expect((await post(`${url}/ekuiper/sink?id=half`, half)).status).toBe(204);
    const stored = await (await fetch(`${url}/results/half`)).json();
    expect(stored).toMatchObject({ label: expect.stringMatching(/^\d+:/), error: expect.stringMatching(/ends early/) });
  });
});

describe("parts of an MJPEG stream", () => {
  const headers = `Content-Type: image/jpeg\r\nContent-Length: ${rocket.length}\r\n\r\n`;
  it.each([
    ["with its boundary and headers", Buffer.from(`--frame\r\n${headers}`)],
    ["with its headers", Buffer.from(headers)],
    ["behind blank lines", Buffer.from("\r\n\r\n")],
    ["behind its length in four bytes", Buffer.from(new Uint32Array([rocket.length]).buffer)],
  ])("%s", async (_, before) => {
    const part = concat(before, rocket);
    const expected = await labelsOf(await post(`${url}/label`, rocket));
    const response = await post(`${url}/label`, part);
    expect(notesOf(response)).toEqual(NONE);
    expect(await labelsOf(response)).toEqual(expected);
    const stored = await (await post(`${url}/ekuiper/labelImage`, part)).json();
    expect(stored).toMatchObject({ label: expected[0]?.label });
    expect(stored).not.toHaveProperty("error");
  });
});

describe("a slash at the end of the address", () => {
  it.each([
    ["/label/", rocket],
    [`/models/${FAST}/`, rocket],
    ["/ekuiper/labelImage/", rocket],
    ["/v2/repository/index/", new Uint8Array()],
  ])("of %s is the same route", async (path, body) => {
    const [slashed, plain] = await Promise.all([post(url + path, body), post(url + path.slice(0, -1), body)]);
    expect(slashed.status).toBe(200);
    expect(await slashed.json()).toEqual(await plain.json());
  });

  it.each(["/models/", "/healthz/", "/results/", "/openapi.json/", "/v2/"])(
    "of GET %s is the same route",
    async (path) => {
      const [slashed, plain] = await Promise.all([fetch(url + path), fetch(url + path.slice(0, -1))]);
      expect(slashed.status).toBe(200);
      expect(await slashed.text()).toEqual(await plain.text());
    },
  );
});

describe("/v2/repository/index", () => {
  it("lists the models as Triton does, with an empty body, with {}, and those that are ready", async () => {
    const model = { name: MODEL, version: "1", state: "READY", reason: "" };
    for (const body of ["", "{}", '{"ready":true}']) {
      const response = await post(`${url}/v2/repository/index`, body);
      expect(response.status, body).toBe(200);
      expect(await response.json(), body).toContainEqual(model);
    }
  });
});

describe.runIf(referenceFolder)("a whole photo", () => {
  it.each(["images", "imagenet-sample"])("of %s gives no note", async (folder) => {
    const root = join(referenceFolder ?? "", folder);
    const names = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.(jpe?g|png|webp|gif|bmp)$/i.test(name),
    );
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      const image = new Uint8Array(readFileSync(join(root, name)));
      const response = await post(`${url}/label?model=${FAST}&scale=full`, image);
      expect(response.status, name).toBe(200);
      expect(notesOf(response), name).toEqual(NONE);
      const row = await (await post(`${url}/ekuiper/labelImage?model=${FAST}`, image)).json();
      expect(row, name).not.toHaveProperty("error");
    }
  });
});
