/** `install --function NAME=MODEL?PARAMETERS`: SQL functions with parameters of their own, on the real engine. */
import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { uninstall } from "../../scripts/user/ekuiper/install.ts";
import { parseFunction, parseFunctions, suggestedName } from "../../scripts/user/ekuiper/sql-function.ts";
import { status } from "../../scripts/user/ekuiper/status.ts";
import { runScript } from "../script.ts";
import { type Gateway, skip, startGateway, token, VERSIONS } from "./gateway.ts";

const DOOR = "door=efficientnet_lite0?crop=squash&min=0.4";
const coffee = await readFile("test/fixtures/coffee.png");

describe("what a function is called, and which parameters it has", () => {
  test.each([
    [DOOR, "door", "model=efficientnet_lite0&crop=squash&min=0.4"],
    ["Gate_2=mobilenet_quant_v1_224", "Gate_2", "model=mobilenet_quant_v1_224"],
    ["sure=?min=0.8&top=1", "sure", "min=0.8&top=1"],
  ])("%s", (text, name, query) => {
    expect(parseFunction(text)).toEqual({ name, query });
  });

  test.each([
    ["door", /no = behind a name/],
    ["1st=m", /begins with a letter/],
    ["tür=m", /letters, digits and underscores/],
    ["=m", /begins with a letter/],
    ["labelimage=m", /is there already/],
    ["Split_Value=m", /eKuiper has a function split_value of its own/],
    ["group=m", /a word of eKuiper's SQL/],
    ["door=", /without model and parameters it would be labelImage/],
    ["door=m?topp=1", /There is no parameter topp\. There are: top, min, model/],
    ["door=m?crop=round", /crop/],
    ["door=m?min=2", /min must be between 0 and 1|min/],
    ["door=m?model=n", /model is given 2 times/],
  ])("%s is refused with the reason and an example", (text, reason) => {
    expect(() => parseFunction(text)).toThrow(reason);
    expect(() => parseFunction(text)).toThrow(/Give one such as door=efficientnet_lite0\?crop=center&min=0\.4/);
  });

  test.each([
    ["gate", "gate"],
    ["a.b-c", "a_b_c"],
    ["1", "ask_1"],
    ["group", "ask_group"],
    ["9".repeat(64), `ask_${"9".repeat(60)}`],
  ])("for the model %s the name %s is suggested, which can be one", (model, name) => {
    expect(suggestedName(model)).toBe(name);
    expect(parseFunction(`${name}=${model}`)).toMatchObject({ name });
  });

  test("of several each has a name of its own, and none takes them away", () => {
    expect(parseFunctions([DOOR, "sure=?min=0.8"])?.map(({ name }) => name)).toEqual(["door", "sure"]);
    expect(() => parseFunctions([DOOR, "door=?min=0.8"])).toThrow(/door is given twice/);
    expect(parseFunctions(["none"])).toEqual([]);
    expect(parseFunctions(undefined)).toBeUndefined();
  });
});

/** A gateway with an engine of this release, and what the tests need of it. */
class Bench {
  private constructor(
    readonly gateway: Gateway,
    readonly mailbox: Mailbox,
  ) {}

  static async start(version?: string): Promise<Bench> {
    const gateway = await startGateway(version);
    return new Bench(gateway, await Mailbox.open(gateway.broker.url, ["mine"]));
  }

  async stop(): Promise<void> {
    await this.mailbox.close();
    await this.gateway.stop();
  }

  /** Installs these functions, and no others. */
  use(...texts: string[]) {
    return this.gateway.install("function", { functions: parseFunctions(texts) });
  }

  /** Puts a rule of the user's own there and waits until it answers. */
  async putRule(sql: string): Promise<void> {
    const actions = [{ mqtt: { server: this.gateway.broker.url, topic: "mine", sendSingle: true } }];
    await this.gateway.api.putRule({ id: "mine", sql, actions });
    await this.untilListening();
  }

  /** Publishes what is no image until the rule answers, and takes those answers. */
  async untilListening(): Promise<void> {
    await expect
      .poll(
        async () => {
          await this.mailbox.publish("tfdemo", "no image");
          return this.mailbox.waiting("mine");
        },
        // While the labeler loads a model, more would only wait in line before the test's own.
        { interval: 500 },
      )
      .toBeGreaterThan(0);
    for (let quiet = 0; quiet < 5; quiet++) {
      await new Promise((wake) => setTimeout(wake, 100));
      for (; this.mailbox.waiting("mine") > 0; quiet = 0) await this.mailbox.next("mine");
    }
  }

  /** The rule's row for an image. */
  async row(image: Uint8Array | string = coffee) {
    await this.mailbox.publish("tfdemo", image);
    return JSON.parse(await this.mailbox.next("mine"));
  }

  /** What the labeler answers to these parameters in a query. */
  async answer(query: string, image: Uint8Array | string = coffee) {
    const headers = { authorization: `Bearer ${token}` };
    const body = typeof image === "string" ? image : new Uint8Array(image);
    const url = `${this.gateway.labeler.url}/ekuiper/labelImage?${query}`;
    return (await fetch(url, { method: "POST", headers, body })).json();
  }
}

test.skipIf(skip).each(VERSIONS)(
  "eKuiper %s: a function asks with its own model and parameters, and one call has all of the answer",
  async (version) => {
    const bench = await Bench.start(version);
    try {
      const { checks } = await bench.use(DOOR, "sure=?min=0.999");
      expect(checks).toContainEqual(expect.objectContaining({ name: "function door", state: "ok" }));
      const fields = ["label", "confidence", "results", "error", "model"].map((name) => `answer->${name} as ${name}`);
      await bench.putRule(`SELECT door(self) as answer, ${fields.join(", ")} FROM tfdemo`);
      const { answer, ...row } = await bench.row();
      const expected = await bench.answer("model=efficientnet_lite0&crop=squash&min=0.4");
      expect(row).toMatchObject(expected);
      expect(row.error ?? "").toBe("");
      expect(answer).toMatchObject(expected);
      expect(row.model).toBe("efficientnet_lite0");
      const { answer: _, ...broken } = await bench.row("no image at all");
      expect(broken).toEqual(await bench.answer("model=efficientnet_lite0", "no image at all"));

      await bench.putRule("SELECT sure(self)->label as label, labelImage(self)->label as other FROM tfdemo");
      expect(await bench.row()).toEqual({ label: "", other: "968:espresso" });
    } finally {
      await bench.stop();
    }
  },
);

describe.skipIf(skip)("functions", () => {
  let bench: Bench;
  let gateway: Gateway;

  beforeAll(async () => {
    bench = await Bench.start();
    ({ gateway } = bench);
  });

  afterEach(async () => {
    for (const { id } of await gateway.api.rules()) if (id === "mine") await gateway.api.deleteRule(id);
    await uninstall(gateway.api, false);
    await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(0);
  });

  afterAll(() => bench?.stop());

  test("twice changes nothing, status names them, and without the option they stay", async () => {
    await bench.use(DOOR);
    expect((await bench.use(DOOR)).steps).toEqual([]);
    expect((await gateway.install("function")).steps).toEqual([]);
    const { installed, pending } = await status({ api: gateway.api });
    expect(installed).toContain("function door (model=efficientnet_lite0&crop=squash&min=0.4)");
    expect(pending).toEqual([]);
    await bench.putRule("SELECT door(self)->label as label FROM tfdemo");
    const { checks } = await status({ api: gateway.api });
    expect(checks).toContainEqual(expect.objectContaining({ name: "labeler for door()", state: "ok" }));
  });

  test("other parameters under the same name are used at once, by a rule that runs", async () => {
    await bench.use("door=?min=0.999");
    await bench.putRule("SELECT door(self)->label as label FROM tfdemo");
    expect(await bench.row()).toEqual({ label: "" });
    await bench.use("door=?min=0.9");
    await bench.untilListening();
    expect(await bench.row()).toEqual({ label: "968:espresso" });
  });

  test("a function that a rule calls does not go; otherwise nothing of it is left", async () => {
    await bench.use(DOOR, "sure=?min=0.8");
    await bench.putRule("SELECT door(self)->label as label FROM tfdemo");
    await expect(bench.use("none")).rejects.toThrow(/Your rule mine calls door\(\), which would go/);
    await expect(uninstall(gateway.api, false)).rejects.toThrow(/Your rule mine uses/);
    await bench.use(DOOR);
    const names = async () => (await gateway.api.serviceFunctions()).map(({ FuncName }) => FuncName).sort();
    expect(await names()).toEqual(["door", "labelImage", "labelOf", "labelText"]);
    await gateway.api.deleteRule("mine");
    await bench.use("none");
    expect(await names()).toEqual(["labelImage", "labelOf", "labelText"]);
  });

  test("a model that is not there is an error in the labeler's words, and nothing is changed", async () => {
    const where = ["--gateway", gateway.api.base, "--labeler", gateway.labeler.url, "--broker", gateway.broker.url];
    const refused = await runScript("ekuiper", ["install", ...where, "--function", "door=resnet"], { token });
    expect(refused.out).toMatch(/FAIL +function door +The labeler refuses door \(model=resnet\): 404: .*resnet/);
    expect(refused.code).toBe(1);
    expect(await gateway.api.services()).toEqual([]);

    const dry = await runScript("ekuiper", ["install", ...where, "--function", DOOR, "--dry-run"], { token });
    expect(dry.out).toContain("# labelImage(), labelText(), labelOf(), door() in SQL");
    expect(dry.out).not.toContain(token);
    expect(dry.code).toBe(0);
    expect(await gateway.api.services()).toEqual([]);
    const wrong = await runScript("ekuiper", ["install", ...where, "--function", "door=?crop=round"], { token });
    expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/--function door=\?crop=round: crop/) });
  });
});
