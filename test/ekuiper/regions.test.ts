/** Models with regions and models with groups as SQL functions, on the real engine. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { indexModels } from "../../scripts/build/model-index.ts";
import { DEFAULT_VERSION } from "../../scripts/ekuiper-engine/engine-source.ts";
import { Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { regionsSchema } from "../../scripts/user/ekuiper/regions-schema.ts";
import { parseFunctions } from "../../scripts/user/ekuiper/sql-function.ts";
import { status } from "../../scripts/user/ekuiper/status.ts";
import { tryOnce } from "../../scripts/user/ekuiper/try-once.ts";
import { type Gateway, skip, startGateway, token, VERSIONS } from "./gateway.ts";

const BASE = "mobilenet_v1_1.0_224";
const photos = ["coffee.png", "chelsea.png", "rocket.jpg", "grace_hopper.jpg", "china.jpg"].map((name) =>
  readFileSync(join("test/fixtures", name)),
);

const models = mkdtempSync(join(tmpdir(), "ekuiper-regions-"));

function derive(name: string, spec: unknown): void {
  mkdirSync(join(models, name), { recursive: true });
  writeFileSync(join(models, name, "model.json"), JSON.stringify({ base: BASE, ...(spec as object) }));
}

test("the schema of a function has a field for each region", () => {
  const schema = regionsSchema("parking", ["bay1", "Gate_2"]);
  expect(schema).toMatch(/package labeler_parking;/);
  expect(schema).toMatch(/message Regions \{\n {2}Region bay1 = 1;\n {2}Region Gate_2 = 2;\n\}/);
});

/** A gateway with an engine of this release, whose labeler has models with regions and groups. */
class Bench {
  private constructor(
    readonly gateway: Gateway,
    readonly mailbox: Mailbox,
  ) {}

  static async start(version?: string): Promise<Bench> {
    const gateway = await startGateway(version, { models, labeler: { DEFAULT_MODEL: "lot" } });
    return new Bench(gateway, await Mailbox.open(gateway.broker.url, ["mine"]));
  }

  async stop(): Promise<void> {
    await this.mailbox.close();
    await this.gateway.stop();
  }

  async use(...functions: string[]) {
    const { api } = this.gateway;
    for (const { id } of await api.rules()) if (id === "mine") await api.deleteRule(id);
    return this.gateway.install("function", { functions: parseFunctions(functions) });
  }

  async putRule(sql: string): Promise<void> {
    const actions = [{ mqtt: { server: this.gateway.broker.url, topic: "mine", sendSingle: true } }];
    await this.gateway.api.putRule({ id: "mine", sql, actions });
    await this.#untilListening();
  }

  async #untilListening(): Promise<void> {
    const { mailbox } = this;
    await expect
      .poll(
        async () => {
          await mailbox.publish("tfdemo", "no image");
          return mailbox.waiting("mine");
        },
        // While the labeler loads a model, more would only wait in line before the test's own.
        { interval: 500 },
      )
      .toBeGreaterThan(0);
    for (let quiet = 0; quiet < 5; quiet++) {
      await new Promise((wake) => setTimeout(wake, 100));
      for (; mailbox.waiting("mine") > 0; quiet = 0) await mailbox.next("mine");
    }
  }

  async row(image: Uint8Array | string): Promise<unknown> {
    await this.mailbox.publish("tfdemo", image);
    return JSON.parse(await this.mailbox.next("mine"));
  }

  async answer<T>(query: string, image: Uint8Array): Promise<T> {
    const headers = { authorization: `Bearer ${token}` };
    const url = `${this.gateway.labeler.url}/label?${query}`;
    const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(image) });
    return (await response.json()) as T;
  }

  /** What the rule below says of an image. */
  async expected(image: Uint8Array) {
    type Labels = { label: string; confidence: number }[];
    const { regions } = await this.answer<{ regions: Record<string, Labels> }>("model=lot", image);
    const [thing] = await this.answer<Labels>("model=things&top=1", image);
    return {
      bay: regions.bay_a[0].label,
      gate: regions.Gate2[0].confidence,
      quoted: regions.right[0].label,
      first: regions.right[0].label,
      name: "right",
      thing: thing.label,
    };
  }
}

