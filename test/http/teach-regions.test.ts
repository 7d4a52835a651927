/** npm run model -- teach for models with regions: a head for all of them, or one for each. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { CommandError } from "../../scripts/command-line/command.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { teach as runTeach } from "../../scripts/user/model/teach.ts";
import { readHead } from "../../worker/teaching/head-file.ts";
import { COLOURS, type Colour, scene } from "./noise.ts";
import { addTiny } from "./tiny-model.ts";

const root = mkdtempSync(join(tmpdir(), "edge-labeler-teach-regions-"));
afterAll(() => rmSync(root, { recursive: true }));

const LEFT = [0, 0, 0.5, 1];
const RIGHT = [0.5, 0, 1, 1];

let [models, photos, round] = ["", "", 0];
beforeEach(() => {
  round++;
  models = join(root, `models-${round}`);
  photos = join(root, `photos-${round}`);
  mkdirSync(models);
  addTiny(models, "tiny");
  // So few photos leave the threshold of unknown uncertain, which is not what is tested here.
  specify({ base: "tiny", unknown: 0, regions: { left: LEFT, right: RIGHT } });
});

function specify(spec: object): void {
  mkdirSync(join(models, "bays"), { recursive: true });
  writeFileSync(join(models, "bays", "model.json"), JSON.stringify(spec));
}

const spec = () => JSON.parse(readFileSync(join(models, "bays", "model.json"), "utf8"));
const OPTIONS = {
  class: { type: "string", multiple: true },
  crop: { type: "string" },
  regions: { type: "boolean" },
} as const;

/** As `npm run model -- teach bays …`, in this process, which is faster. */
async function teach(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const print = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const out = () => print.mock.calls.flat().join("\n");
  try {
    await runTeach(models, "bays", positionals, values, { args: ["teach", "bays", ...args], options: OPTIONS });
    return { code: 0, out: out(), err: "" };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { code: error.exitCode, out: out(), err: error.message };
  } finally {
    print.mockRestore();
  }
}
const head = (file: string) => readHead(new Uint8Array(readFileSync(join(models, "bays", file))));
const counts = (file: string) => {
  const { labels, classes } = head(file);
  return Object.fromEntries(labels.map((label, index) => [label, classes.filter((own) => own === index).length]));
};

const sceneOf = (colours: readonly Colour[], seed: number) =>
  scene(
    colours.map((colour) => COLOURS[colour]),
    seed,
  );

/** Puts scenes into a folder of photos. @returns Their paths. */
function put(folder: string, colours: readonly Colour[], count: number, seed = 0): string[] {
  return Array.from({ length: count }, (_, i) => {
    const path = join(photos, folder, `${colours.join("-")}-${seed + i}.bmp`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, sceneOf(colours, 10 * folder.length + seed + i));
    return path;
  });
}

/** Bays that are free where they are red: the left one was taught "free" and "taken", the right one "shut", too. */
function putApart(): void {
  put("left/free", ["red", "blue"], 2);
  put("left/free", ["red", "yellow"], 2, 10);
  put("left/taken", ["blue", "red"], 2);
  put("left/taken", ["blue", "yellow"], 2, 10);
  put("right/free", ["blue", "red"], 4);
  put("right/taken", ["red", "blue"], 4);
  put("right/shut", ["red", "yellow"], 4);
}

interface Label {
  readonly label: string;
  readonly confidence: number;
}
type Regions = Record<string, Label[]>;

/** Asks a labeler with these models. */
async function asking<T>(work: (url: string) => Promise<T>): Promise<T> {
  const labeler = await startWorkerd({ models, settings: { DEFAULT_MODEL: "bays" } });
  try {
    return await work(labeler.url);
  } finally {
    await labeler.stop();
  }
}

const post = (url: string, body: Buffer, headers: Record<string, string> = {}) =>
  fetch(url, { method: "POST", body: new Uint8Array(body), headers });
const regionsOf = async (url: string, body: Buffer) =>
  ((await (await post(`${url}/label`, body)).json()) as { regions: Regions }).regions;
const best = (regions: Regions) =>
  Object.fromEntries(Object.entries(regions).map(([name, labels]) => [name, labels[0]?.label]));

