/**
 * No outage may lose an image: eKuiper submits images one after the other while the labeler, the network's answers or
 * eKuiper itself fail. nginx and mosquitto run with the files of ekuiper/relay.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { whyNoEngine } from "../../scripts/ekuiper-engine/build.ts";
import { type Engine, startEngine } from "../../scripts/ekuiper-engine/engine.ts";
import {
  findProgram,
  findPython,
  type RunningRelay,
  startForwarder,
  startMosquitto,
  startRelay,
} from "../../scripts/ekuiper-engine/relay.ts";
import { isOlder } from "../../scripts/ekuiper-engine/versions.ts";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { freePorts } from "../../scripts/system/ports.ts";
import { EkuiperApi, type Rule } from "../../scripts/user/ekuiper/api.ts";
import { type Broker, Mailbox, startBroker } from "../../scripts/user/ekuiper/broker.ts";
import { amount } from "../amount.ts";
import { VERSIONS } from "./gateway.ts";

const noEngine = await whyNoEngine();
const missing = [
  ...(noEngine === undefined ? [] : [noEngine]),
  ...(findPython() === undefined ? ["Python 3.7 or newer was not found."] : []),
  ...["nginx", "mosquitto"].filter((name) => !findProgram(name)).map((name) => `${name} is not installed.`),
];
const skip = missing.length > 0 && !process.env.CI; // in CI whatever is missing shall fail
if (skip) console.warn(`Outages are not tested. ${missing.join(" ")}`);

/** Those whose cache sends again after a connection that breaks. */
const versions = VERSIONS.filter((version) => !isOlder(version, "2.4"));
const runs = Array.from({ length: Number(process.env.LABELER_OUTAGE_RUNS ?? 1) }, (_, index) => index + 1);
const image = readFileSync("test/fixtures/rocket.jpg");
/** How much faster the cases go that need no 10 s: a test run has other things to do, too. */
const haste = process.env.LABELER_OUTAGE_RUNS === undefined ? 2.5 : 1;
const images = 100;
const numbers = Array.from({ length: images }, (_, i) => i);
const fewer = haste === 1 ? numbers : numbers.slice(0, images / 2);
const perSecond = 10;
/** How long the labeler is away in the longest case, in seconds. */
const outage = haste === 1 ? 10 : amount(10, 5);

interface Row {
  next: string;
  id: string;
  label: string;
}

