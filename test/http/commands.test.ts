/** The commands that need no server: npm run label and npm run model, as a user runs them. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { runScript, scriptArguments } from "../script.ts";
import { makeReadOnly, mountSmall, unmountAll } from "./mounted.ts";

const folder = mkdtempSync(join(tmpdir(), "commands-"));
const photos = join(folder, "photos");
const fixtures = "test/fixtures";
let labeler: RunningLabeler;

beforeAll(async () => {
  mkdirSync(join(photos, "deeper"), { recursive: true });
  cpSync(`${fixtures}/coffee.png`, join(photos, "shelf-10.PNG"));
  cpSync(`${fixtures}/chelsea.png`, join(photos, "shelf-2.png"));
  writeFileSync(join(photos, "deeper", "broken, really.png"), readFileSync(`${fixtures}/coffee.png`).subarray(0, 20));
  writeFileSync(join(photos, "notes.txt"), "no image");
  labeler = await startWorkerd({ settings: { LABELER_TOKEN: "secret" } });
});
afterAll(async () => {
  await labeler.stop();
  rmSync(folder, { recursive: true });
});

const NOBODY = { uid: 65534, gid: 65534 };
/** Whether the superuser runs this, in a folder that other users reach. */
const othersRead =
  process.getuid?.() === 0 && spawnSync(process.execPath, ["--eval", `require("./package.json")`], NOBODY).status === 0;

describe("npm run label", () => {
  const remote = (...args: string[]) => runScript("label", ["--url", `${labeler.url}/`, ...args], { token: "secret" });

  it("labels a file without a server: a table", async () => {
    const { code, out, err } = await runScript("label", [`${fixtures}/coffee.png`, "--top", "2"]);
    expect(err).toBe("");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^test\/fixtures\/coffee\.png {2} 99\.\d % {2}968:espresso$/);
    expect(lines[1]).toMatch(/^ +0\.\d % {2}505:coffee mug$/);
  });

  it("takes a folder with all below it, in an order people expect, and goes on after a broken image", async () => {
    const { code, out } = await remote(photos, "--json", "--top", "1");
    expect(code).toBe(1);
    const answers = JSON.parse(out) as { file: string; labels?: { label: string }[]; error?: string }[];
    expect(answers.map(({ file }) => file.slice(photos.length + 1))).toEqual([
      "deeper/broken, really.png",
      "shelf-2.png",
      "shelf-10.PNG",
    ]);
    expect(answers[0]?.labels).toBeUndefined();
    expect(answers[0]?.error).toMatch(/\w/);
    expect(answers.slice(1).map(({ labels }) => labels?.[0]?.label)).toEqual(["286:Egyptian cat", "968:espresso"]);
  });

  it("writes CSV whose cells survive commas", async () => {
    const { code, out } = await remote(`${photos}/**/*.png`, "--csv", "--top", "1");
    expect(code).toBe(1);
    const [head, broken, cat, ...rest] = out.split("\r\n");
    expect(head).toBe("file,rank,confidence,label,missing,warnings,error");
    expect(broken).toMatch(/deeper\/broken, really\.png",,,,,,"?\w/);
    expect(cat).toMatch(/shelf-2\.png,1,0\.8\d+,286:Egyptian cat,,,$/);
    expect(rest[0]).toMatch(/shelf-10\.PNG,1/);
  });

  it.skipIf(!othersRead)("labels in a checkout that belongs to another user", async () => {
    await runScript("label", [`${fixtures}/coffee.png`]); // The Worker is bundled by the owner.
    const args = scriptArguments("label", [`${fixtures}/coffee.png`, "--json"]);
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { ...NOBODY, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("968:espresso");
  });

  it("reads an image from stdin", async () => {
    const stdin = new Uint8Array(readFileSync(`${fixtures}/coffee.png`));
    const { code, out } = await runScript("label", ["--url", labeler.url, "--json", "-"], { stdin, token: "secret" });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject([{ file: "-", labels: [{ label: "968:espresso" }, {}, {}] }]);
  });

  it.each([
    ["no image", [], /Name at least one image/],
    ["a file that is not there", ["nosuch.png"], /nosuch\.png is neither a file/],
    ["an address", ["https://example.com/a.jpg"], /is an address, .*Download it/],
    ["a folder without images", ["worker/http"], /worker\/http has no images/],
    ["an unknown option", ["--nosuch", "x.png"], /--nosuch/],
    ["two forms", ["--json", "--csv", "x.png"], /exclude/],
    ["a parameter that is wrong", ["--min", "2", `${fixtures}/coffee.png`], /min: must be between 0 and 1/],
    ["an unknown model", ["--model", "nosuch", `${fixtures}/coffee.png`], /no model "nosuch"/],
  ])("ends with 2 for %s", async (_, args, message) => {
    const { code, out, err } = await remote(...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
  });

  it("ends with 2 where the token is wrong or nobody answers", async () => {
    const args = [`${fixtures}/coffee.png`, "--url"];
    const wrong = await runScript("label", [...args, labeler.url], { token: "another" });
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/does not accept the token in LABELER_TOKEN/);
    const without = await runScript("label", [...args, labeler.url]);
    expect(without.code).toBe(2);
    expect(without.err).toMatch(/requires a token\. Set LABELER_TOKEN/);
    const nobody = await runScript("label", [...args, "http://127.0.0.1:9"]);
    expect(nobody.code).toBe(2);
    expect(nobody.err).toMatch(/http:\/\/127\.0\.0\.1:9 cannot be reached.*Start the labeler there/);
  });
});

