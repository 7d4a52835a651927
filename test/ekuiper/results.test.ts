/** The results in the real eKuiper engine: submitted by a sink, pulled by cursor, pushed to it, and looked up by id. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { pipeline } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RunningWorkerd } from "../../scripts/labeler/workerd.ts";
import type { EkuiperApi, Rule } from "../../scripts/user/ekuiper/api.ts";
import { type Broker, Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { installService, installStream } from "../../scripts/user/ekuiper/service.ts";
import { type BareGateway, skip, startBareGateway, token } from "./gateway.ts";

const authorization = `Bearer ${token}`;

describe.skipIf(skip)("results in eKuiper", () => {
  let gateway: BareGateway;
  let broker: Broker;
  let labeler: RunningWorkerd;
  let api: EkuiperApi;
  let mailbox: Mailbox;
  let coffee: Uint8Array;
  const rules: string[] = [];

  beforeAll(async () => {
    coffee = await readFile("test/fixtures/coffee.png");
    gateway = await startBareGateway();
    ({ broker, labeler, api } = gateway);
    await installService(api, { url: labeler.url, token });
    await installStream(api);
    mailbox = await Mailbox.open(broker.url, ["out"]);
  });

  afterEach(async () => {
    for (const id of rules.splice(0)) await api.deleteRule(id);
    await expect.poll(() => broker.subscribers("tfdemo") + broker.subscribers("ids")).toBe(0);
  });

  afterAll(async () => {
    await mailbox?.close();
    await gateway?.stop();
  });

  async function run(rule: Rule, topic?: string): Promise<void> {
    const subscribed = topic && broker.nextSubscriber(topic);
    rules.push(rule.id);
    await api.putRule({ ...rule, triggered: true });
    await subscribed;
  }

  const out = (): Rule["actions"] => [{ mqtt: { server: broker.url, topic: "out", sendSingle: true } }];

  const results = async () => {
    const response = await fetch(`${labeler.url}/results`, { headers: { authorization } });
    return (await response.json()) as { id: string; label: string; device: string; error?: string; meta: object }[];
  };

  test("a rule's sink hands images over, broken ones too, with id and device, in one connection", async () => {
    const { port } = new URL(labeler.url);
    let connections = 0;
    const counter = createTcpServer((client) => {
      connections++;
      const upstream = connect(Number(port), "127.0.0.1");
      pipeline(client, upstream, client, () => undefined);
    });
    await new Promise<void>((resolve) => counter.listen(0, "127.0.0.1", resolve));
    const sink = {
      url: `http://127.0.0.1:${(counter.address() as AddressInfo).port}/ekuiper/sink`,
      method: "post",
      bodyType: "binary",
      format: "binary",
      sendSingle: true,
      headers: {
        "Content-Type": "application/octet-stream",
        Authorization: authorization,
        "X-Image-Id": "{{.id}}",
        "X-Device": "{{.device}}",
        "X-Time": "{{.time}}",
        "X-Meta-Line": "{{.nothing}}",
        traceparent: "00-{{.trace}}-00f067aa0ba902b7-01",
      },
    };
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const sql = `SELECT self, newuuid() as id, "gate" as device, now() as time, "${trace}" as trace FROM tfdemo`;
    await run({ id: "handover", sql, actions: [{ rest: sink }] }, "tfdemo");
    const before = Date.now();
    await mailbox.publish("tfdemo", coffee);
    await mailbox.publish("tfdemo", "no image at all");
    await mailbox.publish("tfdemo", coffee);
    await expect.poll(async () => (await results()).length).toBe(3);
    const [first, second, third] = await results();
    const time = expect.stringMatching(/^20\d\d-.*Z$/);
    expect(first).toMatchObject({ label: "968:espresso", device: "gate", time, meta: {} });
    expect(Math.abs(Date.parse((first as unknown as { time: string }).time) - before)).toBeLessThan(20_000);
    expect(second).toMatchObject({ label: "", error: expect.stringMatching(/PNG/) });
    expect(third).toMatchObject({ label: "968:espresso" });
    expect(new Set([first.id, second.id, third.id]).size).toBe(3);
    for (const { id } of [first, second, third]) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const traced = new RegExp(`"trace_id":"${trace}","parent_id":"00f067aa0ba902b7"`, "g");
    await expect.poll(() => labeler.log().match(traced)).toHaveLength(3);
    expect(connections).toBe(1); // an answer with anything in its body would cost one each
    counter.close();
  });

  test("labelOf finds a label by its id, and an unknown id loses no row", async () => {
    await api.putStream("ids", 'CREATE STREAM ids () WITH (DATASOURCE="ids", FORMAT="json", TYPE="mqtt")');
    const sql = "SELECT id, labelOf(id) as found INVISIBLE, found->label as label, found->found as known FROM ids";
    await run({ id: "lookup", sql, actions: out() }, "ids");
    const [{ id }] = await results();
    for (const asked of ["nowhere", id]) await mailbox.publish("ids", JSON.stringify({ id: asked }));
    expect(JSON.parse(await mailbox.next("out"))).toEqual({ id: "nowhere", label: "", known: false });
    expect(JSON.parse(await mailbox.next("out"))).toEqual({ id, label: "968:espresso", known: true });
  });

  test("a pull stream asks on from the cursor of the last row, two million rows on, too", async () => {
    // Stands in for a labeler that has kept that many: its rows are as /results gives them.
    const asked: (string | null)[] = [];
    const server = createServer((request, response) => {
      const since = new URL(request.url ?? "", "http://x").searchParams.get("since");
      if (asked.at(-1) !== since) asked.push(since);
      const seq = since === "0" ? 2_000_000 : Number(since?.slice(1));
      const rows = [1, 2].map((i) => ({ next: `r${seq + i}`, id: `x${seq + i}`, label: "968:espresso" }));
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(seq < 2_000_004 ? rows : []));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { sql }: { sql: string } = JSON.parse(await readFile("ekuiper/streams/labeler_pulled.json", "utf8"));
      await api.putStream("labeler_pulled", sql.replace("http://127.0.0.1:8787", url).replace("1s", "100ms"));
      await run({ id: "pull", sql: "SELECT id FROM labeler_pulled", actions: out() });
      const ids: string[] = [];
      while (ids.length < 4) ids.push(JSON.parse(await mailbox.next("out")).id);
      expect(ids).toEqual(["x2000001", "x2000002", "x2000003", "x2000004"]);
      await expect.poll(() => asked).toEqual(["0", "r2000002", "r2000004"]);
    } finally {
      await api.deleteRule("pull");
      rules.splice(rules.indexOf("pull"), 1);
      server.close();
      server.closeAllConnections();
    }
  });
});
