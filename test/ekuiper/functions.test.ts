/** `install --function NAME=MODEL?PARAMETERS`: SQL functions with parameters of their own, on the real engine. */
import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Mailbox } from "../../scripts/ekuiper/broker.ts";
import { status, uninstall } from "../../scripts/ekuiper/install.ts";
import { parseFunction, parseFunctions } from "../../scripts/ekuiper/sql-function.ts";
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

  test("of several each has a name of its own, and none takes them away", () => {
    expect(parseFunctions([DOOR, "sure=?min=0.8"])?.map(({ name }) => name)).toEqual(["door", "sure"]);
    expect(() => parseFunctions([DOOR, "door=?min=0.8"])).toThrow(/door is given twice/);
    expect(parseFunctions(["none"])).toEqual([]);
    expect(parseFunctions(undefined)).toBeUndefined();
  });
});

describe.skipIf(skip).each(VERSIONS)("functions on eKuiper %s", (version) => {
  let gateway: Gateway;
  let mailbox: Mailbox;

  beforeAll(async () => {
    gateway = await startGateway(version);
    mailbox = await Mailbox.open(gateway.broker.url, ["mine"]);
  });

  afterEach(async () => {
    for (const { id } of await gateway.api.rules()) if (id === "mine") await gateway.api.deleteRule(id);
    await uninstall(gateway.api, false);
    await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(0);
  });

  afterAll(async () => {
    await mailbox?.close();
    await gateway?.stop();
  });

  const use = (...texts: string[]) => gateway.install("function", { functions: parseFunctions(texts) });

  async function putRule(sql: string): Promise<void> {
    const before = gateway.broker.subscribers("tfdemo");
    const actions = [{ mqtt: { server: gateway.broker.url, topic: "mine", sendSingle: true } }];
    await gateway.api.putRule({ id: "mine", sql, actions });
    await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(before + 1);
  }

  /** What the labeler answers to these parameters in a query. */
  async function answer(query: string, image: Uint8Array | string = coffee) {
    const headers = { authorization: `Bearer ${token}` };
    const body = typeof image === "string" ? image : new Uint8Array(image);
    const response = await fetch(`${gateway.labeler.url}/ekuiper/labelImage?${query}`, {
      method: "POST",
      headers,
      body,
    });
    return response.json();
  }

  const next = async (image: Uint8Array | string = coffee) => {
    await mailbox.publish("tfdemo", image);
    return JSON.parse(await mailbox.next("mine"));
  };

  test("a function asks with its own model and parameters, and one call has all of the answer", async () => {
    const { checks } = await use(DOOR, "sure=?min=0.999");
    expect(checks).toContainEqual(expect.objectContaining({ name: "function door", state: "ok" }));
    const fields = "answer->label as label, answer->confidence as confidence, answer->results as results";
    await putRule(`SELECT door(self) as answer, ${fields}, answer->error as error, answer->model as model FROM tfdemo`);
    const { answer: whole, ...row } = await next();
    const expected = await answer("model=efficientnet_lite0&crop=squash&min=0.4");
    expect(row).toEqual(expected);
    expect(whole).toEqual(expected);
    expect(row.model).toBe("efficientnet_lite0");
    const { answer: _, ...broken } = await next("no image at all");
    expect(broken).toEqual(await answer("model=efficientnet_lite0", "no image at all"));

    await putRule("SELECT sure(self)->label as label, labelImage(self)->label as other FROM tfdemo");
    expect(await next()).toEqual({ label: "", other: "968:espresso" });
  });

  test("twice changes nothing, status names them, and without the option they stay", async () => {
    await use(DOOR);
    expect((await use(DOOR)).steps).toEqual([]);
    expect((await gateway.install("function")).steps).toEqual([]);
    const { installed, pending } = await status({ api: gateway.api });
    expect(installed).toContain("function door (model=efficientnet_lite0&crop=squash&min=0.4)");
    expect(pending).toEqual([]);
  });

  test("other parameters under the same name are used at once, by a rule that runs", async () => {
    await use("door=?min=0.999");
    await putRule("SELECT door(self)->label as label FROM tfdemo");
    expect(await next()).toEqual({ label: "" });
    await use("door=?min=0.9");
    await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(2);
    expect(await next()).toEqual({ label: "968:espresso" });
  });

  test("a function that a rule calls does not go; otherwise nothing of it is left", async () => {
    await use(DOOR, "sure=?min=0.8");
    await putRule("SELECT door(self)->label as label FROM tfdemo");
    await expect(use("none")).rejects.toThrow(/Your rule mine calls door\(\), which would go/);
    await expect(uninstall(gateway.api, false)).rejects.toThrow(/Your rule mine uses/);
    await use(DOOR);
    const names = async () => (await gateway.api.serviceFunctions()).map(({ FuncName }) => FuncName).sort();
    expect(await names()).toEqual(["door", "labelImage", "labelOf", "labelText"]);
    await gateway.api.deleteRule("mine");
    await use("none");
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
