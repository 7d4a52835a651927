/** Requests that are refused: images, sizes, addresses, tokens. After each, a good image is still labelled. */
import { request } from "node:http";
import { crc32 } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RunningLabeler, startLabeler } from "../../scripts/labeler/labeler.ts";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";
import { RUNTIMES } from "./runtimes.ts";

const MAX_BODY = 1_000_000;
const MAX_PIXELS = 250_000;
const TOKEN = "s3cret";

let labeler: RunningLabeler;
let url: string;
beforeAll(async () => {
  labeler = await startLabeler({
    settings: {
      MAX_BODY_BYTES: String(MAX_BODY),
      MAX_FORM_BYTES: "400000",
      MAX_PIXELS: String(MAX_PIXELS),
      LABELER_TOKEN: TOKEN,
    },
  });
  url = `${labeler.url}/label`;
});
afterAll(() => labeler?.stop());

const authorization = `Bearer ${TOKEN}`;
const coffee = fixture("coffee.png");
const send = (body: BodyInit) => post(url, body, { authorization });

/** A PNG whose header says 60,000 × 60,000. */
function oversized(): Uint8Array<ArrayBuffer> {
  const huge = coffee.slice();
  const view = new DataView(huge.buffer);
  view.setUint32(16, 60_000); // IHDR's width, height and checksum
  view.setUint32(20, 60_000);
  view.setUint32(29, crc32(huge.subarray(12, 29)));
  return huge.subarray(0, 1000);
}

afterEach(async () => {
  expect((await labelsOf(await send(coffee)))[0].label).toBe("968:espresso");
});

describe("images", () => {
  it.each([
    ["a text", "hello", /begins with "hello"\. Send JPEG, PNG, WebP, GIF, BMP, TIFF or PNM/],
    ["a BigTIFF", "II+\0 and so on, and so on", /The TIFF has offsets of 8 bytes/],
    ["an AVIF", "\0\0\0\x20ftypavif and so on, and so on", /an AVIF image\. Send JPEG, PNG/],
    ["a HEIC", "\0\0\0\x20ftypheic and so on, and so on", /a HEIC image\. Send JPEG, PNG/],
  ])("%s is a 415 that names what is supported", async (_, body, detail) => {
    await expectProblem(await send(body), 415, "unsupported-image", detail);
  });

  it("a GIF that is none behind its first bytes is a 422", async () => {
    await expectProblem(await send("GIF89a and so on, and so on"), 422, "broken-image", /GIF is damaged/);
  });

  it("a file that ends before its first row is a 422, one that ends later is labelled by what is there", async () => {
    await expectProblem(await send(coffee.subarray(0, 100)), 422, "broken-image", /ends before its first row/);
    const response = await send(coffee.subarray(0, 400_000));
    expect(Number(response.headers.get("x-image-missing"))).toBeCloseTo(0.13, 1);
    expect((await labelsOf(response))[0].label).toBe("968:espresso");
  });

  it("a JPEG that is noise behind its header is a 422", async () => {
    const broken = fixture("rocket.jpg").fill(0x7f, 20);
    await expectProblem(await send(broken), 422, "broken-image", /\w/);
  });

  it("an image with too many pixels is a 413 that names limit, value and setting, before it is decoded", async () => {
    await expectProblem(await send(oversized()), 413, "image-too-large", /3,600,000,000 pixels.*250,000.*MAX_PIXELS/);
  });
});

describe("sizes", () => {
  it("a body whose Content-Length is over the limit is a 413 that names limit, value and setting", async () => {
    const body = new Uint8Array(MAX_BODY + 1);
    await expectProblem(await send(body), 413, "body-too-large", /1,000,001 bytes.*1,000,000.*MAX_BODY_BYTES/);
  });

  it("a body of unknown length is a 413 as soon as it is over", async () => {
    // A header and then a text that does not end.
    const text = new Uint8Array(MAX_BODY);
    text.set([0, 0x20, 0, 0, 0x74, 0x45, 0x58, 0x74]);
    const body = new Blob([coffee.subarray(0, 33), text]).stream();
    const response = await fetch(url, {
      method: "POST",
      body,
      duplex: "half",
      headers: { authorization },
    } as RequestInit);
    await expectProblem(response, 413, "body-too-large", /MAX_BODY_BYTES/);
  });
});