describe.skipIf(skip)("images submitted during an outage", () => {
  const state = mkdtempSync(join(tmpdir(), "edge-labeler-outage-"));
  let labeler: RunningWorkerd;
  let port: number;

  const start = async () => {
    labeler = await startWorkerd({ state, port });
    // The model is loaded by the first request.
    await fetch(`${labeler.url}/readyz`);
  };

  beforeAll(async () => {
    [port = 0] = await freePorts(1);
    await start();
  });

  afterAll(async () => {
    await labeler?.stop();
    rmSync(state, { recursive: true, force: true });
  });

  /** The rows that are in the store behind `since`. */
  async function stored(since: string): Promise<Row[]> {
    const response = await fetch(`${labeler.url}/results?since=${since}&limit=1000`);
    return response.ok ? await response.json() : [];
  }

  /** The end of the store. */
  async function cursor(since = "0"): Promise<string> {
    const last = (await stored(since)).at(-1);
    return last === undefined ? since : cursor(last.next); // one answer has at most 1000 rows
  }

  /** Publishes the images, one after the other, so many times faster than 10 a second. */
  async function publish(which: number[], one: (i: number) => Promise<void>, faster = 1): Promise<void> {
    const begun = performance.now();
    for (const i of which) {
      await sleep(Math.max(0, begun + (i * 1000) / perSecond / faster - performance.now()));
      await one(i);
    }
  }

  /** Each on a topic of its own that ends with its number. */
  const numbered = (mailbox: Mailbox) => (i: number) => mailbox.publish(`tfdemo/${i}`, image);

  /** Every image is in the store, once, with the right label, and in the order in which they came. */
  async function expectAll(since: string, ids: string[]): Promise<void> {
    await expect
      .poll(async () => (await stored(since)).length, { timeout: 30_000, interval: 200 })
      .toBeGreaterThanOrEqual(ids.length);
    await sleep(500); // whatever was sent twice comes by now
    const rows = (await stored(since)).map(({ id, label }) => `${id} ${label}`);
    expect(rows).toEqual(ids.map((id) => `${id} 518:crane`));
  }

  /** Kills the labeler and starts it again after so many seconds. */
  async function blackout(seconds: number): Promise<void> {
    await labeler.stop();
    await sleep(seconds * 1000);
    await start();
  }

  describe.each(versions)("by the sink of eKuiper %s with its cache, through nginx", (version) => {
    let broker: Broker;
    let engine: Engine;
    let relay: RunningRelay;
    let front: Server;
    let mailbox: Mailbox;
    /** What the way to the labeler answers instead of it. */
    let status: number | undefined;

    beforeAll(async () => {
      broker = await startBroker();
      engine = await startEngine({ broker: broker.url, version });
      // Between nginx and labeler: it passes everything on, or answers for it.
      front = createServer(async (request, response) => {
        try {
          const chunks: Buffer[] = [];
          for await (const chunk of request) chunks.push(chunk);
          if (status !== undefined) return response.writeHead(status, { "retry-after": "1" }).end("busy");
          const init = { method: "POST", body: Buffer.concat(chunks) };
          const answer = await fetch(`${labeler.url}${request.url}`, init);
          response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
        } catch {
          request.socket.destroy();
        }
      });
      await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
      mailbox = await Mailbox.open(broker.url, []);
      const api = new EkuiperApi(engine.url);
      await api.putStream("images", `CREATE STREAM images () WITH (DATASOURCE="tfdemo/+", FORMAT="BINARY")`);
    });

    afterAll(async () => {
      await mailbox?.close();
      await relay?.stop();
      front?.close().closeAllConnections();
      await engine?.stop();
      await broker?.stop();
    });

    /** The shipped rule, through a relay to the address, with the images' numbers in their ids. */
    async function submit(name: string, labelerUrl: string): Promise<void> {
      await relay?.stop();
      relay = await startRelay(labelerUrl);
      const rule: Rule = JSON.parse(readFileSync("ekuiper/rules/handover.json", "utf8"));
      rule.id = "handover";
      rule.sql = rule.sql
        .replace("newuuid() as id", `concat("${name} ", split_value(meta(topic), "/", 1)) as id`)
        .replace("tfdemo", "images");
      expect(rule.sql).toContain(`${name} `);
      for (const { rest } of rule.actions) {
        if (rest !== undefined) rest.url = String(rest.url).replace(/^http:\/\/[^/]+/, relay.url);
      }
      const subscribed = broker.nextSubscriber("tfdemo/+");
      await new EkuiperApi(engine.url).putRule({ ...rule, triggered: true });
      await subscribed;
    }

    test.each(runs)(`a labeler that is killed for ${outage} s loses none, run %i`, async (run) => {
      const name = `killed ${version} ${run}`;
      await submit(name, labeler.url);
      const since = await cursor();
      const published = publish(numbers, numbered(mailbox), 10 / outage);
      await sleep(200 * outage);
      await blackout(outage);
      await published;
      await expectAll(
        since,
        numbers.map((i) => `${name} ${i}`),
      );
    });

    test.each(runs)("a labeler that answers 503 and 429 loses none, run %i", async (run) => {
      const name = `busy ${version} ${run}`;
      await submit(name, `http://127.0.0.1:${(front.address() as AddressInfo).port}`);
      const since = await cursor();
      const published = publish(fewer, numbered(mailbox), haste);
      for (const answer of [503, undefined, 429, 401, undefined]) {
        status = answer;
        await sleep(1500 / haste);
      }
      await published;
      await expectAll(
        since,
        fewer.map((i) => `${name} ${i}`),
      );
    });
  });

  describe.each(versions)("by MQTT with eKuiper %s, and a session that the broker keeps", (version) => {
    let broker: RunningRelay;
    let engine: Engine;
    let forwarder: RunningRelay | undefined;
    let mailbox: Mailbox;

    beforeAll(async () => {
      broker = await startMosquitto();
      engine = await startEngine({ broker: broker.url, version });
      mailbox = await Mailbox.open(broker.url, ["seen"]);
    });

    afterEach(() => forwarder?.stop());

    afterAll(async () => {
      await mailbox?.close();
      await engine?.stop();
      await broker?.stop();
    });

    const shipped = (name: string) => JSON.parse(readFileSync(`ekuiper/relay/${name}.json`, "utf8"));
    const forward = (...args: string[]) => startForwarder(findPython() ?? "python3", broker.url, labeler.url, args);

    /** Kills and restarts what takes part, one after the other, while images come. */
    async function havoc(killEngine: boolean): Promise<void> {
      await sleep(1500 / haste);
      const back = blackout(4 / haste);
      await sleep(1500 / haste);
      if (killEngine) await engine.kill();
      await sleep(2000 / haste);
      if (killEngine) await engine.restart();
      await back;
      await forwarder?.kill();
      await forwarder?.restart();
    }

    test.each(runs)("labeler, eKuiper and forwarder are killed, run %i", async (run) => {
      // eKuiper has its own rule on the same images; the forwarder does not need it.
      const api = new EkuiperApi(engine.url);
      await api.putStream("seen", `CREATE STREAM seen () WITH (DATASOURCE="cameras/+", FORMAT="BINARY")`);
      const actions = [{ mqtt: { server: broker.url, topic: "seen", sendSingle: true } }];
      await api.putRule({ id: "seen", sql: "SELECT 1 as seen FROM seen", actions, triggered: true });
      forwarder = await forward("--client-id", `direct ${version} ${run}`, "--topic", "cameras/+");
      await expect.poll(() => forwarder?.log()).toContain("Connected");
      // The digest is the id, so that each has to be an image of its own.
      const sent = fewer.map((i) => Buffer.concat([image, Buffer.from(`${version} ${run} ${i}`)]));
      const since = await cursor();
      const published = publish(fewer, (i) => mailbox.publish("cameras/7", sent[i] ?? ""), haste);
      await havoc(true);
      await published;
      const ids = sent.map((bytes) => createHash("sha256").update(bytes).digest("hex"));
      await expectAll(since, ids);
      expect(mailbox.waiting("seen")).toBeGreaterThan(5);
    });

    test.each(runs)("a rule chooses and re-publishes; labeler and forwarder are killed, run %i", async (run) => {
      const api = new EkuiperApi(engine.url);
      const { sql }: { sql: string } = shipped("mqtt-stream");
      expect(sql).toContain("tcp://127.0.0.1:1883");
      const ours = sql.replace(`"tfdemo"`, `"tfdemo/+"`).replace("tcp://127.0.0.1:1883", broker.url);
      await api.putStream("kept_images", ours);
      const rule: Rule = shipped("mqtt-rule");
      rule.sql = rule.sql.replace(
        "newuuid() as id",
        `concat("${version} ${run} ", split_value(meta(topic), "/", 1)) as id`,
      );
      expect(rule.sql).toContain(`"${version} ${run} "`);
      for (const { mqtt } of rule.actions) if (mqtt !== undefined) mqtt.server = broker.url;
      await api.putRule({ ...rule, triggered: true });
      forwarder = await forward(
        "--client-id",
        `re-published ${version} ${run}`,
        "--id-from-topic",
        "--topic",
        "labeler/images/+",
      );
      await expect.poll(() => forwarder?.log()).toContain("Connected");
      await sleep(1000); // the broker is not ours: it tells nobody that eKuiper has subscribed
      const since = await cursor();
      const published = publish(fewer, numbered(mailbox), haste);
      await havoc(false);
      await published;
      await expectAll(
        since,
        fewer.map((i) => `${version} ${run} ${i}`),
      );
    });
  });
});
