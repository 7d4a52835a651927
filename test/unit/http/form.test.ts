/**
 * Forms as clients write them: each gives the same image and the same parameters, however the network cuts it into
 * chunks. The bytes were recorded from the named versions; .NET's are from HttpClient's sources and a public report.
 */
import { describe, expect, it } from "vitest";
import { LabelerError } from "../../../worker/errors.ts";
import { readForm } from "../../../worker/http/form.ts";
import { boundaryOf } from "../../../worker/http/multipart/boundary.ts";
import type { ImageSource } from "../../../worker/labeling/types.ts";
import { ByteStream } from "../../../worker/runtime/byte-stream.ts";
import { atOnce } from "../../../worker/runtime/execute.ts";

const bytesOf = (latin1: string) => Uint8Array.from(latin1, (character) => character.charCodeAt(0));
const utf8 = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));

/** Begins as a JPEG, and has in it what a parser may stumble over. */
const IMAGE = "\xff\xd8\xff\xe0\0\x10JFIF\0\r\n--\r\n--b\r\n\r\n--b2\n--\n\r\r\n--\x80\r.";
const NAIVE = utf8("naïve.jpg");

const BOUNDARIES = {
  curl: "------------------------274919e642934395",
  undici: "----formdata-undici-080688082351",
  chrome: "----WebKitFormBoundary7MA4YWxkTrZu0gW",
  firefox: "---------------------------9051914041544843365972754266",
  python: "b75df2e7cd4b0eee0e923f093a26d3a6",
  go: "5fbe3f3f1c4c0e5b9f8d4b0bb0c9bb5f0a3d5f9a6a2b0a5a2b0f3c1f9a7e",
  dotnet: "4b39ed14-752b-480a-9846-fc0019132d15",
} as const;

interface Written {
  readonly contentType?: string;
  readonly body: string;
  /** The image's name in the answer. */
  readonly name: string;
  readonly parameters?: Record<string, string>;
}

const CRLF = "\r\n";

/** A form of parts, each a head and a content. */
const form = (boundary: string, ...parts: (readonly [head: string, content: string])[]) =>
  `${parts.map(([head, content]) => `--${boundary}\r\n${head}\r\n\r\n${content}\r\n`).join("")}--${boundary}--\r\n`;

const TOP = ['Content-Disposition: form-data; name="top"', "3"] as const;
const top = { top: "3" };
const jpeg = "Content-Type: image/jpeg";

