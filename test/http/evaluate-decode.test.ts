/**
 * `npm run evaluate:decode` as a user runs it: on a folder of hostile files and names, with real Pillow and TensorFlow
 * Lite.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NoPython, pythonPrograms, REFERENCES } from "../../scripts/system/python.ts";
import { compareLabels, comparePixels } from "../../scripts/user/evaluate-decode/compare.ts";
import { runScript } from "../script.ts";
import { referenceFolder } from "./client.ts";

/** The environment that the command makes for itself, so that it is made once. */
function findPython(): { programs: string } | { missing: string } {
  try {
    return { programs: pythonPrograms("references", REFERENCES) };
  } catch (error) {
    if (!(error instanceof NoPython)) throw error;
    return { missing: error.message };
  }
}

const python = findPython();
if ("missing" in python) {
  if (process.env.CI) throw new Error(python.missing);
  console.warn(`Decoding is not compared with Pillow. ${python.missing}`);
}

const root = mkdtempSync(join(tmpdir(), "evaluate-decode-"));
const folder = join(root, "suite");
const evaluate = (...args: string[]) => runScript("evaluate:decode", args);
const evaluateJson = async (...args: string[]) => {
  const { code, out, err } = await evaluate("--json", ...args);
  expect(out, err).toMatch(/^\{/);
  return { code, err, result: JSON.parse(out) };
};

beforeAll(() => {
  mkdirSync(join(folder, "deeper", ".git"), { recursive: true });
  cpSync("test/fixtures/grace_hopper.jpg", join(folder, "a good one.jpg"));
  cpSync("test/fixtures/formats/large-progressive.jpg", join(folder, "deeper", "large.jpg"));
  cpSync("test/fixtures/coffee-300.avif", join(folder, "deeper", "avif"));
  cpSync("test/fixtures/coffee.png", join(folder, "deeper", ".git", "not seen.png"));
  const rocket = readFileSync("test/fixtures/rocket.jpg");
  writeFileSync(join(folder, "cut.jpg"), rocket.subarray(0, rocket.length / 2));
  writeFileSync(
    Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x0a, 0x7c]), Buffer.from(".png")]),
    readFileSync("test/fixtures/chelsea.png"),
  );
  writeFileSync(join(folder, "line\nbreak and \u202e.gif"), "GIF89a");
  writeFileSync(join(folder, "empty"), "");
  symlinkSync("loop", join(folder, "loop"));
  symlinkSync("..", join(folder, "deeper", "up"));
  symlinkSync("nowhere", join(folder, "deeper", "broken link"));
  execFileSync("mkfifo", [join(folder, "pipe")]);
  // More than the labeler takes, without a byte on the disk.
  execFileSync("truncate", ["--size=100M", join(folder, "sparse.bmp")]);
});
afterAll(() => rmSync(root, { recursive: true }));

