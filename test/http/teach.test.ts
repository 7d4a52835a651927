/** `npm run model -- teach` as a user runs it, and the models that it writes, as a labeler serves them. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { readHead } from "../../worker/teaching/head-file.ts";
import { runScript } from "../script.ts";
import { COLOURS, noise } from "./noise.ts";
import { addTiny } from "./tiny-model.ts";

const root = mkdtempSync(join(tmpdir(), "edge-labeler-teach-"));
afterAll(() => rmSync(root, { recursive: true }));

let [models, photos, round] = ["", "", 0];
beforeEach(() => {
  round++;
  models = join(root, `models-${round}`);
  photos = join(root, `photos-${round}`);
  mkdirSync(models);
  addTiny(models, "tiny");
});

type Colour = keyof typeof COLOURS;

function put(colour: Colour, count: number, from = 0, label: string = colour): void {
  mkdirSync(join(photos, label), { recursive: true });
  for (let i = from; i < from + count; i++)
    writeFileSync(join(photos, label, `${colour}-${i}.bmp`), noise(COLOURS[colour], 100 * COLOURS[colour][1] + i));
}

const run = (...args: string[]) => runScript("model", [...args, "--models", models]);
const teach = (...args: string[]) => run("teach", "door", ...args);
const head = (name = "door") => readHead(new Uint8Array(readFileSync(join(models, name, "head.bin"))));
const counts = () => {
  const { labels, classes } = head();
  return Object.fromEntries(labels.map((label, index) => [label, classes.filter((own) => own === index).length]));
};

/** What a labeler answers for pictures of a colour. */
async function labelled(
  pictures: readonly Buffer[],
  name = "door",
): Promise<{ confidence: number; label: string }[][]> {
  const labeler = await startWorkerd({ models, settings: { DEFAULT_MODEL: name } });
  try {
    const answers = [];
    for (const body of pictures) {
      const response = await fetch(`${labeler.url}/label`, { method: "POST", body: new Uint8Array(body) });
      answers.push((await response.json()) as { confidence: number; label: string }[]);
    }
    return answers;
  } finally {
    await labeler.stop();
  }
}

