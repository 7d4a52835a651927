/**
 * eKuiper's REST sink with its default settings, which sends a list of rows as JSON with the bytes in base64; and with
 * compression.
 */
import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { EkuiperApi } from "../../scripts/user/ekuiper/api.ts";
import { Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { installStream } from "../../scripts/user/ekuiper/service.ts";
import { type BareGateway, skip, startBareGateway, token } from "./gateway.ts";

const authorization = `Bearer ${token}`;

describe.skipIf(skip)("eKuiper's REST sink", () => {
  let gateway: BareGateway;
  let api: EkuiperApi;
  let mailbox: Mailbox;
  let coffee: Uint8Array;

  beforeAll(async () => {
    coffee = await readFile("test/fixtures/coffee.png");
    gateway = await startBareGateway({}, undefined, { compression: true });
    api = gateway.api;
    await installStream(api);
    mailbox = await Mailbox.open(gateway.broker.url, ["out"]);
  });

  afterEach(() => api.deleteRule("sink"));

  afterAll(async () => {
    await mailbox?.close();
    await gateway?.stop();
  });

  test.for<readonly [name: string, options: Record<string, unknown>, sql: string]>([
    ["a list of rows", {}, "SELECT self FROM tfdemo"],
    ["a row", { sendSingle: true }, "SELECT self FROM tfdemo"],
    ["a row with other fields", { sendSingle: true }, 'SELECT self AS image, "cam" AS camera, now() AS ts FROM tfdemo'],
    ["a list of rows in gzip", { compression: "gzip" }, "SELECT self FROM tfdemo"],
    [
      "bytes in gzip",
      { compression: "gzip", bodyType: "binary", format: "binary", sendSingle: true },
      "SELECT self FROM tfdemo",
    ],
    ["a form", { bodyType: "formdata", format: "binary", sendSingle: true }, "SELECT self FROM tfdemo"],
  ])("%s", async ([name, options, sql]) => {
    const id = name.replaceAll(" ", "-");
    const url = `${gateway.labeler.url}/ekuiper/sink?id=${id}`;
    const sink = { url, method: "post", headers: { Authorization: authorization }, ...options };
    const subscribed = gateway.broker.nextSubscriber("tfdemo");
    await api.putRule({ id: "sink", sql, actions: [{ rest: sink }], triggered: true });
    await subscribed;
    await mailbox.publish("tfdemo", coffee);
    const result = async () =>
      (await fetch(`${gateway.labeler.url}/results/${id}`, { headers: { authorization } })).json();
    await expect.poll(result).toMatchObject({ id, label: "968:espresso" });
  });
});