describe("a head for all regions", () => {
  it("is taught every region of each photo of the scene, and serves all regions", async () => {
    put("free", ["red", "red"], 3);
    put("taken", ["blue", "blue"], 3);
    const { code, out, err } = await teach(photos, "--regions");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("Taught 2 classes with 12 photos.");
    expect(spec()).toMatchObject({ head: "head.bin", regions: { left: LEFT, right: RIGHT } });
    expect(spec().crop).toBeUndefined();
    await asking(async (url) => {
      expect(best(await regionsOf(url, sceneOf(["red", "blue"], 900)))).toEqual({ left: "free", right: "taken" });
      expect(best(await regionsOf(url, sceneOf(["blue", "red"], 901)))).toEqual({ left: "taken", right: "free" });
    });
    // It crops by region from now on, and a file is moved and taken out in both.
    const [added = ""] = put("later", ["red", "red"], 1, 300);
    expect((await teach("add", "free", added)).out).toContain("Taught 2 classes with 14 photos, 12 of which");
    expect((await teach("move", "taken", added)).code).toBe(0);
    expect(counts("head.bin")).toEqual({ free: 6, taken: 8 });
    expect((await teach("remove", added)).code).toBe(0);
    expect(counts("head.bin")).toEqual({ free: 6, taken: 6 });
    // Examples of a region that was moved since are of another part of the picture.
    specify({ ...spec(), regions: { left: [0, 0, 0.4, 1], right: RIGHT } });
    expect((await teach("add", "free", added)).err).toMatch(/another part of the picture. Teach them again/);
  });
});