const SQL =
  "SELECT parking(self)->regions->bay_a->label as bay, parking(self)->regions->Gate2->confidence as gate, " +
  "parking(self)->regions->`right`->label as quoted, labelImage(self)->regions[0]->label as first, " +
  "labelImage(self)->regions[0]->name as name, things(self)->label as thing FROM tfdemo";

beforeAll(() => {
  cpSync(join("model-assets", BASE), join(models, BASE), { recursive: true });
  derive("lot", { regions: { right: "0.5,0,1,1", bay_a: "0,0,0.5,1", Gate2: "0.25,0.1,0.75,0.9" } });
  derive("things", {
    groups: { drink: ["968:espresso", "969:cup"], cat: ["282:tabby, tabby cat", "283:tiger cat"] },
  });
  ODD.forEach((label, at) => {
    derive(`${at}.odd-name`, { groups: { [label]: ["968:espresso", "969:cup"] }, only: [label] });
  });
  derive("1", { unknown: 1 });
  derive("all", { groups: "groups.txt" });
  derive("dashed", { regions: { "bay-1": "0,0,1,1" } });
});

afterAll(() => rmSync(models, { recursive: true }));

/** Labels that would break out of SQL, CSV, a schema or a header if one of them were made by pasting. */
const ODD = ["say \"cup\", 'mug'; \\ or `pot`", "Tür → 🚪👩‍🔧 門", "x".repeat(128)];

test.skipIf(skip).each(VERSIONS.filter((version) => version !== DEFAULT_VERSION))(
  "eKuiper %s: fields of regions by their names, lists by their order, and groups; the row of what is not an image stays",
  async (version) => {
    const bench = await Bench.start(version);
    try {
      await bench.use("parking=lot", "things=things");
      await bench.putRule(SQL);
      for (const photo of photos.slice(0, 3)) expect(await bench.row(photo)).toEqual(await bench.expected(photo));
      expect(await bench.row("no image at all")).toMatchObject({ bay: "", quoted: "", first: "", thing: "" });
    } finally {
      await bench.stop();
    }
  },
);

