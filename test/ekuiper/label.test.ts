/** Images by MQTT through the real eKuiper engine and the rules that ekuiper/ ships, labelled by the real labeler. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import type { EkuiperApi, Rule } from "../../scripts/user/ekuiper/api.ts";
import { type Broker, Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { installService, installStream, shippedRule } from "../../scripts/user/ekuiper/service.ts";
import { type BareGateway, skip, startBareGateway, token } from "./gateway.ts";

const reference = process.env.LABELER_REFERENCE;

describe.skipIf(skip)("labels in eKuiper rules", () => {
  let gateway: BareGateway;
  let broker: Broker;
  let labeler: RunningLabeler;
  let api: EkuiperApi;
  let coffee: Uint8Array;
  const rules: string[] = [];
  const mailboxes: Mailbox[] = [];

  beforeAll(async () => {
    coffee = await readFile("test/fixtures/coffee.png");
    gateway = await startBareGateway();
    ({ broker, labeler, api } = gateway);
    await installService(api, { url: labeler.url, token });
    await installStream(api);
  });

  afterEach(async () => {
    for (const id of rules.splice(0)) await api.deleteRule(id);
    // A rule goes on closing after its DELETE was answered, and one of the same name that starts meanwhile would share its
    // connection and stay deaf.
    await expect.poll(() => broker.subscribers("tfdemo")).toBe(0);
    for (const mailbox of mailboxes.splice(0)) await mailbox.close();
  });

  afterAll(async () => {
    await gateway?.stop();
  });

  /** Creates and starts the rule, or starts it anew, and waits until it listens to its stream. */
  async function run(rule: Rule): Promise<void> {
    const subscribed = broker.nextSubscriber("tfdemo");
    await api.putRule({ ...rule, triggered: true });
    if (!rules.includes(rule.id)) rules.push(rule.id);
    await subscribed;
  }

  /** Runs a rule of a user's own, with its rows on MQTT topic `test`. */
  const runSql = (sql: string) =>
    run({ id: "test", sql, actions: [{ mqtt: { server: broker.url, topic: "test", sendSingle: true } }] });

  async function open(...topics: string[]): Promise<Mailbox> {
    const mailbox = await Mailbox.open(broker.url, topics);
    mailboxes.push(mailbox);
    return mailbox;
  }

  /** The newest error that eKuiper counted anywhere in the rule. */
  async function lastException(id: string): Promise<string> {
    const status = await api.ruleStatus(id);
    return String(Object.entries(status).find(([name, value]) => name.endsWith("last_exception") && value)?.[1] ?? "");
  }

  test("the shipped rule labels an image that comes by MQTT", async () => {
    await run(await shippedRule("label", broker.url));
    const mailbox = await open("ekuiper/labels");
    await mailbox.publish("tfdemo", coffee);
    expect(await mailbox.next("ekuiper/labels")).toBe('{"label":"968:espresso"}');
  });

  test.skipIf(!reference)("the tutorial's peacock gets the tutorial's label", async () => {
    await run(await shippedRule("label", broker.url));
    const mailbox = await open("ekuiper/labels");
    await mailbox.publish("tfdemo", await readFile(join(reference ?? "", "images/peacock.png")));
    expect(await mailbox.next("ekuiper/labels")).toBe('{"label":"85:peacock"}');
  });

  test("a broken image loses nothing but its label, and the next one is labelled", async () => {
    await run(await shippedRule("label", broker.url));
    const mailbox = await open("ekuiper/labels");
    await mailbox.publish("tfdemo", "no image at all");
    await mailbox.publish("tfdemo", coffee.subarray(0, coffee.length / 2));
    await mailbox.publish("tfdemo", "");
    await mailbox.publish("tfdemo", coffee);
    // Half a picture is labelled by what is there; no image, and nothing, have an empty label.
    const labels: string[] = [];
    for (let i = 0; i < 4; i++) labels.push(JSON.parse(await mailbox.next("ekuiper/labels")).label);
    expect(labels).toEqual(["", "968:espresso", "", "968:espresso"]);
    const counted = { status: "running", source_tfdemo_0_records_out_total: 4, sink_mqtt_0_0_records_out_total: 4 };
    await expect.poll(() => api.ruleStatus("label")).toMatchObject(counted);
    expect(await lastException("label")).toBe("");
  });

  test("results[0] loses the row of a broken image, which is why no shipped rule has it", async () => {
    await runSql("SELECT labelImage(self)->results[0]->label as label FROM tfdemo");
    const mailbox = await open("test");
    await mailbox.publish("tfdemo", "no image at all");
    await mailbox.publish("tfdemo", coffee);
    expect(await mailbox.next("test")).toBe('{"label":"968:espresso"}');
    expect(await lastException("test")).toMatch(/out of index/);
  });

  test("one call gives a rule both the label and the error", async () => {
    await runSql(
      "SELECT labelImage(self) as answer INVISIBLE, answer->label as label, answer->error as error FROM tfdemo",
    );
    const mailbox = await open("test");
    await mailbox.publish("tfdemo", "no image at all");
    await mailbox.publish("tfdemo", coffee);
    expect(JSON.parse(await mailbox.next("test"))).toEqual({ label: "", error: expect.stringMatching(/\w+ \w+/) });
    expect(JSON.parse(await mailbox.next("test"))).toEqual({ label: "968:espresso" });
  });

  test("a rule sees all the labels with their confidences", async () => {
    await runSql("SELECT labelImage(self)->results as results FROM tfdemo");
    const mailbox = await open("test");
    await mailbox.publish("tfdemo", coffee);
    const { results }: { results: { confidence: number; label: string }[] } = JSON.parse(await mailbox.next("test"));
    expect(results).toHaveLength(5);
    expect(results[0]).toEqual({ label: "968:espresso", confidence: expect.closeTo(0.99, 1) });
  });

  test("labelText is a function that gives the label alone", async () => {
    await runSql("SELECT labelText(self) as label FROM tfdemo");
    const mailbox = await open("test");
    await mailbox.publish("tfdemo", "no image at all");
    await mailbox.publish("tfdemo", coffee);
    expect(await mailbox.next("test")).toBe('{"label":""}');
    expect(await mailbox.next("test")).toBe('{"label":"968:espresso"}');
  });

  test("with a wrong token the rule runs on, says 401, and labels again as soon as the token is right", async () => {
    const label = await shippedRule("label", broker.url);
    const mailbox = await open("ekuiper/labels");

    await installService(api, { url: labeler.url, token: "another" });
    await run(label);
    // Small enough to be sent before the answer comes: a large one's connection may be closed on a client without a token.
    await mailbox.publish("tfdemo", await readFile("test/fixtures/coffee-96.webp"));
    await expect.poll(() => lastException("label")).toMatch(/labelImage.* 401 /);
    expect(mailbox.waiting("ekuiper/labels")).toBe(0);
    expect(await api.ruleStatus("label")).toMatchObject({ status: "running" });

    await installService(api, { url: labeler.url, token });
    await run(label);
    await mailbox.publish("tfdemo", coffee);
    expect(await mailbox.next("ekuiper/labels")).toBe('{"label":"968:espresso"}');
  });
});
