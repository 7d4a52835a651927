/** A truncated or damaged file is reported as such; an intact one is not. */
import { describe, expect, it } from "vitest";
import { fixture, hasReference, reference } from "../files.ts";
import { concat } from "./png-builder.ts";
import { decode, difference, EQUAL, formatCases, goldenPhotos, refusal, TO_224 } from "./references.ts";

const EOI = Uint8Array.of(0xff, 0xd9);

/** Where the entropy-coded data of the first scan begin. */
function scanOf(file: Uint8Array): number {
  const at = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xda);
  return at + 2 + file[at + 2] * 256 + file[at + 3];
}

const notesOf = async (file: Uint8Array<ArrayBuffer>) => {
  const { missing, warnings } = await decode(file, TO_224);
  return { missing, warnings };
};
const WHOLE = { missing: 0, warnings: 0 };

describe("a JPEG of several scans that breaks off", () => {
  it("misses the less the more of it came, and nothing when it is whole", async () => {
    const cases = (await formatCases("jpeg")).filter(({ name }) => name.includes("progressive"));
    expect(cases.length).toBeGreaterThan(0);
    for (const { name, file } of cases) {
      const scan = scanOf(file);
      const cuts = [0.3, 0.5, 0.7, 0.9].map((share) => scan + Math.floor((file.length - scan) * share));
      const notes = await Promise.all(cuts.map((end) => notesOf(file.slice(0, end))));
      const missing = notes.map((note) => note.missing);
      expect(missing, name).toEqual(missing.toSorted((a, b) => b - a));
      expect(new Set(missing).size, name).toBe(cuts.length);
      expect(missing.at(-1), name).toBeGreaterThan(0);
      expect(
        notes.map(({ warnings }) => warnings),
        name,
      ).toEqual([0, 0, 0, 0]);
      expect(await notesOf(file), name).toEqual(WHOLE);
    }
  });

  it.runIf(hasReference)("and is closed with an EOI says so as well", async () => {
    const file = await reference("corpus/variants/prog420.jpg");
    const cut = file.slice(0, scanOf(file) + 2000);
    const { missing } = await notesOf(cut);
    expect(missing).toBeGreaterThan(0.5);
    const closed = await notesOf(concat(cut, EOI));
    expect(closed.missing).toBeCloseTo(missing, 2);
    expect(closed.warnings).toBeGreaterThan(0);
  });

  it.runIf(hasReference)("and has its DC coefficients in a scan for each component is counted likewise", async () => {
    const file = await reference("corpus/variants/go-v.separate.dc.progression.jpg");
    const cut = await notesOf(file.slice(0, scanOf(file) + 100));
    expect(cut.missing).toBeGreaterThan(0.9);
    expect(cut.warnings).toBe(0);
    expect(await notesOf(file)).toEqual(WHOLE);
  });

  it.runIf(hasReference)("says so when only its DC coefficients are read", async () => {
    const file = await reference("corpus/large/24mp_prog.jpg");
    const decoded = await decode(file.slice(0, file.length >> 1), TO_224);
    expect(decoded.eighths).toBe(1);
    expect(decoded.missing).toBeGreaterThan(0.01);
    expect(decoded.missing).toBeLessThan(0.9);
  });
});

it("a progressive JPEG of which only the DC coefficients are read is neither missing anything nor damaged", async () => {
  const file = await fixture("formats/large-progressive.jpg");
  const { missing, warnings, eighths } = await decode(file, { ...TO_224, width: 64, height: 64, scale: "auto" });
  expect({ missing, warnings, eighths }).toEqual({ ...WHOLE, eighths: 1 });
});

