/**
 * Requests as real clients send them: forms, JSON as eKuiper's sink and others write it, base64 and compressed bodies,
 * and the mistakes of a first call. What can be labelled gets the labels of the same image sent raw.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { Inspector } from "../../scripts/measure/isolate-memory.ts";
import { residentMB } from "../../scripts/system/processes.ts";
import { expectProblem, fixture, type Label, labelsOf, post } from "./client.ts";

const MODEL = "mobilenet_v1_1.0_224";
/** Larger than what is read whole, and smaller. */
const coffee = fixture("coffee.png");
const rocket = fixture("rocket.jpg");
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const json = { "content-type": "application/json" };

let labeler: RunningWorkerd;
let url: string;
let espresso: Label[];
let missile: Label[];
let folder: string;
beforeAll(async () => {
  labeler = await startWorkerd({ settings: { MAX_FORM_BYTES: "3000000", MAX_BODY_BYTES: "20000000" } });
  url = `${labeler.url}/label`;
  espresso = await labelsOf(await post(url, coffee));
  missile = await labelsOf(await post(url, rocket));
  folder = mkdtempSync(join(tmpdir(), "labeler-wild-"));
  writeFileSync(join(folder, "coffee.png"), coffee);
  writeFileSync(join(folder, "rocket.jpg"), rocket);
});
afterAll(async () => {
  await labeler?.stop();
  rmSync(folder, { recursive: true });
});

it("covers images on both sides of what is read whole", () => {
  expect(coffee.length).toBeGreaterThan(300_000);
  expect(rocket.length).toBeLessThan(200_000);
});

type Part = string | readonly [name: string, bytes: Uint8Array<ArrayBuffer>];

function form(parts: Readonly<Record<string, Part>>): FormData {
  const data = new FormData();
  for (const [name, part] of Object.entries(parts)) {
    if (typeof part === "string") data.append(name, part);
    else data.append(name, new Blob([part[1]]), part[0]);
  }
  return data;
}

describe("the fields of a form are parameters", () => {
  it.each([
    ["small", rocket],
    ["large", coffee],
  ])("before a %s image", async (_, image) => {
    const expected = await labelsOf(await post(`${url}?top=2&crop=center&min=0.01`, image));
    const fields = { top: "2", crop: "center", min: "0.01" };
    expect(await labelsOf(await post(url, form({ ...fields, image: ["a", image] })))).toEqual(expected);
    expect(await labelsOf(await post(`${url}?top=2`, form({ ...fields, image: ["a", image] })))).toEqual(expected);
  });

  it("behind a small image, and not behind one that is labelled as it comes", async () => {
    expect(await labelsOf(await post(url, form({ image: ["a", rocket], top: "1" })))).toEqual(missile.slice(0, 1));
    const late = await post(url, form({ image: ["a", coffee], top: "1" }));
    await expectProblem(late, 400, "bad-body", /"top".*put fields before the file/);
  });

  it("that are unknown, wrong or contradict the query are the same 400 as there", async () => {
    const image = ["a", rocket] as const;
    await expectProblem(
      await post(url, form({ tops: "1", image })),
      400,
      "bad-parameter",
      /no parameter tops. There are:/,
    );
    await expectProblem(await post(url, form({ top: "x", image })), 400, "bad-parameter", /top: must be a number/);
    await expectProblem(await post(url, form({ model: "nosuch", image })), 404, "unknown-model", /nosuch/);
    const both = await post(`${url}?top=2`, form({ top: "3", image }));
    await expectProblem(both, 400, "bad-parameter", /top is "2" in the query and "3" in the form/);
  });

  it("explain among them", async () => {
    const [best] = (await (await post(url, form({ explain: "1", image: ["a", coffee] }))).json()) as {
      explanation: string;
    }[];
    expect(
      Buffer.from(best?.explanation ?? "", "base64")
        .subarray(1, 4)
        .toString(),
    ).toBe("PNG");
  });

  it("of the sink say what the image is", async () => {
    const sent = await post(`${labeler.url}/ekuiper/sink`, form({ id: "form-1", device: "cam", image: ["a", coffee] }));
    expect(sent.status).toBe(204);
    const result = await (await fetch(`${labeler.url}/results/form-1`)).json();
    expect(result).toMatchObject({ device: "cam", label: "968:espresso" });
  });
});

