/**
 * Damaged models, archives and lists of labels: mutations from a fixed seed are refused in words or read, in less than a
 * second of processor time each and without much memory. FUZZ_CASES and FUZZ_SEED change how many and which; a release is tried with
 * FUZZ_CASES=3000 npm test -- test/http/readers-fuzz.test.ts
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, expect, it } from "vitest";
import { CommandError } from "../../scripts/command-line/command.ts";
import { readLabelList } from "../../scripts/user/model/label-files.ts";
import { decodeText } from "../../scripts/user/model/lists.ts";
import { readSource } from "../../scripts/user/model/sources.ts";
import { LabelerError } from "../../worker/errors.ts";
import { parseDerivedSpec } from "../../worker/model/derived-spec.ts";
import { parseGroups } from "../../worker/model/groups.ts";
import { inspectModel } from "../../worker/model/inspect.ts";
import { parseSpec } from "../../worker/model/spec.ts";
import { readUltralytics } from "../../worker/tflite/ultralytics.ts";
import { amount } from "../amount.ts";

const CASES = Number(process.env.FUZZ_CASES ?? amount(150, 50));
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const MILLISECONDS = 1000;
const MEMORY_BYTES = 256 << 20;

const folder = mkdtempSync(join(tmpdir(), "readers-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A generator of numbers below `n` that gives the same ones again (mulberry32). */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** Bytes that mean something in one of the formats. */
const TELLING = Buffer.from("{}[]()<>:,;'\"\\\n\r\t -#%0123456789\0\xff\xfe\x7f\x80PK", "latin1");

function mutate(original: Uint8Array, below: (n: number) => number): Uint8Array<ArrayBuffer> {
  let bytes = Uint8Array.from(original);
  for (let n = 1 + below(6); n > 0 && bytes.length > 0; n--) {
    const at = below(bytes.length);
    const kind = below(8);
    if (kind < 2) bytes[at] = below(256);
    else if (kind === 2) bytes[at] = TELLING[below(TELLING.length)] ?? 0;
    else if (kind === 3) bytes[at] ^= 1 << below(8);
    else if (kind === 4) bytes.fill(below(2) ? 0 : 255, at, at + 1 + below(16));
    else if (kind === 5) bytes.copyWithin(at, below(bytes.length), below(bytes.length));
    else if (kind === 6) bytes = bytes.slice(0, at);
    else {
      // A part that stands there many times: what takes quadratic time shows.
      const part = bytes.slice(at, at + 1 + below(8));
      const many = new Uint8Array(part.length * (1 + below(4000)));
      for (let i = 0; i < many.length; i += part.length) many.set(part, i);
      bytes = Uint8Array.from([...bytes.subarray(0, at), ...many, ...bytes.subarray(at)]);
    }
  }
  return bytes;
}

const fixture = (path: string) => new Uint8Array(readFileSync(join("test/fixtures", path)));
const texts = (...given: string[]) => given.map((text) => new Uint8Array(Buffer.from(text)));
const labels = (bytes: Uint8Array) => void readLabelList(decodeText(bytes));
const model = async (tflite: Uint8Array<ArrayBuffer>) => void (await inspectModel({ tflite }));
const tiny = fixture("ops/tiny-float.tflite");

let written = 0;
async function archive(bytes: Uint8Array): Promise<void> {
  const path = join(folder, `${written++}.zip`);
  writeFileSync(path, bytes);
  try {
    await readSource(path);
  } finally {
    rmSync(path);
  }
}