describe.skipIf(skip)("a rule with a region model and a group model", () => {
  let bench: Bench;
  let gateway: Gateway;

  beforeAll(async () => {
    bench = await Bench.start();
    ({ gateway } = bench);
  });

  afterAll(() => bench?.stop());

  test("reads fields by the names of regions, lists by their order, and groups, for each of many pictures in turn", async () => {
    const { checks } = await bench.use("parking=lot", "things=things");
    expect(checks).toContainEqual(expect.objectContaining({ name: "function parking", state: "ok" }));
    await bench.putRule(SQL);
    const pictures = Array.from({ length: 20 }, (_, at) => photos[(at * 3) % photos.length]);
    const truths = new Map<Uint8Array, unknown>();
    for (const photo of photos) truths.set(photo, await bench.expected(photo));
    expect(new Set([...truths.values()].map((truth) => JSON.stringify(truth))).size).toBe(photos.length);
    for (const picture of pictures) await bench.mailbox.publish("tfdemo", picture);
    for (const picture of pictures) expect(JSON.parse(await bench.mailbox.next("mine"))).toEqual(truths.get(picture));
  });

  test("keeps the row of a payload that is not an image, with empty labels and the reason", async () => {
    await bench.putRule(
      "SELECT parking(self)->regions->bay_a->label as bay, labelImage(self)->regions[1]->label as second, parking(self)->error as error, parking(self)->model as model FROM tfdemo",
    );
    expect(await bench.row("no image at all")).toEqual({
      bay: "",
      second: "",
      error: expect.stringMatching(/not an image/),
      model: "lot",
    });
  });

  test("is there for the default model, and for regions of the function's own", async () => {
    await bench.use("mine=?top=1", "spot=things?region=here:0,0,0.5,1");
    await bench.putRule(
      "SELECT mine(self)->regions->bay_a->label as bay, spot(self)->regions->here->label as spot FROM tfdemo",
    );
    const [photo] = photos;
    const { bay } = await bench.expected(photo);
    const { regions } = await bench.answer<{ regions: Record<string, { label: string }[]> }>(
      "model=things&region=here:0,0,0.5,1&top=1",
      photo,
    );
    expect(await bench.row(photo)).toEqual({ bay, spot: regions.here[0].label });
  });

  test("has labels with quotes, of other scripts and of 128 characters as they are, of models whatever they are called", async () => {
    await bench.use(...ODD.map((_, at) => `odd${at}=${at}.odd-name`), "one=1", "all=all");
    const fields = ODD.map((_, at) => `odd${at}(self)->label as odd${at}`);
    await bench.putRule(`SELECT ${fields.join(", ")}, one(self)->label as one, all(self)->label as all1 FROM tfdemo`);
    const [whole] = await bench.answer<{ label: string }[]>("model=all&top=1", photos[0]);
    expect(whole.label).not.toMatch(/\d/);
    const odd = Object.fromEntries(ODD.map((label, at) => [`odd${at}`, label]));
    let row = await bench.row(photos[0]);
    // Rows of what was published while the rule started may still come.
    while ((row as { one: string }).one === "") row = JSON.parse(await bench.mailbox.next("mine"));
    expect(row).toEqual({ ...odd, one: "unknown", all1: whole.label });
  });

  test("refuses a region whose name SQL has no field for, with the way out", async () => {
    await expect(bench.use("dashes=dashed")).rejects.toThrow(
      /The region bay-1 of dashes\(\) cannot be a field.*regions\[0\]->label/,
    );
  });

  test("asks for install again when a region has another name, and has it then", async () => {
    await bench.use("parking=lot", "things=things");
    expect((await status(gateway.options("function"))).pending).toEqual([]);
    await bench.putRule(
      "SELECT parking(self) as answer INVISIBLE, answer->regions->bay_a->label as bay, answer->error as error FROM tfdemo",
    );
    derive("lot", { regions: { right: "0.5,0,1,1", space: "0,0,0.5,1", Gate2: "0.25,0.1,0.75,0.9" } });
    await indexModels(models);
    await new Promise((wake) => setTimeout(wake, 1100)); // until the labeler looks at the index again
    expect(await bench.row(photos[0])).toEqual({
      bay: "",
      error: expect.stringMatching(/"lot" does not have the region bay_a, but right, space, Gate2\..*-- install/),
    });
    const { pending, checks } = await status(gateway.options("function"));
    expect(pending.map(({ why }) => why).join("\n")).toMatch(/parking\(\).* in SQL/);
    expect(checks).toContainEqual(
      expect.objectContaining({
        name: "regions of parking()",
        state: "error",
        detail: expect.stringMatching(/now: right, space, Gate2\. SQL still has: right, bay_a, Gate2/),
      }),
    );
    await expect(tryOnce(gateway.options("function"), new Uint8Array(photos[0]))).rejects.toThrow(
      /default model, lot, labels the regions right, space, Gate2, [\s\S]*regions of parking\(\): .*space.*\n→ npm run ekuiper -- install/,
    );
    await gateway.install("function");
    await bench.putRule("SELECT parking(self)->regions->space->label as bay FROM tfdemo");
    const { regions } = await bench.answer<{ regions: Record<string, { label: string }[]> }>("model=lot", photos[0]);
    expect(await bench.row(photos[0])).toEqual({ bay: regions.space[0].label });
    expect((await status(gateway.options("function"))).checks.map(({ name }) => name)).not.toContain(
      "regions of parking()",
    );
  });
});