const CLIENTS: Readonly<Record<string, Written>> = {
  "curl 7.88": {
    contentType: `multipart/form-data; boundary=${BOUNDARIES.curl}`,
    body: form(BOUNDARIES.curl, TOP, [
      `Content-Disposition: form-data; name="image"; filename="${utf8("naïve %22x%22.jpg")}"\r\n${jpeg}`,
      IMAGE,
    ]),
    name: "naïve %22x%22.jpg",
    parameters: top,
  },
  "curl before 7.82, which escapes quotes": {
    contentType: `multipart/form-data; boundary=${BOUNDARIES.curl}`,
    body: form(BOUNDARIES.curl, [
      `Content-Disposition: form-data; name="image"; filename="a \\"x\\"; b.jpg"\r\n${jpeg}`,
      IMAGE,
    ]),
    name: 'a "x"; b.jpg',
  },
  "Node's fetch (undici, Node 20.20)": {
    contentType: `multipart/form-data; boundary=${BOUNDARIES.undici}`,
    body: form(BOUNDARIES.undici, TOP, [
      `Content-Disposition: form-data; name="image"; filename="${NAIVE}"\r\n${jpeg}`,
      IMAGE,
    ]),
    name: "naïve.jpg",
    parameters: top,
  },
  "Chrome, with a field behind the file": {
    contentType: `multipart/form-data; boundary=${BOUNDARIES.chrome}`,
    body: form(
      BOUNDARIES.chrome,
      [`Content-Disposition: form-data; name="image"; filename="photo.jpg"\r\n${jpeg}`, IMAGE],
      TOP,
    ),
    name: "photo.jpg",
    parameters: top,
  },
  "Firefox, with a file input that nobody used": {
    contentType: `multipart/form-data; boundary=${BOUNDARIES.firefox}`,
    body: form(
      BOUNDARIES.firefox,
      ['Content-Disposition: form-data; name="other"; filename=""\r\nContent-Type: application/octet-stream', ""],
      [`Content-Disposition: form-data; name="image"; filename="C:\\photos\\photo.jpg"\r\n${jpeg}`, IMAGE],
    ),
    name: "C:\\photos\\photo.jpg",
  },
  "Python's requests 2.34 and httpx 0.28": {
    contentType: `multipart/form-data; boundary=${BOUNDARIES.python}`,
    body: form(BOUNDARIES.python, TOP, [
      `Content-Disposition: form-data; name="image"; filename="${NAIVE}"\r\n${jpeg}`,
      IMAGE,
    ]),
    name: "naïve.jpg",
    parameters: top,
  },
  "Python's requests with urllib3 below 2": {
    contentType: `multipart/form-data; boundary=${BOUNDARIES.python}`,
    body: form(BOUNDARIES.python, [
      `Content-Disposition: form-data; name="image"; filename*=utf-8''na%C3%AFve.jpg\r\n${jpeg}`,
      IMAGE,
    ]),
    name: "naïve.jpg",
  },
  "aiohttp 3.14": {
    contentType: `multipart/form-data; boundary=${BOUNDARIES.python}`,
    body: form(
      BOUNDARIES.python,
      ['Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name="top"', "3"],
      [`${jpeg}\r\nContent-Disposition: form-data; name="image"; filename="na%C3%AFve.jpg"`, IMAGE],
    ),
    name: "na%C3%AFve.jpg",
    parameters: top,
  },
  "Go 1.26, and eKuiper's bodyType formdata": {
    contentType: `multipart/form-data; boundary=${BOUNDARIES.go}`,
    body: form(BOUNDARIES.go, [
      'Content-Disposition: form-data; name="image"; filename="1764000000000"\r\nContent-Type: application/octet-stream',
      IMAGE,
    ]),
    name: "1764000000000",
  },
  ".NET's HttpClient": {
    contentType: `multipart/form-data; boundary="${BOUNDARIES.dotnet}"`,
    body: form(
      BOUNDARIES.dotnet,
      ["Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=top", "3"],
      [
        `${jpeg}\r\nContent-Disposition: form-data; name=image; filename="=?utf-8?B?bmHDr3ZlLmpwZw==?="; filename*=utf-8''na%C3%AFve.jpg`,
        IMAGE,
      ],
    ),
    name: "naïve.jpg",
    parameters: top,
  },
  ".NET's HttpClient, a name of ASCII": {
    contentType: `multipart/form-data; boundary="${BOUNDARIES.dotnet}"`,
    body: form(BOUNDARIES.dotnet, [
      `${jpeg}\r\nContent-Disposition: form-data; name=image; filename=photo.jpg; filename*=utf-8''photo.jpg`,
      IMAGE,
    ]),
    name: "photo.jpg",
  },
};