describe("npm run model -- teach", () => {
  it("makes a model of a folder of photos that a labeler serves, and says what it can do", async () => {
    put("red", 6);
    put("blue", 6);
    const { code, out, err } = await teach(photos);
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toContain("Taught 2 classes with 12 photos.");
    expect(out).toMatch(/Each left out in turn, 100 % are recognised \(between 7\d % and 100 %/);
    expect(out).toMatch(/ {8}blue {2}red\n {2}blue {5}6 {4}0\n {2}red {6}0 {4}6/);
    expect(out).toContain('Photos that are unlike all of these are labelled "unknown".');
    const spec = JSON.parse(readFileSync(join(models, "door", "model.json"), "utf8"));
    expect(spec).toMatchObject({
      base: "tiny",
      head: "head.bin",
      crop: "squash",
      sha256: expect.stringMatching(/^\w{64}$/),
    });
    expect(readdirSync(join(models, "door")).sort()).toEqual(["head.bin", "model.json"]);
    const [red, blue] = await labelled([noise(COLOURS.red, 991), noise(COLOURS.blue, 992)]);
    expect(red?.map(({ label }) => label)).toEqual(["red", "blue"]);
    expect(red?.[0]?.confidence).toBeGreaterThan(0.7);
    expect(blue?.[0]?.label).toBe("blue");
  });

  it("gives the same files whenever the same photos are taught, whatever they are called", async () => {
    put("red", 4);
    put("blue", 4);
    await teach(photos);
    const first = readFileSync(join(models, "door", "head.bin"));
    rmSync(join(models, "door"), { recursive: true });
    for (const colour of ["red", "blue"]) {
      for (const file of readdirSync(join(photos, colour))) {
        cpSync(join(photos, colour, file), join(photos, colour, `x${9 - Number(file.at(-5))}.bmp`));
        rmSync(join(photos, colour, file));
      }
    }
    expect((await teach(photos)).code).toBe(0);
    expect(readFileSync(join(models, "door", "head.bin")).equals(first)).toBe(true);
  });

  it("takes files by class, and computes the features of new photos alone", async () => {
    put("red", 4);
    put("blue", 4);
    const [red, blue] = [join(photos, "red"), join(photos, "blue")];
    const files = (folder: string) => readdirSync(folder).map((file) => join(folder, file));
    const first = await teach("--class", "stop", ...files(red), "--class", "go", ...files(blue));
    expect(first.out).toContain("Taught 2 classes with 8 photos.");
    put("red", 2, 10);
    const again = await teach("--class", "stop", ...files(red), "--class", "go", blue);
    expect(again.out).toContain("Taught 2 classes with 10 photos, 8 of which were taught before.");
    expect(counts()).toEqual({ go: 4, stop: 6 });
  });

  it("adds, moves and removes single photos, whose other photos need not be there any more", async () => {
    put("red", 4);
    put("blue", 4);
    await teach(photos);
    const all = head();
    put("yellow", 3);
    const yellow = readdirSync(join(photos, "yellow")).map((file) => join(photos, "yellow", file));
    rmSync(join(photos, "red"), { recursive: true });
    expect((await teach("add", "yellow", ...yellow)).out).toContain("Taught 3 classes with 11 photos, 8 of which");
    expect(counts()).toEqual({ blue: 4, red: 4, yellow: 3 });
    expect((await teach("move", "red", ...yellow.slice(0, 1))).code).toBe(0);
    expect(counts()).toEqual({ blue: 4, red: 5, yellow: 2 });
    expect((await teach("remove", ...yellow)).code).toBe(0);
    expect(counts()).toEqual({ blue: 4, red: 4 });
    // The same photos make the same head again.
    expect(head()).toEqual(all);
    const digest = Buffer.from(all.digests.subarray(0, 32)).toString("hex");
    expect((await teach("remove", digest.slice(0, 12))).code).toBe(0);
    expect(counts()).toEqual({ blue: 3, red: 4 });
    const strange = await teach("remove", yellow[0] ?? "");
    expect([strange.code, strange.err]).toEqual([1, expect.stringMatching(/yellow-0.bmp was not taught/)]);
  });

  it("leaves out a broken photo among fifty, and names it", async () => {
    put("red", 25);
    put("blue", 25);
    writeFileSync(join(photos, "red", "broken.bmp"), "no picture");
    const { code, out } = await teach(photos);
    expect(code).toBe(0);
    expect(out).toContain("Taught 2 classes with 50 photos.");
    expect(out).toMatch(/These could not be used:\n {2}\S*red\/broken.bmp: This is not an image/);
  });

  it("teaches a class with one photo, which is not enough for unknown", async () => {
    put("red", 5);
    put("blue", 1);
    const { code, out } = await teach(photos);
    expect(code).toBe(0);
    expect(out).toMatch(/"blue" needs more photos: it has one photo/);
    expect(out).toMatch(/Not ready for "unknown": "blue" has too few different photos; each class needs 3\./);
    expect(head().novelty).toBeUndefined();
  });

  it("refuses a photo that is in two classes, and names both files", async () => {
    put("red", 3);
    put("blue", 3);
    cpSync(join(photos, "red", "red-0.bmp"), join(photos, "blue", "wrong.bmp"));
    const { code, err } = await teach(photos);
    expect(code).toBe(1);
    expect(err).toMatch(
      /blue\/wrong.bmp and \S*red\/red-0.bmp are the same photo, but one is of the class "blue" and the other of "red"/,
    );
    expect(existsSync(join(models, "door"))).toBe(false);
  });

  it("teaches the same file once, and names photos that look mislabelled", async () => {
    put("red", 8);
    put("blue", 8);
    put("blue", 1, 50, "red");
    cpSync(join(photos, "red", "red-0.bmp"), join(photos, "red", "copy.bmp"));
    const { out } = await teach(photos);
    expect(out).toContain("Taught 2 classes with 17 photos.");
    expect(out).toMatch(/These are the same file, and were taught once:\n.*red-0.bmp/);
    expect(out).toMatch(/These (may have the wrong label|are hard):\n.*blue-50.bmp: red, called blue/);
  });

  it("looks at a part of the picture, in photos and in what it labels", async () => {
    // The right half says which class it is, the left half is the same for all.
    const half = (colour: Colour, seed: number) => {
      const [bmp, right] = [noise(COLOURS.yellow, 7), noise(COLOURS[colour], seed)];
      for (let y = 0; y < 16; y++) right.copy(bmp, 54 + 48 * y + 24, 54 + 48 * y + 24, 54 + 48 * (y + 1));
      return bmp;
    };
    for (const [at, colour] of (["red", "blue"] as const).entries()) {
      mkdirSync(join(photos, colour), { recursive: true });
      for (let i = 0; i < 4; i++) writeFileSync(join(photos, colour, `${i}.bmp`), half(colour, 50 * at + i));
    }
    expect((await teach(photos, "--crop", "0.5,0,1,1")).code).toBe(0);
    const spec = JSON.parse(readFileSync(join(models, "door", "model.json"), "utf8"));
    expect(spec.crop).toBe("0.5,0,1,1");
    const [red, blue] = await labelled([half("red", 700), half("blue", 800)]);
    expect([red?.[0]?.label, blue?.[0]?.label]).toEqual(["red", "blue"]);
    // Taught again without the option it looks there still, and with regions it looks at those.
    expect((await teach(photos)).out).toContain("8 of which were taught before");
    const { crop: _, ...rest } = spec;
    const regions = { ...rest, regions: { right: [0.5, 0, 1, 1], whole: [0, 0, 1, 1] } };
    writeFileSync(join(models, "door", "model.json"), JSON.stringify(regions));
    expect((await teach(photos)).code).toBe(0);
    expect(JSON.parse(readFileSync(join(models, "door", "model.json"), "utf8"))).toEqual(regions);
    const [answer] = (await labelled([half("red", 700)])) as unknown as [
      { regions: Record<string, { label: string }[]> },
    ];
    expect(answer.regions.right?.[0]?.label).toBe("red");
  });

  it("keeps what else model.json says, and answers unknown for what is unlike all photos", async () => {
    put("red", 6);
    put("blue", 6);
    await teach(photos);
    const path = join(models, "door", "model.json");
    const spec = { ...JSON.parse(readFileSync(path, "utf8")), description: "The door", not: ["blue"] };
    writeFileSync(path, JSON.stringify(spec));
    await teach(photos);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(spec);
    const [yellow, red] = await labelled([noise(COLOURS.yellow, 5), noise(COLOURS.red, 991)]);
    expect(yellow?.map(({ label }) => label)).toEqual(["unknown"]);
    expect(red?.map(({ label }) => label)).toEqual(["red"]);
  });

  it.each([
    ["one class", () => put("red", 3), [], /photos of one class, "red"; a head tells two or more apart/],
    ["no class", () => mkdirSync(photos), [], /has no folders in it/],
    ["no folder", () => undefined, [], /cannot be read/],
    [
      "a reserved class",
      () => put("red", 3, 0, "unknown"),
      [],
      /The class "unknown" cannot be taught: "unknown" is reserved/,
    ],
    [
      "no such base",
      () => put("red", 3),
      ["--base", "none"],
      /There is no model "none" to be the base. There are: tiny/,
    ],
    ["a strange crop", () => put("red", 3), ["--crop", "left"], /--crop left: it is squash, center, or a rectangle/],
    ["a strange precision", () => put("red", 3), ["--precision", "quantised"], /can be exact or fast/],
  ])("refuses %s with the cause", async (_, prepare, args, reason) => {
    prepare();
    const { code, err } = await teach(photos, ...args);
    expect(code).toBeGreaterThan(0);
    expect(err).toMatch(reason);
    expect(existsSync(join(models, "door"))).toBe(false);
  });

  it("refuses a base without a pooling, and a name that another network has", async () => {
    put("red", 3);
    put("blue", 3);
    addTiny(models, "gated", { file: "tiny-gated.tflite" });
    const { err } = await teach(photos, "--base", "gated");
    expect(err).toMatch(/"gated" cannot be the base: it has no plan: operator \d+/);
    expect((await run("teach", "tiny", photos)).err).toMatch(/"tiny" is a model with a network of its own/);
    expect((await run("teach", "../x", photos)).err).toMatch(/cannot be a model's name/);
  });
});

describe("a head and its base", () => {
  it("do not fit where the base was replaced: the model is refused with the fix, and teaching it again works", async () => {
    put("red", 4);
    put("blue", 4);
    await teach(photos);
    addTiny(models, "tiny", { file: "tiny-uint8.tflite" });
    const check = await run("check", "door");
    expect(check.code).toBe(1);
    expect(check.out).toMatch(/cannot be used.*(made for another file|was taught on)/);
    const added = await teach("add", "red", join(photos, "red", "red-0.bmp"));
    expect(added.err).toMatch(/were taught before are of another base.*Teach them again from their files/);
    expect((await teach(photos)).code).toBe(0);
    expect((await run("check", "door")).code).toBe(0);
  });

  it("are refused where the head is of another base, is damaged, or labels do not fit", async () => {
    put("red", 4);
    put("blue", 4);
    await teach(photos);
    const [folder, path] = [join(models, "door"), join(models, "door", "model.json")];
    const spec = JSON.parse(readFileSync(path, "utf8"));
    const checked = async () => (await run("check", "door")).out;
    addTiny(models, "other", { file: "tiny-uint8.tflite" });
    writeFileSync(path, JSON.stringify({ base: "other", head: "head.bin" }));
    expect(await checked()).toMatch(/head.bin was taught on tiny with the SHA-256 \w{64}, but .*Teach it again/);
    writeFileSync(path, JSON.stringify({ ...spec, labels: ["one", "two", "three"] }));
    expect(await checked()).toMatch(/3 names for 2 classes/);
    writeFileSync(path, JSON.stringify({ ...spec, head: "../tiny/model.tflite" }));
    expect(await checked()).toMatch(/model.json, head: must be the name of a file/);
    writeFileSync(path, JSON.stringify(spec));
    const file = readFileSync(join(folder, "head.bin"));
    file[file.length - 30] = 255 - (file[file.length - 30] ?? 0);
    writeFileSync(join(folder, "head.bin"), file);
    expect(await checked()).toMatch(/The head is damaged: its checksum does not hold/);
    rmSync(join(folder, "head.bin"));
    expect(await checked()).toMatch(/there is no head.bin beside it/);
  });
});