describe("npm run model", () => {
  const models = join(folder, "models");
  const labels = join(folder, "labels.txt");
  const model = (...args: string[]) => runScript("model", [...args, "--models", models]);
  const installed = () => readdirSync(models).filter((name) => ![".assetsignore", "index.json"].includes(name));

  beforeAll(() => {
    mkdirSync(models);
    writeFileSync(labels, "red\ngreen\nblue\ngrey\n");
  });

  it("adds a model, lists it, checks it and removes it", async () => {
    const file = join(folder, "My Model (2).tflite");
    cpSync(`${fixtures}/ops/tiny-float.tflite`, file);
    const added = await model("add", file, "--labels", labels);
    expect(added).toMatchObject({ code: 0, err: "" });
    expect(installed()).toEqual(["my-model-2"]);
    expect((await model("list")).out).toMatch(/^MODEL .*\nmy-model-2 .* 8×8 rgb float32 0…1 \(guess\) +4 /);
    const checked = await model("check");
    expect(checked).toMatchObject({ code: 0, out: expect.stringMatching(/^my-model-2: can be used\n/) });
    expect(checked.out).toMatch(/my-model-2: The input range 0…1 is a guess/);
    const again = await model("add", file, "--labels", labels);
    expect(again).toMatchObject({ code: 1, out: "" });
    expect(again.err).toMatch(/There is a model "my-model-2" already/);
    expect(await model("remove", "my-model-2")).toMatchObject({ code: 0 });
    expect(installed()).toEqual([]);
    expect(await model("remove", "my-model-2")).toMatchObject({ code: 1 });
  });

  it("leaves nothing of a model that cannot be used, and says why", async () => {
    const unusable = await model("add", `${fixtures}/ops/bad-custom-op.tflite`, "--labels", labels);
    expect(unusable.code).toBe(1);
    expect(unusable.err).toMatch(/bad-custom-op\.tflite: This network gives a value for each place/);
    expect(installed()).toEqual([]);
  });

  it("adds a model of which an interrupted command has left a part", async () => {
    mkdirSync(join(models, ".again"));
    writeFileSync(join(models, ".again", "groups.txt"), "left");
    const added = await model("add", `${fixtures}/ops/tiny-float.tflite`, "--labels", labels, "--name", "again");
    expect(added).toMatchObject({ code: 0, err: "" });
    expect(readdirSync(join(models, "again")).sort()).toEqual(["labels.txt", "model.tflite"]);
    expect(await model("remove", "again")).toMatchObject({ code: 0 });
  });

  it("says in a sentence that its disk is full, or read-only, and leaves nothing", async () => {
    const disk = join(folder, "disk");
    if (!mountSmall(disk)) return;
    const add = (file: string) => runScript("model", ["add", file, "--name", "x", "--models", disk]);
    try {
      const large = await add("model-assets/mobilenet_v1_1.0_224/model.tflite");
      expect(large).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^There is no space left for .*\. Free some\.\n$/),
      });
      expect(readdirSync(disk)).not.toContain(".x");
      makeReadOnly(disk);
      const refused = await add(`${fixtures}/ops/tiny-float.tflite`);
      expect(refused).toMatchObject({ code: 1, err: `${disk}/.x is on a read-only file system.\n` });
    } finally {
      unmountAll();
    }
  });

  it("refuses a name that leaves the folder", async () => {
    const outside = await model("add", `${fixtures}/ops/tiny-float.tflite`, "--labels", labels, "--name", "../x");
    expect(outside.code).toBe(1);
    expect(outside.err).toMatch(/cannot be a model's name/);
  });

  it("says of a broken folder that it cannot be used", async () => {
    mkdirSync(join(models, "broken"));
    writeFileSync(join(models, "broken", "model.tflite"), "no model");
    const { code, out } = await model("check", "broken");
    expect(code).toBe(1);
    expect(out).toMatch(/^broken: cannot be used\. .*broken\/model\.tflite/);
    rmSync(join(models, "broken"), { recursive: true });
  });

  it("explains how a model is computed: a line for each step, with kernel, shapes, bytes and time", async () => {
    await model("add", `${fixtures}/ops/tiny-float.tflite`, "--labels", labels, "--name", "tiny");
    const { code, out, err } = await model("explain", "tiny");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [title, , head, ...lines] = out.split("\n");
    expect(title).toMatch(/^tiny, exact: \d+ steps$/);
    expect(head).toMatch(/^STEP +OPERATOR +KERNEL +INPUT +OUTPUT +PACKED +SCRATCH +MS +SHARE$/);
    expect(lines[0]).toMatch(
      /^ *0 +\d+ CONV_2D +f32_gemm_4x8_fma +1×8×8×3 f32 +1×\d+×\d+×\d+ f32 +[\d.]+ KB +[\d.]+ KB +\d\.\d{3} +/,
    );
    expect(out).toMatch(/^Memory: .* of which packed constants/m);
    const fast = await model("explain", "tiny", "--precision", "fast", "--json");
    expect(fast).toMatchObject({ code: 0, err: "" });
    const { precision, plan, stepMs, bytes } = JSON.parse(fast.out);
    expect(precision).toBe("fast");
    expect(plan.steps[0]).toMatchObject({ kernel: "qd16_f32_gemm_4x8c2_dot16x2", operator: { op: "CONV_2D" } });
    expect(stepMs).toHaveLength(plan.steps.length);
    for (const ms of stepMs) expect(ms).toBeGreaterThan(0);
    expect(bytes).toBeGreaterThanOrEqual(plan.memory.bytes);
    await model("remove", "tiny");
  });

  it("explains no model that is missing, no precision that it cannot have, and none without a plan", async () => {
    const missing = await model("explain", "nothing");
    expect(missing).toMatchObject({ code: 1, out: "" });
    expect(missing.err).toMatch(/There is no model "nothing"/);
    await model("add", `${fixtures}/ops/tiny-uint8.tflite`, "--labels", labels, "--name", "tiny");
    const wrong = await model("explain", "tiny", "--precision", "fast");
    expect(wrong).toMatchObject({ code: 2, out: "" });
    expect(wrong.err).toMatch(/--precision fast: tiny can be "?quantised/);
    await model("remove", "tiny");
    await model("add", `${fixtures}/ops/tiny-gated.tflite`, "--labels", labels, "--name", "gated");
    const gated = await model("explain", "gated");
    expect(gated).toMatchObject({ code: 1, out: "" });
    expect(gated.err).toMatch(/gated runs operator by operator, not as a plan: operator \d+/);
    await model("remove", "gated");
  });
});