type Read = (bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>;
const READERS: readonly (readonly [string, Read, readonly Uint8Array[]])[] = [
  ["lists in lines", labels, texts("\ufeff0 Cat\r\n1 Dog\r\n2 No one\r\n", "tench, Tinca tinca\nhen\n", "a, b, c")],
  ["lists in UTF-16", labels, [new Uint8Array(Buffer.from("\ufeffCat\r\nDog\r\n", "utf16le"))]],
  ["lists in JSON", labels, texts('["a", "b"]', '{"1": "b", "0": "a"}', '{"labels": [{"id": 0, "name": "a"}]}')],
  ["class_indices.json", labels, texts('{"rose": 1, "daisy": 0, "tulip": 2}')],
  ["lists of Python", labels, texts("['cat', 'dog', \"it's\"]", "{0: 'cat', 1: 'dog\\'s'}")],
  ["names in YAML", labels, texts("nc: 2\nnames:\n  0: cat\n  1: 'dog'\n", "names: ['cat', 'dog']\n")],
  ["tables", labels, texts('ClassId,Name\n0,"Speed, limit"\n1,"Stop ""now"""\n', "0\tcat\n1\tdog\n", "a;1\nb;0\n")],
  ["label maps", labels, texts("item {\n id: 2\n name: 'b'\n}\nitem {\n id: 1\n display_name: \"A\"\n}\n")],
  [
    "model.json",
    (bytes) => void parseSpec(decodeText(bytes)),
    texts('{"input": {"mean": [1, 2, 3], "std": 127.5}, "min": {"a": 0.5}, "crop": "0.1,0.2,0.3,0.4", "order": "bgr"}'),
  ],
  [
    "model.json of derived models",
    (bytes) => void parseDerivedSpec(decodeText(bytes)),
    texts('{"base": "net", "groups": {"a": ["b"]}, "only": ["a"], "min": 0.5, "regions": {"l": [0, 0, 0.5, 1]}}'),
  ],
  [
    "groups.txt",
    (bytes) => void parseGroups(decodeText(bytes), "groups.txt"),
    texts("[dog]\n151:Chihuahua\n\n[cat]\n281:tabby\n"),
  ],
  [
    "Ultralytics' metadata",
    (bytes) => void readUltralytics(decodeText(bytes)),
    texts(`{'description': 'YOLO', 'author': 'Ultralytics', 'names': {0: 'tench', 1: "it's"}}`),
  ],
  ["networks with metadata and an archive", model, [fixture("ops/labels-in-zip-deflated.tflite")]],
  ["networks with weights behind them", model, [fixture("ops/tiny-external.tflite")]],
  [
    "networks of converters",
    model,
    ["signatures", "quantizer-recipe", "dynamic"].map((name) => fixture(`converters/${name}.tflite`)),
  ],
  ["archives", archive, [zipSync({ "model.tflite": tiny, "labels.txt": new Uint8Array(Buffer.from("a\nb\nc\nd\n")) })]],
];

it.each([
  ["quotes that are not closed", '"'],
  ["escaped quotes", "['\\'"],
  ["label maps that are not closed", "item {"],
  ["rows of YAML", "names: [:["],
  ["commas in quotes", '"",'],
  ["blanks", "1 \u00a0"],
])("a list of a megabyte of %s", (_, part) => {
  const begin = process.cpuUsage();
  try {
    readLabelList(part.repeat((1 << 20) / part.length));
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
  }
  expect(process.cpuUsage(begin).user / 1000).toBeLessThan(MILLISECONDS);
});

it.each(READERS)(
  "%s",
  async (_, read, originals) => {
    const below = random(SEED);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < CASES; i++) {
      const bytes = mutate(originals[i % originals.length] ?? new Uint8Array(), below);
      const begin = process.cpuUsage();
      try {
        await read(bytes);
      } catch (error) {
        if (!(error instanceof LabelerError || error instanceof CommandError)) {
          throw new Error(`mutation ${i}: ${error}`, { cause: error });
        }
        expect(error.message).not.toBe("");
      }
      const { user, system } = process.cpuUsage(begin);
      expect((user + system) / 1000, `milliseconds of mutation ${i}, of ${bytes.length} bytes`).toBeLessThan(
        MILLISECONDS,
      );
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(MEMORY_BYTES);
  },
  120_000,
);