describe.each(RUNTIMES)("a body that is refused unread, on %s,", (_, start) => {
  it("is taken in behind the answer, so that a client that sends first and reads then has it", async () => {
    const other = await start();
    try {
      const body = new Uint8Array(6_000_000);
      for (let i = 0; i < 3; i++) {
        expect((await post(`${other.url}/label?top=0`, body)).status).toBe(400);
        expect((await post(`${other.url}/label?model=none`, body)).status).toBe(404);
        expect((await post(`${other.url}/label`, body)).status).toBe(415);
      }
    } finally {
      await other.stop();
    }
  });
});

describe("an answer that needs no more of the body", () => {
  /** Sends the beginning of a body of 500,000 bytes and nothing more. @returns The status of the answer. */
  const beginning = (bytes: Uint8Array) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization, "content-length": "500000" };
      const call = request(url, { method: "POST", headers }, (response) => {
        resolve(response.statusCode);
        call.destroy();
      });
      call.on("error", reject);
      call.write(bytes);
    });

  it("does not wait for it: too many pixels", async () => {
    // A slot is only taken when 64 KB have come.
    expect(await beginning(new Uint8Array([...oversized(), ...new Uint8Array(70_000)]))).toBe(413);
  });

  it("does not wait for it: no image", async () => {
    expect(await beginning(new Uint8Array(300))).toBe(415);
  });
});

describe("forms and JSON, which stand in memory,", () => {
  it("have a limit of their own", async () => {
    const form = new FormData();
    form.set("image", new Blob([coffee]));
    await expectProblem(await send(form), 413, "body-too-large", /limit for forms and JSON is 400,000.*MAX_FORM_BYTES/);
    const json = new Blob([JSON.stringify({ image: "A".repeat(500_000) })]).stream();
    const init = { method: "POST", body: json, duplex: "half", headers: { authorization } } as RequestInit;
    await expectProblem(await fetch(url, init), 413, "body-too-large", /MAX_FORM_BYTES/);
    const tensor = await post(`${labeler.url}/v2/models/mobilenet_v1_1.0_224/infer`, new Uint8Array(500_000), {
      authorization,
    });
    expect(tensor.status).toBe(413);
    expect((await tensor.json()).error).toMatch(
      /500,000 bytes long and the limit for forms and JSON is 400,000.*MAX_FORM_BYTES/,
    );
  });
});

describe("addresses", () => {
  it("one that there is not is a 404 that names those there are", async () => {
    await expectProblem(
      await fetch(`${labeler.url}/lable`, { headers: { authorization } }),
      404,
      "not-found",
      /POST \/label/,
    );
  });

  it("a wrong method is a 405 with Allow", async () => {
    const response = await fetch(url, { headers: { authorization } });
    expect(response.headers.get("allow")).toBe("POST");
    await expectProblem(response, 405, "method-not-allowed", /\/label takes POST, not GET/);
  });
});

describe("tokens", () => {
  it.each([
    ["none", {}],
    ["a wrong one", { authorization: "Bearer guess" }],
    ["the right one under another scheme", { authorization: `Basic ${TOKEN}` }],
    ["only the beginning of the right one", { authorization: `Bearer ${TOKEN.slice(0, 3)}` }],
  ])("with %s, a call is a 401 that asks for one", async (_, headers) => {
    for (const path of ["/label", "/ekuiper/labelImage", "/models"]) {
      const response = await fetch(labeler.url + path, {
        method: path === "/models" ? "GET" : "POST",
        headers: headers as Record<string, string>,
      });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
      expect(await response.json()).toMatchObject({ type: "urn:edge-labeler:problem:unauthorized" });
    }
  });

  it("probes need none", async () => {
    expect(await (await fetch(`${labeler.url}/healthz`)).json()).toEqual({ status: "ok" });
    expect(await (await fetch(`${labeler.url}/readyz`)).json()).toMatchObject({ status: "ready" });
  });

  it("the scheme's name may be written in any case", async () => {
    expect((await post(url, coffee, { authorization: `bearer ${TOKEN}` })).status).toBe(200);
  });
});

describe("settings", () => {
  it("one that makes no sense is an error that the log explains, and no half-working labeler", async () => {
    const wrong = await startLabeler({ settings: { MAX_PIXELS: "lots" } });
    try {
      const response = await post(`${wrong.url}/label`, coffee);
      expect(response.status).toBe(500);
      expect(await response.json()).toMatchObject({ detail: expect.stringMatching(/log/) });
    } finally {
      await wrong.stop();
    }
  });
});