it("a large image of a form may have others behind it: the answers are a list", async () => {
  const answer = await post(url, form({ a: ["coffee.png", coffee], b: ["rocket.jpg", rocket], c: ["c", coffee] }));
  expect(await answer.json()).toEqual([
    { name: "coffee.png", labels: espresso },
    { name: "rocket.jpg", labels: missile },
    { name: "c", labels: espresso },
  ]);
  const one = await post(`${labeler.url}/ekuiper/labelImage`, form({ a: ["a", coffee], b: ["b", rocket] }));
  expect(await one.json()).toMatchObject({ error: expect.stringMatching(/takes one image/) });
});

it("the form of an image that streams has the ETag of the image", async () => {
  const response = await post(url, form({ image: ["a", coffee] }));
  const etag = response.headers.get("etag") ?? "";
  expect(etag).toMatch(/^"/);
  const again = await post(url, form({ image: ["a", coffee] }), { "if-none-match": etag });
  expect(again.status).toBe(304);
});

/** What curl prints. */
const curl = (...args: string[]): string =>
  execFileSync("curl", ["--silent", "--show-error", ...args], { cwd: folder, encoding: "utf8" });

describe("curl", () => {
  it("-F sends a form", () => {
    expect(JSON.parse(curl(url, "-F", "top=1", "-F", "image=@coffee.png"))).toEqual(espresso.slice(0, 1));
  });

  it("-F without the @ is told so", () => {
    expect(curl(url, "-F", "image=rocket.jpg")).toMatch(
      /\\"image\\" of the form is the text \\"rocket.jpg\\".*@ before/,
    );
  });

  it.each(["coffee.png", "rocket.jpg"])("-d strips %s, which the error says", (name) => {
    expect(curl(url, "-d", `@${name}`)).toMatch(/curl -d leaves out.*--data-binary/);
  });

  it("--data-binary without the @ is told so", () => {
    expect(curl(url, "--data-binary", "photos/rocket.jpg")).toMatch(
      /name of a file, \\"photos\/rocket.jpg\\".*--data-binary @photos/,
    );
    expect(curl(url, "-d", "https://example.com/rocket.jpg")).toMatch(/an address.*does not fetch.*curl -sSL/);
    expect(curl(url, "-F", "image=https://example.com/rocket.jpg")).toMatch(/the address .*does not fetch/);
    const json = JSON.stringify({ image: "https://example.com/rocket.jpg" });
    expect(curl(url, "--json", json)).toMatch(/image is an address.*does not fetch.*base64/);
    expect(curl(url, "-d", "image=rocket.jpg")).toMatch(/text field, \\"image\\", and not a file/);
  });

  it("a slash at the end of the address is none", () => {
    expect(JSON.parse(curl(`${url}/?top=1`, "--data-binary", "@rocket.jpg"))).toEqual(missile.slice(0, 1));
  });
});

it("a form over its limit says how an image is sent without one", async () => {
  const large = form({ image: ["a", new Uint8Array(3_100_000)] });
  await expectProblem(
    await post(url, large),
    413,
    "body-too-large",
    /Send the image as it is.*--data-binary.*MAX_FORM_BYTES/,
  );
});

describe("JSON", () => {
  const send = (text: string, to = url) => post(to, text, json);
  const label = async (text: string) => labelsOf(await send(text));
  const image = base64(rocket);

  it.each([
    ["with a byte order mark", `\uFEFF{"image":"${image}"}`],
    ["with eKuiper's field", `{"self":"${image}"}`],
    ["in base64url", `{"image":"${Buffer.from(rocket).toString("base64url")}"}`],
    ["without padding", `{"image":"${image.replace(/=+$/, "")}"}`],
    ["in lines", `{"image":"${image.replace(/.{76}/g, "$&\\n")}"}`],
    ["in a data URL with parameters and blanks", `{"image":" data:image/jpeg; charset=utf-8 ; base64 , ${image}"}`],
    ["with parameters that say nothing", `{"image":"${image}","top":null,"exif":"apply"}`],
  ])("%s", async (_, text) => {
    expect(await label(text)).toEqual(missile);
  });

  it("has parameters beside the image", async () => {
    expect(await label(`{"image":"${image}","top":2,"min":"0.001"}`)).toEqual(missile.slice(0, 2));
    const list = await send(`{"images":["${image}"],"top":1}`);
    expect(await list.json()).toEqual([{ labels: missile.slice(0, 1) }]);
    await expectProblem(await send(`{"image":"${image}","top":"x"}`), 400, "bad-parameter", /top: must be a number/);
    await expectProblem(
      await send(`{"image":"${image}","top":[1]}`),
      400,
      "bad-parameter",
      /top: must be a short text/,
    );
    const both = await send(`{"image":"${image}","top":2}`, `${url}?top=3`);
    await expectProblem(both, 400, "bad-parameter", /top is "3" in the query and "2" in the JSON/);
  });

  it("names the field that was meant", async () => {
    await expectProblem(await send(`{"imgae":"${image}"}`), 400, "bad-body", /no field "imgae"; do you mean "image"\?/);
    await expectProblem(
      await send(`{"image":"${image}","modle":"x"}`),
      400,
      "bad-body",
      /"modle"; do you mean "model"\?/,
    );
    await expectProblem(
      await send(`[{"image":"${image}","ts":1}]`),
      400,
      "bad-body",
      /Image 1 of the list: there is no field "ts"/,
    );
    await expectProblem(
      await send(`{"image":"${image}","self":"${image}"}`),
      400,
      "bad-body",
      /both "image" and "self"/,
    );
  });

  it("may be a record of eKuiper's, alone in a list, with other fields", async () => {
    const record = `{"self":"${image}","ts":1764,"meta":{"topic":"a/b"},"tags":["x"]}`;
    for (const text of [record, `[${record}]`, `[{"image":"${image}","top":1}]`, `["${image}"]`]) {
      const answer = await send(text, `${labeler.url}/ekuiper/labelImage`);
      expect(await answer.json()).toMatchObject({ label: missile[0]?.label });
    }
    const listed = await send(`[{"self":"${image}"}]`);
    expect(await listed.json()).toEqual([{ labels: missile }]);
  });
});

describe("base64 as the whole body", () => {
  it.each([
    ["in one line", base64(coffee)],
    ["in lines, as base64 writes it", `${base64(coffee).replace(/.{76}/g, "$&\n")}\n`],
    ["as a data URL", `data:image/png;base64,${base64(coffee)}`],
    ["with a byte order mark", `\uFEFF${base64(coffee)}`],
  ])("%s", async (_, text) => {
    expect(await labelsOf(await post(url, text, { "content-type": "text/plain" }))).toEqual(espresso);
    const scores = await post(`${labeler.url}/models/${MODEL}`, text);
    expect(await scores.json()).toMatchObject([{ label: "968:espresso" }, {}, {}, {}, {}]);
  });

  it("that is no image is none", async () => {
    await expectProblem(
      await post(url, base64(new Uint8Array(999))),
      415,
      "unsupported-image",
      /begins with "AAAAAAAA"/,
    );
  });
});

describe("Content-Encoding", () => {
  const encodings = [
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
  ] as const;

  it.each(encodings)("%s, on every route that takes a body", async (encoding, compress) => {
    const send = (path: string, body: string | Uint8Array, type = "") =>
      post(labeler.url + path, new Uint8Array(compress(body)), { "content-encoding": encoding, "content-type": type });
    expect(await labelsOf(await send("/label", coffee))).toEqual(espresso);
    expect(await labelsOf(await send("/label", JSON.stringify({ image: base64(coffee) })))).toEqual(espresso);
    expect(await labelsOf(await send("/label", base64(coffee)))).toEqual(espresso);
    const multipart = new Response(form({ top: "1", image: ["a", coffee] }));
    const bytes = new Uint8Array(await multipart.arrayBuffer());
    const type = multipart.headers.get("content-type") ?? "";
    expect(await labelsOf(await send("/label", bytes, type))).toEqual(espresso.slice(0, 1));
    expect(await (await send("/ekuiper/labelImage", coffee)).json()).toMatchObject({ label: "968:espresso" });
    expect((await send("/ekuiper/sink?id=gz", coffee)).status).toBe(204);
    expect(await (await send("/ekuiper/labelOf", "gz")).json()).toMatchObject({ label: "968:espresso" });
    expect(await (await send(`/models/${MODEL}`, coffee)).json()).toMatchObject([
      { label: "968:espresso" },
      {},
      {},
      {},
      {},
    ]);
    const input = { name: "image", datatype: "BYTES", shape: [1], data: [base64(coffee)] };
    const inferred = await send(`/v2/models/${MODEL}/infer`, JSON.stringify({ inputs: [input] }));
    expect(await inferred.json()).toMatchObject({
      outputs: [{ data: expect.arrayContaining(["968:espresso"]) }, {}, {}],
    });
  });

  it.each(["zstd", "br", "gzip, gzip"])("%s is a 415 that says which there are", async (encoding) => {
    const response = await post(url, coffee, { "content-encoding": encoding });
    expect(response.headers.get("accept-encoding")).toBe("gzip, deflate");
    await expectProblem(response, 415, "unsupported-encoding", /the labeler reads gzip or deflate/);
  });

  it("that is not what it says is a 400", async () => {
    const response = await post(url, coffee, { "content-encoding": "gzip" });
    await expectProblem(response, 400, "bad-body", /cannot be read as gzip/);
    const cut = gzipSync(rocket).subarray(0, 50_000);
    await expectProblem(
      await post(url, new Uint8Array(cut), { "content-encoding": "gzip" }),
      400,
      "bad-body",
      /ends within/,
    );
  });
});

describe("a bomb of 1000:1", () => {
  const MB = 1 << 20;
  /** Members of gzip follow each other as one file, and a thousand zeros take a byte. */
  const zeros = gzipSync(Buffer.alloc(300 * MB));
  /** A head, and then as much as nobody has memory for. */
  const bomb = (head: Uint8Array | string) => new Uint8Array(Buffer.concat([gzipSync(head), zeros]));
  const bombs: readonly (readonly [path: string, head: Uint8Array | string, type: string])[] = [
    ["/label", coffee.subarray(0, 33), ""],
    ["/label", '{"image":"', ""],
    [
      "/label",
      '--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n',
      "multipart/form-data; boundary=b",
    ],
    ["/label", base64(coffee.subarray(0, 33)), ""],
    ["/ekuiper/labelImage", '{"image":"', ""],
    ["/ekuiper/sink?id=bomb", coffee.subarray(0, 33), ""],
    ["/ekuiper/labelOf", "", ""],
    [`/models/${MODEL}`, '{"inputs":"', ""],
    [`/v2/models/${MODEL}/infer`, '{"inputs":[', ""],
  ];

  it("takes no memory, on every route", async () => {
    const inspector = await Inspector.open(labeler.inspector);
    const before = residentMB(labeler.pid);
    let most = 0;
    for (const [path, head, type] of bombs) {
      const body = bomb(head);
      expect(body.length).toBeLessThan(MB);
      const begin = performance.now();
      const response = await post(labeler.url + path, body, { "content-encoding": "gzip", "content-type": type });
      await response.arrayBuffer();
      console.log(`${path}: ${response.status} after ${(performance.now() - begin).toFixed(0)} ms`);
      expect(response.status, path).toBeLessThan(500);
      const { heap, wasm } = await inspector.memory();
      most = Math.max(most, heap + wasm);
    }
    inspector.close();
    const grown = residentMB(labeler.pid) - before;
    console.log(`bombs: at most ${most.toFixed(1)} MB in the isolate; the process grew by ${grown.toFixed(0)} MB`);
    expect(grown).toBeLessThan(64);
  });
});

it("Triton's clients find what is installed", async () => {
  const models = await (await post(`${labeler.url}/v2/repository/index`, "")).json();
  expect(models).toContainEqual({ name: MODEL, version: "1", state: "READY", reason: "" });
});