describe("a head for each region", () => {
  it("is taught by folders of regions, answers in its own classes, and is added to, moved in and removed from", async () => {
    putApart();
    const { code, out, err } = await teach(photos, "--regions");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(
      /The region left:\nTaught 2 classes with 8 photos\.[\s\S]*The region right:\nTaught 3 classes with 12/,
    );
    expect(spec().head).toEqual({ left: "head-left.bin", right: "head-right.bin" });
    expect(readdirSync(join(models, "bays")).sort()).toEqual(["head-left.bin", "head-right.bin", "model.json"]);
    const body = sceneOf(["red", "yellow"], 900);
    const tag = await asking(async (url) => {
      const response = await post(`${url}/label`, body);
      const { regions } = (await response.json()) as { regions: Regions };
      const { left = [], right = [] } = regions;
      expect(best(regions)).toEqual({ left: "free", right: "shut" });
      expect(left.map(({ label }) => label).sort()).toEqual(["free", "taken"]);
      expect(right).toHaveLength(3);
      expect(best(await regionsOf(url, sceneOf(["blue", "blue"], 901)))).toEqual({ left: "taken", right: "taken" });
      const entry = await (await fetch(`${url}/models/bays`)).json();
      expect(entry).toMatchObject({ classes: 3, headPerRegion: true });
      await expectByProtocol(url, body, { left, right });
      return response.headers.get("etag");
    });
    const left = readFileSync(join(models, "bays", "head-left.bin"));
    const added = put("later", ["blue", "yellow"], 2, 300);
    expect((await teach("add", "right/shut", ...added)).out).toMatch(
      /^The region right:\nTaught 3 classes with 14 photos, 12 of which/,
    );
    expect(counts("head-right.bin")).toEqual({ free: 4, shut: 6, taken: 4 });
    expect(readFileSync(join(models, "bays", "head-left.bin")).equals(left)).toBe(true);
    // What was cached of the former head is not found any more.
    await asking(async (url) => expect((await post(`${url}/label`, body)).headers.get("etag")).not.toBe(tag));
    expect((await teach("move", "right/free", ...added)).code).toBe(0);
    expect(counts("head-right.bin")).toEqual({ free: 6, shut: 4, taken: 4 });
    // The same scene may be of different classes in different regions; it leaves both.
    await teach("add", "left/taken", ...added.slice(0, 1));
    expect((await teach("remove", ...added)).out).toMatch(/The region left:[\s\S]*The region right:/);
    expect(counts("head-right.bin")).toEqual({ free: 4, shut: 4, taken: 4 });
    expect((await teach("add", "free", ...added)).err).toMatch(/has a head for each region: .* such as left\/CLASS/);
    expect((await teach("remove", ...added)).err).toMatch(/yellow-300.bmp was not taught/);
  });

  /** One region by the protocols that hold one, and regions that the model was not taught. */
  async function expectByProtocol(url: string, body: Buffer, { left, right }: Record<"left" | "right", Label[]>) {
    const csv = await post(`${url}/label?region=right`, body, { accept: "text/csv" });
    expect(await csv.text()).toContain(right[0]?.label);
    const rule = await post(`${url}/ekuiper/labelImage?region=left`, body);
    expect(await rule.json()).toMatchObject({ regions: [{ name: "left", results: left }] });
    const inputs = [{ name: "image", shape: [1], datatype: "BYTES", data: [body.toString("base64")] }];
    for (const [region, labels] of Object.entries({ left, right })) {
      const inferred = await fetch(`${url}/v2/models/bays/infer?region=${region}`, {
        method: "POST",
        body: JSON.stringify({ inputs }),
      });
      const { outputs } = (await inferred.json()) as { outputs: { name: string; data: unknown[] }[] };
      const data = outputs.find(({ name }) => name === "labels")?.data;
      expect(data?.slice(0, labels.length)).toEqual(labels.map(({ label }) => label));
    }
    const strange = await post(`${url}/label?region=middle:0.2,0,0.8,1`, body);
    expect(strange.status).toBe(400);
    expect(await strange.text()).toMatch(/has no region \\"middle\\", and was taught for each of its regions apart/);
    // Elsewhere in the picture, but by the head of that region.
    const moved = await (await post(`${url}/label?region=right:0,0,0.5,1`, body)).json();
    expect((moved as { regions: Regions }).regions.right).toHaveLength(3);
  }

  it("takes --class with regions, for photos that show one region already", async () => {
    const free = put("a", ["red", "red"], 3);
    const taken = put("b", ["blue", "blue"], 3);
    const classes = ["left", "right"].flatMap((region) => [
      ...["--class", `${region}/free`, ...free],
      ...["--class", `${region}/taken`, ...taken],
    ]);
    expect((await teach(...classes)).code).toBe(0);
    expect(head("head-left.bin").base.crop).toBe("squash");
    // Without regions in the names, one head is for all again, and the former files are gone.
    expect((await teach("--class", "free", ...free, "--class", "taken", ...taken)).code).toBe(0);
    expect(readdirSync(join(models, "bays")).sort()).toEqual(["head.bin", "model.json"]);
    const mixed = await teach("--class", "left/free", ...free, "--class", "taken", ...taken);
    expect(mixed.err).toMatch(/The class "taken" does not name a region, and others do/);
  });

  it("is refused where the folders do not fit the regions, with the cause", async () => {
    putApart();
    const refused = async (json: object, ...args: string[]) => {
      specify(json);
      const { code, err } = await teach(...args);
      expect(code).toBeGreaterThan(0);
      return err;
    };
    const regions = { left: LEFT, right: RIGHT };
    expect(await refused({ base: "tiny" }, photos, "--regions")).toMatch(/"bays" has no regions. Write a model.json/);
    expect(await refused({ base: "tiny", regions }, photos, "--regions", "--crop", "0,0,1,1")).toMatch(/name one of/);
    expect(await refused({ base: "tiny", regions: { ...regions, gate: LEFT } }, photos, "--regions")).toMatch(
      /The region "gate" has no photos. Teach it, too/,
    );
    expect(await refused({ base: "tiny", regions: { left: LEFT } }, photos, "--regions")).toMatch(
      /right is not the folder of a region with classes in it, as left is. bays has the regions left/,
    );
    const both = ["left", "Left"].flatMap((region) => [
      ...["--class", `${region}/free`, join(photos, "left", "free")],
      ...["--class", `${region}/taken`, join(photos, "left", "taken")],
    ]);
    expect(await refused({ base: "tiny", regions: { left: LEFT, Left: RIGHT } }, ...both)).toMatch(
      /differ only in capital letters/,
    );
    expect(readdirSync(join(models, "bays"))).toEqual(["model.json"]);
  });
});