describe.skipIf("missing" in python)("npm run evaluate:decode", () => {
  it("compares pixels and labels, and goes on behind whatever a folder has", async () => {
    const { code, err, result } = await evaluateJson(folder);
    expect(err).toBe("");
    expect(result).toMatchObject({
      model: "mobilenet_v1_1.0_224",
      precision: "exact",
      reference: { pillow: "12.2.0", tflite: "ai_edge_litert.interpreter" },
      files: 10,
      // The AVIF is Pillow's alone.
      decodedBy: { both: 4, labeler: 0, Pillow: 1, neither: 2 },
      faults: [],
    });
    // Pillow's pixels and TensorFlow Lite's confidences, where the file is whole.
    expect(result.full).toMatchObject({ files: 4, pixelsCompared: 4, sameTop1: 4, labelsCompared: 4 });
    expect(result.exceptions.filter(({ reason }: { reason: string }) => reason !== "the file ends early")).toEqual([]);
    expect(result.auto).toMatchObject({ files: 1, pixelsCompared: 1, pixelsEqual: 0 });
    expect(result.auto.largestConfidence).toBeGreaterThan(1e-5);
    expect(result.unread).toHaveLength(3);
    expect(result.unread).toEqual(
      expect.arrayContaining([
        { file: `${folder}/deeper/broken link`, reason: "ENOENT" },
        { file: `${folder}/loop`, reason: "ELOOP" },
        { file: `${folder}/sparse.bmp`, reason: "larger than MAX_BODY_BYTES" },
      ]),
    );
    expect(result.refusals).toContainEqual({
      by: "labeler",
      reason: expect.stringMatching(/^415 unsupported-image: This is an? AVIF/),
      files: 1,
      decodedByOther: 1,
      example: `${folder}/deeper/avif`,
    });
    expect(code).toBe(0);
  });

  it("prints tables of them, with names that break nothing", async () => {
    const { code, out } = await evaluate(folder);
    expect(code).toBe(0);
    expect(out).toMatch(/^10 files, mobilenet_v1_1.0_224 exact, beside Pillow 12.2.0 and ai_edge_litert/);
    expect(out).toMatch(/\| full scale, beside the reference +\| 4 /);
    expect(out).toMatch(/\| labeler +\| 415 unsupported-image: This is an? AVIF/);
    expect(out).toContain("line\\u{a}break and \\u{202e}.gif");
    expect(out).not.toContain("\u202e");
    const widths = out.split("\n\n").map((part) => new Set(part.split("\n").map((line) => line.length)).size);
    expect(widths[2], "all lines of the table are equally long").toBe(1);
  });

  it("survives a Python that crashes, hangs or floods its output on a file, and names the files", async () => {
    const programs = "programs" in python ? python.programs : "";
    const hostile = join(root, "hostile");
    mkdirSync(hostile);
    for (const name of ["1 crash", "2 hang", "3 babble", "4 whole"])
      cpSync("test/fixtures/rocket.jpg", join(hostile, name));
    writeFileSync(
      join(root, "sitecustomize.py"),
      `import os, signal, sys, time
import PIL.Image
real = PIL.Image.open
def opened(path, *args, **more):
    if b"crash" in path: os.kill(os.getpid(), signal.SIGSEGV)
    if b"hang" in path: time.sleep(600)
    if b"babble" in path: print("\\n" * 100000, flush=True)
    return real(path, *args, **more)
PIL.Image.open = opened
`,
    );
    const wrapper = join(root, "python");
    writeFileSync(wrapper, `#!/bin/sh\nPYTHONPATH=${root} exec ${join(programs, "python")} "$@"\n`, { mode: 0o755 });
    const { code, result } = await evaluateJson(hostile, "--python", wrapper, "--timeout", "5");
    expect(result).toMatchObject({ files: 4, decodedBy: { both: 2, labeler: 2 }, full: { files: 2, withinExact: 2 } });
    expect(result.refusals).toEqual([
      { by: "Pillow", reason: "Python ended (SIGSEGV)", files: 1, decodedByOther: 1, example: `${hostile}/1 crash` },
      { by: "Pillow", reason: "no answer within N s", files: 1, decodedByOther: 1, example: `${hostile}/2 hang` },
    ]);
    expect(code).toBe(0);
  });

  it.runIf(referenceFolder)(
    "finds Pillow's pixels and TensorFlow Lite's confidences in the photos of the reference data",
    async () => {
      const { code, result } = await evaluateJson(join(referenceFolder ?? "", "images"));
      // The fifteenth file says whose photos they are.
      expect(result).toMatchObject({ exceptions: [], faults: [], files: 15, decodedBy: { both: 14, neither: 1 } });
      expect(result.full).toMatchObject({ pixelsEqual: 14, sameTop1: 14, withinExact: 14 });
      expect(code).toBe(0);
    },
  );
});

describe("npm run evaluate:decode without Python", () => {
  it("says so and compares auto with full scale", async () => {
    const { code, out, err } = await evaluate(folder, "--python", "/nowhere/python");
    expect(err).toMatch(/\/nowhere\/python cannot be run.*\nNothing is compared with Pillow/);
    expect(out).toMatch(/^10 files, mobilenet_v1_1.0_224 exact\n/);
    expect(out).toMatch(/\| auto, where it is smaller, beside full scale +\| 1 /);
    expect(out).not.toMatch(/beside the reference/);
    expect(code).toBe(0);
  });

  it("refuses what is no folder, and a model that is not there", async () => {
    expect(await evaluate("/nowhere")).toMatchObject({ code: 2, err: "/nowhere is not a folder.\n" });
    expect(await evaluate(folder, "--model", "nosuch")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no model "nosuch"/),
    });
    expect(await evaluate(folder, "--crop", "middle")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/there is squash and center/),
    });
  });
});

describe("what is compared", () => {
  it("counts values that differ, and the largest difference", () => {
    expect(comparePixels(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 9, 2))).toEqual({ values: 2, largest: 7 });
    expect(() => comparePixels(Uint8Array.of(1), Uint8Array.of(1, 2))).toThrow(/1 bytes.*2/);
  });

  it("compares confidences by their labels, of which two may be the same", () => {
    const ours = [
      { label: "crane", confidence: 0.6 },
      { label: "crane", confidence: 0.3 },
      { label: "cat", confidence: 0.1 },
    ];
    expect(compareLabels(ours, ours.toReversed())).toEqual({ sameTop1: true, confidence: 0 });
    const theirs = [
      { label: "crane", confidence: 0.3 },
      { label: "crane", confidence: 0.2 },
      { label: "cat", confidence: 0.5 },
    ];
    expect(compareLabels(ours, theirs)).toEqual({ sameTop1: false, confidence: expect.closeTo(0.4) });
    expect(compareLabels(ours, [{ label: "crane", confidence: Number.NaN }]).confidence).toBe(1);
  });
});