const b = "multipart/form-data; boundary=b2x";
const head = 'Content-Disposition: form-data; name="image"; filename="p.jpg"';
const WILD: Readonly<Record<string, Written>> = {
  "lines that end with LF alone": {
    contentType: b,
    body: `--b2x\n${TOP[0]}\n\n3\n--b2x\n${head}\n\n${IMAGE}\n--b2x--\n`,
    name: "p.jpg",
    parameters: top,
  },
  "a preamble and an epilogue": {
    contentType: b,
    body: `This is a message in MIME format.\r\n--b2xx\r\n\r\n${form("b2x", [head, IMAGE])}and so on\r\n--b2x\r\n`,
    name: "p.jpg",
  },
  "an empty line before the first boundary": {
    contentType: b,
    body: `${CRLF}${form("b2x", [head, IMAGE])}`,
    name: "p.jpg",
  },
  "blanks behind a boundary": {
    contentType: b,
    body: `--b2x \t \r\n${head}\r\n\r\n${IMAGE}\r\n--b2x--`,
    name: "p.jpg",
  },
  "no line end behind the last boundary": { contentType: b, body: form("b2x", [head, IMAGE]).trimEnd(), name: "p.jpg" },
  "a last boundary without its dashes": {
    contentType: b,
    body: `--b2x\r\n${head}\r\n\r\n${IMAGE}\r\n--b2x\r\n`,
    name: "p.jpg",
  },
  "no last boundary": { contentType: b, body: `--b2x\r\n${head}\r\n\r\n${IMAGE}`, name: "p.jpg" },
  "a field without a last boundary": {
    contentType: b,
    body: `--b2x\r\n${head}\r\n\r\n${IMAGE}\r\n--b2x\r\n${TOP[0]}\r\n\r\n3\r\n`,
    name: "p.jpg",
    parameters: top,
  },
  "no file name, but an image's type": {
    contentType: b,
    body: form("b2x", [`Content-Disposition: form-data; name="image"\r\n${jpeg}`, IMAGE]),
    name: "image",
  },
  "neither, but an image's bytes": {
    contentType: b,
    body: form("b2x", ['Content-Disposition: form-data; name="upload"', IMAGE]),
    name: "upload",
  },
  "a part without any name": { contentType: b, body: form("b2x", [jpeg, IMAGE]), name: "" },
  "a part without a head": { contentType: b, body: `--b2x\r\n\r\n${IMAGE}\r\n--b2x--\r\n`, name: "" },
  "names of headers in any case, and a folded line": {
    contentType: "Multipart/Form-Data; charset=utf-8; BOUNDARY=b2x",
    body: form("b2x", ['CONTENT-DISPOSITION: Form-Data;\r\n\tNAME="image";\r\n  FileName="p.jpg"', IMAGE]),
    name: "p.jpg",
  },
  "a Content-Type set by hand, without a boundary": {
    contentType: "multipart/form-data",
    body: form("b2x", [head, IMAGE]),
    name: "p.jpg",
  },
  "base64 by Content-Transfer-Encoding": {
    contentType: b,
    body: form("b2x", [`${head}\r\nContent-Transfer-Encoding: base64`, btoa(IMAGE).replace(/.{20}/g, "$&\r\n")]),
    name: "p.jpg",
  },
  "a data URL in a text field": {
    contentType: b,
    body: form("b2x", ['Content-Disposition: form-data; name="image"', `data:image/jpeg;base64,${btoa(IMAGE)}`]),
    name: "image",
  },
  "a boundary with a blank in quotes": {
    contentType: 'multipart/form-data; boundary="b b"',
    body: form("b b", [head, IMAGE]),
    name: "p.jpg",
  },
};

const options = {
  maxImages: 3,
  maxBytes: 1e6,
  execute: atOnce,
  reserveBeginning: async () => undefined,
  releaseBeginning: () => undefined,
  freeWhenAnswered: () => undefined,
  reserveWhole: async () => undefined,
};

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  // A chunk holds no longer than until the next one is asked for.
  const chunk = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    chunk.fill(0x2d);
    chunk.set(part);
    yield chunk.subarray(0, part.length);
  }
}

function read({ body, contentType = b }: Pick<Written, "body" | "contentType">, size = 64 << 10) {
  const bytes = bytesOf(body);
  const source = { stream: new ByteStream(cut(bytes, size)), size: bytes.length };
  return readForm({ source, options }, boundaryOf(contentType, bytes.subarray(0, 256)));
}

async function contentOf({ stream }: ImageSource): Promise<string> {
  const whole = await stream.all({ limit: 1e7 });
  return Array.from(whole ?? [], (byte) => String.fromCharCode(byte)).join("");
}

const errorOf = async (form: Promise<unknown>): Promise<LabelerError> => {
  const error = await form.then(
    () => new Error("it was read"),
    (error: unknown) => error,
  );
  if (error instanceof LabelerError) return error;
  throw error;
};