describe("a JPEG of one scan", () => {
  const rocket = () => fixture("rocket.jpg");
  const middle = (file: Uint8Array) => (scanOf(file) + file.length) >> 1;

  it("that was cut and closed with an EOI misses as much as without it, and is damaged", async () => {
    const file = await rocket();
    const cut = file.slice(0, middle(file));
    const { missing } = await notesOf(cut);
    expect(missing).toBeGreaterThan(0.2);
    expect(await notesOf(cut)).toEqual({ missing, warnings: 0 });
    expect(await notesOf(concat(cut, EOI))).toEqual({ missing, warnings: 1 });
  });

  it("that has lost a packet is damaged", async () => {
    const file = await rocket();
    for (const size of [500, 1000, 1460]) {
      const { missing, warnings } = await notesOf(concat(file.slice(0, middle(file)), file.slice(middle(file) + size)));
      expect(missing + warnings, `${size} bytes`).toBeGreaterThan(0);
    }
  });

  it.runIf(hasReference)("whose restart markers do not follow one another is damaged", async () => {
    const file = (await reference("corpus/variants/rst.jpg")).slice();
    const second = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xd1);
    expect(await notesOf(file)).toEqual(WHOLE);
    file[second + 1] = 0xd5;
    expect((await notesOf(file)).warnings).toBeGreaterThan(0);
  });

  it("with padding in front of its EOI, as cameras of fixed buffers write it, is whole", async () => {
    const file = await rocket();
    for (const value of [0, 0xff]) {
      const padding = new Uint8Array(3000).fill(value);
      expect(await notesOf(concat(file.slice(0, -2), padding, EOI)), `${value}`).toEqual(WHOLE);
    }
    expect(await notesOf(concat(file, new Uint8Array(3000).fill(7)))).toEqual(WHOLE);
  });

  it.runIf(hasReference)("in arithmetic coding, which makes up what is missing, says so", async () => {
    const file = await reference("corpus/variants/arith.jpg");
    const { missing } = await notesOf(file.slice(0, middle(file)));
    expect(missing).toBeGreaterThan(0.3);
    expect(missing).toBeLessThan(0.7);
  });
});

it.runIf(hasReference)("a whole photo is neither missing anything nor damaged, at any scale", async () => {
  const large = ["24mp_base", "24mp_prog", "12mp_base", "12mp_444", "12mp_prog", "1080_base"];
  const paths = large.map((name) => `corpus/large/${name}.jpg`);
  for (const path of [...paths, ...(await goldenPhotos()).map((photo) => photo.path)]) {
    for (const scale of ["auto", "full"] as const) {
      const { missing, warnings } = await decode(await reference(path), { ...TO_224, scale });
      expect({ missing, warnings }, `${path}, ${scale}`).toEqual(WHOLE);
    }
  }
});

describe("a JPEG whose height comes in a DNL segment", () => {
  /** rocket.jpg with a height of 0, and its height behind the scan. */
  async function withDnl() {
    const file = await fixture("rocket.jpg");
    const frame = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xc0);
    const height = file.slice(frame + 5, frame + 7);
    const late = file.slice();
    late.fill(0, frame + 5, frame + 7);
    const dnl = concat(Uint8Array.of(0xff, 0xdc, 0, 4), height);
    return { file, late: concat(late.slice(0, -2), dnl, EOI), without: late };
  }

  it("is decoded like any other, at each scale", async () => {
    const { file, late } = await withDnl();
    for (const scale of ["auto", "full"] as const) {
      const expected = await decode(file, { ...TO_224, width: 64, height: 64, scale });
      const decoded = await decode(late, { ...TO_224, width: 64, height: 64, scale });
      expect(difference(decoded.pixels, expected.pixels), scale).toEqual(EQUAL);
      expect(decoded).toMatchObject({
        ...WHOLE,
        sourceWidth: expected.sourceWidth,
        sourceHeight: expected.sourceHeight,
      });
    }
  });

  it("is refused when the segment does not come", async () => {
    const { late, without } = await withDnl();
    expect((await refusal(late.slice(0, -8))).message).toMatch(/ends before its first row/);
    expect((await refusal(without)).message).toMatch(/contradicts its format/);
  });
});
