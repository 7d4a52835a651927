/**
 * Compressed bodies: what the platform compresses is decompressed to the same bytes, in bounded steps, whatever the
 * input.
 */
import { describe, expect, it } from "vitest";
import { LabelerError } from "../../../worker/errors.ts";
import { decodedBody, encodingOf } from "../../../worker/http/content-encoding.ts";
import { ByteStream } from "../../../worker/runtime/byte-stream.ts";
import { atOnce } from "../../../worker/runtime/execute.ts";

const LARGEST_STEP = (16 << 10) + 258;

const compress = async (bytes: Uint8Array<ArrayBuffer>, format: "gzip" | "deflate" | "deflate-raw") =>
  new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream(format))).arrayBuffer(),
  );

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    // A chunk holds no longer than until the next one is asked for.
    chunk.fill(0xaa);
    chunk.set(part);
    yield chunk.subarray(0, part.length);
  }
}

async function decode(bytes: Uint8Array, encoding: "gzip" | "deflate", size = 64 << 10): Promise<Uint8Array> {
  const steps: Uint8Array<ArrayBuffer>[] = [];
  for await (const step of decodedBody(new ByteStream(cut(bytes, size)), encoding, atOnce)) {
    expect(step.length).toBeLessThanOrEqual(LARGEST_STEP);
    steps.push(new Uint8Array(step));
  }
  return new Uint8Array(await new Blob(steps).arrayBuffer());
}

/** xorshift: the same in every run. */
function noise(length: number, values: number): Uint8Array<ArrayBuffer> {
  let state = 2463534242;
  return new Uint8Array(length).map(() => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % values;
  });
}

const CONTENTS = {
  nothing: new Uint8Array(),
  "a byte": noise(1, 256),
  "a short text": new Uint8Array(new TextEncoder().encode("an espresso, an espresso, an espresso")),
  "what cannot be compressed": noise(200_000, 256),
  "what can be in part": noise(300_000, 5),
  "lengths of codes of every kind": new Uint8Array(noise(200_000, 256).map((byte) => (byte * byte * byte) >> 16)),
  zeros: new Uint8Array(1_000_000),
  "repeats from afar": new Uint8Array([...noise(32_768, 256), ...noise(32_768, 256), ...noise(32_768, 256)]),
};

describe.each(Object.entries(CONTENTS))("%s", (_, content) => {
  it.each([
    ["gzip", "gzip"],
    ["deflate", "deflate"],
    ["deflate-raw", "deflate"],
  ] as const)("%s", async (format, encoding) => {
    const compressed = await compress(content, format);
    for (const size of [1, 13, 1000, 64 << 10]) {
      if (compressed.length / size > 50_000) continue;
      expect((await decode(compressed, encoding, size)).toBase64()).toBe(content.toBase64());
    }
  });
});

it("several members of gzip are one content, and padding behind them is none", async () => {
  const [a, b] = await Promise.all([compress(noise(5000, 9), "gzip"), compress(noise(70_000, 256), "gzip")]);
  const both = await decode(new Uint8Array([...a, ...b, 0, 0, 0]), "gzip", 7);
  expect(both.toBase64()).toBe(new Uint8Array([...noise(5000, 9), ...noise(70_000, 256)]).toBase64());
});

it("a head with every field is passed over", async () => {
  const content = noise(100, 256);
  const [, , , , , , , , , , ...rest] = await compress(content, "gzip");
  const head = [0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3, 0x61, 0, 0x62, 0x63, 0, 9, 9];
  expect((await decode(new Uint8Array([...head, ...rest]), "gzip", 1)).toBase64()).toBe(content.toBase64());
});

it("a bomb of 1000:1 comes out step by step, no further than its reader asks", async () => {
  const compressed = await compress(new Uint8Array(50_000_000), "gzip");
  expect(compressed.length).toBeLessThan(60_000);
  let steps = 0;
  for await (const step of decodedBody(new ByteStream(cut(compressed, 64 << 10)), "gzip", atOnce)) {
    expect(step.length).toBeLessThanOrEqual(LARGEST_STEP);
    if (++steps === 20) break;
  }
  expect(steps).toBe(20);
});

const refusal = async (bytes: Uint8Array, encoding: "gzip" | "deflate"): Promise<string> => {
  const error = await decode(bytes, encoding).then(
    () => new Error("it was decoded"),
    (error: unknown) => error,
  );
  if (!(error instanceof LabelerError)) throw error;
  expect(error.kind).toBe("bad-body");
  return error.message;
};

describe("what cannot be decoded is refused:", () => {
  it("no gzip", async () => {
    expect(await refusal(noise(100, 256), "gzip")).toMatch(/cannot be read as gzip/);
    expect(await refusal(new Uint8Array(), "gzip")).toMatch(/ends within its gzip/);
  });

  it("one that ends early, wherever", async () => {
    const compressed = await compress(noise(3000, 20), "gzip");
    for (const length of [1, 9, 15, 100, compressed.length - 9, compressed.length - 1]) {
      expect(await refusal(compressed.subarray(0, length), "gzip")).toMatch(/ends within its gzip/);
    }
  });

  it("one whose checksum does not match", async () => {
    const compressed = await compress(noise(3000, 20), "gzip");
    compressed[compressed.length - 6] ^= 1;
    expect(await refusal(compressed, "gzip")).toMatch(/checksum does not match/);
  });

  it("damage in every place is an error or other bytes, and nothing else", async () => {
    const compressed = await compress(noise(3000, 20), "deflate-raw");
    for (let at = 0; at < compressed.length; at += 3) {
      const damaged = compressed.slice();
      damaged[at] ^= 0x55;
      await decode(damaged, "deflate").catch((error: unknown) => {
        if (!(error instanceof LabelerError)) throw error;
      });
    }
  });

  it("blocks without end that have nothing in them", async () => {
    // Stored blocks of no bytes.
    const blocks = new Uint8Array(500_000);
    for (let at = 0; at < blocks.length; at += 5) blocks.set([0, 0, 0, 0xff, 0xff], at);
    expect(await refusal(blocks, "deflate")).toMatch(/too many blocks/);
  });

  it("members without end that have nothing in them", async () => {
    const empty = await compress(new Uint8Array(), "gzip");
    const many = new Uint8Array(1001 * empty.length);
    for (let i = 0; i < 1001; i++) many.set(empty, i * empty.length);
    expect(await refusal(many, "gzip")).toMatch(/more than 1000 members/);
  });
});

it.each([
  [null, undefined],
  ["identity", undefined],
  ["gzip", "gzip"],
  ["X-GZip", "gzip"],
  ["deflate", "deflate"],
])("Content-Encoding: %s is read as %s", (header, encoding) => {
  expect(encodingOf(header)).toBe(encoding);
});

it.each(["br", "zstd", "gzip, gzip", "gzip, br", "x".repeat(5000)])("Content-Encoding: %.20s is refused", (header) => {
  expect(() => encodingOf(header)).toThrow(/the labeler reads gzip or deflate/);
});