describe.each([1, 2, 3, 7, 64, 1000, 64 << 10])("in chunks of %i bytes", (size) => {
  it.each(Object.entries({ ...CLIENTS, ...WILD }))("%s", async (_, written) => {
    const { images, parameters } = await read(written, size);
    expect({ ...parameters }).toEqual(written.parameters ?? {});
    if (images.one === undefined) throw new Error(`${images.many.length} images`);
    expect(await contentOf(images.one)).toBe(IMAGE);
  });

  const continued = Object.entries({ ...CLIENTS, ...WILD }).filter(([, { body }]) => body.startsWith("--"));
  it.each(continued)("%s, as the second image", async (_, written) => {
    const { body, contentType = b, name } = written;
    const boundary = boundaryOf(contentType, bytesOf(body).subarray(0, 256));
    const first = `--${boundary}\r\n${head}\r\n\r\n${IMAGE}\r\n`;
    const { images } = await read({ contentType, body: first + body }, size);
    expect(images.many?.map((image) => image.name)).toEqual(["p.jpg", name]);
    for (const image of images.many ?? []) expect(await contentOf(await image.open())).toBe(IMAGE);
  });
});

describe("an image that does not fit the buffer of small ones", () => {
  const large = `${IMAGE}${"\r\n--b2".repeat(100_000)}`;
  const written = form("b2x", TOP, [head, large]);

  it("streams, with the parameters before it", async () => {
    const { images, parameters } = await read({ body: written });
    expect({ ...parameters }).toEqual(top);
    if (images.one === undefined) throw new Error("several images");
    expect(images.one.size).toBe(undefined);
    expect((await contentOf(images.one)).length).toBe(large.length);
    expect(await images.behind?.()).toEqual([]);
  });

  it("may have others behind it", async () => {
    const { images } = await read({ body: form("b2x", [head, large], [head, IMAGE]) });
    const [second] = (await images.behind?.()) ?? [];
    expect(await contentOf((await second?.open()) as ImageSource)).toBe(IMAGE);
  });

  it("has no field behind it", async () => {
    const { images } = await read({ body: form("b2x", [head, large], TOP) });
    await expect(images.behind?.()).rejects.toThrow(/"top".*put fields before the file/);
  });
});

it.each([
  ["no parts", "", /no file in it/],
  ["no boundary in it", "hello", /no file in it/],
  [
    "a field for the image",
    form("b2x", ['Content-Disposition: form-data; name="image"', "photo.jpg"]),
    /"photo.jpg".*@ before/,
  ],
  ["only fields", form("b2x", TOP), /only the fields top/],
  [
    "a file that nobody chose",
    form("b2x", ['Content-Disposition: form-data; name="f"; filename=""', ""]),
    /chosen.*"f"/,
  ],
  ["an empty file", form("b2x", [head, ""]), /The image is empty/],
  ["a head that does not end", `--b2x\r\n${head}\r\n`, /ends within the head/],
  ["a head that is too long", `--b2x\r\nX: ${"x".repeat(10_000)}\r\n\r\n`, /8,192 bytes, which is the limit/],
  ["a long field", form("b2x", ['Content-Disposition: form-data; name="top"', "3".repeat(5000)]), /"top".*4,096 bytes/],
  ["a field twice", form("b2x", TOP, TOP, [head, IMAGE]), /top is given more than once in the form/],
  ["too many images", form("b2x", ...Array.from({ length: 4 }, () => [head, IMAGE] as const)), /more than 3 images/],
  [
    "too many parts",
    form("b2x", ...Array.from({ length: 80 }, (_, i) => [`Content-Disposition: form-data; name="f${i}"`, ""] as const)),
    /more than 67 parts/,
  ],
])("%s: says so", async (_, body, message) => {
  expect((await errorOf(read({ body }))).message).toMatch(message);
});

it("a boundary that is nowhere is an error that says who sets it", () => {
  expect(() => boundaryOf("multipart/form-data", bytesOf("hello"))).toThrow(/does not name its boundary/);
  expect(() => boundaryOf(`multipart/form-data; boundary=${"x".repeat(300)}`, bytesOf(""))).toThrow(/200 are allowed/);
});
