/** Models with regions and models with groups as SQL functions, on the real engine. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { regionsSchema } from "../../scripts/user/ekuiper/regions-schema.ts";
import { parseFunctions } from "../../scripts/user/ekuiper/sql-function.ts";
import { status } from "../../scripts/user/ekuiper/status.ts";
import { type Gateway, skip, startGateway, token } from "./gateway.ts";

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

describe.skipIf(skip)("a rule with a region model and a group model", () => {
  let gateway: Gateway;
  let mailbox: Mailbox;

  beforeAll(async () => {
    cpSync(join("model-assets", BASE), join(models, BASE), { recursive: true });
    derive("lot", { regions: { right: "0.5,0,1,1", bay_a: "0,0,0.5,1", Gate2: "0.25,0.1,0.75,0.9" } });
    derive("things", {
      groups: { drink: ["968:espresso", "969:cup"], cat: ["282:tabby, tabby cat", "283:tiger cat"] },
    });
    derive("dashed", { regions: { "bay-1": "0,0,1,1" } });
    gateway = await startGateway(undefined, { models, labeler: { DEFAULT_MODEL: "lot" } });
    mailbox = await Mailbox.open(gateway.broker.url, ["mine"]);
  });

  afterAll(async () => {
    await mailbox?.close();
    await gateway?.stop();
    rmSync(models, { recursive: true });
  });

  async function use(...functions: string[]) {
    for (const { id } of await gateway.api.rules()) if (id === "mine") await gateway.api.deleteRule(id);
    return gateway.install("function", { functions: parseFunctions(functions) });
  }

  async function putRule(sql: string): Promise<void> {
    const actions = [{ mqtt: { server: gateway.broker.url, topic: "mine", sendSingle: true } }];
    await gateway.api.putRule({ id: "mine", sql, actions });
    await untilListening();
  }

  async function untilListening(): Promise<void> {
    await expect
      .poll(async () => {
        await mailbox.publish("tfdemo", "no image");
        return mailbox.waiting("mine");
      })
      .toBeGreaterThan(0);
    for (let quiet = 0; quiet < 5; quiet++) {
      await new Promise((wake) => setTimeout(wake, 100));
      for (; mailbox.waiting("mine") > 0; quiet = 0) await mailbox.next("mine");
    }
  }

  async function row(image: Uint8Array | string): Promise<unknown> {
    await mailbox.publish("tfdemo", image);
    return JSON.parse(await mailbox.next("mine"));
  }

  async function answer<T>(query: string, image: Uint8Array): Promise<T> {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${gateway.labeler.url}/label?${query}`, {
      method: "POST",
      headers,
      body: new Uint8Array(image),
    });
    return (await response.json()) as T;
  }

  /** What the rule below says of an image. */
  async function expected(image: Uint8Array) {
    type Labels = { label: string; confidence: number }[];
    const { regions } = await answer<{ regions: Record<string, Labels> }>("model=lot", image);
    const [thing] = await answer<Labels>("model=things&top=1", image);
    return {
      bay: regions.bay_a[0].label,
      gate: regions.Gate2[0].confidence,
      quoted: regions.right[0].label,
      first: regions.right[0].label,
      name: "right",
      thing: thing.label,
    };
  }

  const SQL =
    "SELECT parking(self)->regions->bay_a->label as bay, parking(self)->regions->Gate2->confidence as gate, " +
    "parking(self)->regions->`right`->label as quoted, labelImage(self)->regions[0]->label as first, " +
    "labelImage(self)->regions[0]->name as name, things(self)->label as thing FROM tfdemo";

  test("reads fields by the names of regions, lists by their order, and groups, for each of many pictures in turn", async () => {
    const { checks } = await use("parking=lot", "things=things");
    expect(checks).toContainEqual(expect.objectContaining({ name: "function parking", state: "ok" }));
    await putRule(SQL);
    const pictures = Array.from({ length: 20 }, (_, at) => photos[(at * 3) % photos.length]);
    const truths = new Map<Uint8Array, unknown>();
    for (const photo of photos) truths.set(photo, await expected(photo));
    expect(new Set([...truths.values()].map((truth) => JSON.stringify(truth))).size).toBe(photos.length);
    for (const picture of pictures) await mailbox.publish("tfdemo", picture);
    for (const picture of pictures) expect(JSON.parse(await mailbox.next("mine"))).toEqual(truths.get(picture));
  });

  test("keeps the row of a payload that is not an image, with empty labels and the reason", async () => {
    await putRule(
      "SELECT parking(self)->regions->bay_a->label as bay, labelImage(self)->regions[1]->label as second, parking(self)->error as error, parking(self)->model as model FROM tfdemo",
    );
    expect(await row("no image at all")).toEqual({
      bay: "",
      second: "",
      error: expect.stringMatching(/not an image/),
      model: "lot",
    });
  });

  test("is there for the default model, and for regions of the function's own", async () => {
    await use("mine=?top=1", "spot=things?region=here:0,0,0.5,1");
    await putRule(
      "SELECT mine(self)->regions->bay_a->label as bay, spot(self)->regions->here->label as spot FROM tfdemo",
    );
    const [photo] = photos;
    const { bay } = await expected(photo);
    const { regions } = await answer<{ regions: Record<string, { label: string }[]> }>(
      "model=things&region=here:0,0,0.5,1&top=1",
      photo,
    );
    expect(await row(photo)).toEqual({ bay, spot: regions.here[0].label });
  });

  test("refuses a region whose name SQL has no field for, with the way out", async () => {
    await expect(use("dashes=dashed")).rejects.toThrow(
      /The region bay-1 of dashes\(\) cannot be a field.*regions\[0\]->label/,
    );
  });

  test("asks for install again when a region has another name, and has it then", async () => {
    await use("parking=lot", "things=things");
    expect((await status(gateway.options("function"))).pending).toEqual([]);
    const { url } = gateway.labeler;
    await gateway.labeler.stop();
    derive("lot", { regions: { right: "0.5,0,1,1", space: "0,0,0.5,1", Gate2: "0.25,0.1,0.75,0.9" } });
    const settings = { LABELER_TOKEN: token, DEFAULT_MODEL: "lot" };
    const again = await startWorkerd({ models, settings, port: Number(new URL(url).port) });
    try {
      const { pending } = await status(gateway.options("function"));
      expect(pending.map(({ why }) => why).join("\n")).toMatch(/parking\(\).* in SQL/);
      await gateway.install("function");
      await putRule("SELECT parking(self)->regions->space->label as bay FROM tfdemo");
      const { regions } = await answer<{ regions: Record<string, { label: string }[]> }>("model=lot", photos[0]);
      expect(await row(photos[0])).toEqual({ bay: regions.space[0].label });
    } finally {
      await again.stop();
    }
  });
});
