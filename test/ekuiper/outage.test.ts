/**
 * What goes down shall take no image with it: eKuiper hands images over, one after the other, while the labeler, the
 * network's answers or eKuiper itself fail. nginx and mosquitto run with the files of ekuiper/relay.
 * LABELER_OUTAGE_RUNS=3 repeats each case, and none of them faster than 10 images a second.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EkuiperApi, type Rule } from "../../scripts/ekuiper/api.ts";
import { type Broker, Mailbox, startBroker } from "../../scripts/ekuiper/broker.ts";
import { whyNoEngine } from "../../scripts/ekuiper/build.ts";
import { type Engine, startEngine } from "../../scripts/ekuiper/engine.ts";
import {
  findProgram,
  findPython,
  type RunningRelay,
  startForwarder,
  startMosquitto,
  startRelay,
} from "../../scripts/ekuiper/relay.ts";
import { freePorts } from "../../scripts/lib/ports.ts";
import { type RunningWorkerd, startWorkerd } from "../../scripts/lib/workerd.ts";

const noEngine = await whyNoEngine();
const missing = [
  ...(noEngine === undefined ? [] : [noEngine]),
  ...(findPython() === undefined ? ["Python 3.7 or newer was not found."] : []),
  ...["nginx", "mosquitto"].filter((name) => !findProgram(name)).map((name) => `${name} is not installed.`),
];
const skip = missing.length > 0 && !process.env.CI; // in CI whatever is missing shall fail
if (skip) console.warn(`Outages are not tested. ${missing.join(" ")}`);

const runs = Array.from({ length: Number(process.env.LABELER_OUTAGE_RUNS ?? 1) }, (_, index) => index + 1);
const image = readFileSync("test/fixtures/rocket.jpg");
const images = 100;
const perSecond = 10;
/** How much faster the cases go that need no 10 s: a test run has other things to do, too. */
const haste = process.env.LABELER_OUTAGE_RUNS === undefined ? 2.5 : 1;

interface Row {
  next: string;
  id: string;
  label: string;
}

describe.skipIf(skip)("images handed over during an outage", () => {
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

  const cursor = async () => (await stored("0")).at(-1)?.next ?? "0";

  /** Publishes the images, each on a topic of its own that ends with its number. */
  async function publish(mailbox: Mailbox, rate = perSecond): Promise<void> {
    const begun = performance.now();
    for (let i = 0; i < images; i++) {
      await sleep(Math.max(0, begun + (i * 1000) / rate - performance.now()));
      await mailbox.publish(`tfdemo/${i}`, image);
    }
  }

  /** Every image is in the store, once, with the right label, and in the order in which they came. */
  async function expectAll(since: string): Promise<void> {
    const wanted = Array.from({ length: images }, (_, i) => `${i} 518:crane`);
    const rows = async () => (await stored(since)).map(({ id, label }) => `${id.split(" ").at(-1)} ${label}`);
    await expect
      .poll(async () => (await rows()).length, { timeout: 30_000, interval: 200 })
      .toBeGreaterThanOrEqual(images);
    await sleep(500); // whatever was sent twice comes by now
    expect(await rows()).toEqual(wanted);
  }

  /** Kills the labeler and starts it again after so many seconds. */
  async function blackout(seconds: number): Promise<void> {
    await labeler.stop();
    await sleep(seconds * 1000);
    await start();
  }

  describe("by the sink with its cache, through nginx", () => {
    let broker: Broker;
    let engine: Engine;
    let relay: RunningRelay;
    let front: Server;
    let mailbox: Mailbox;
    /** What the way to the labeler answers instead of it. */
    let status: number | undefined;

    beforeAll(async () => {
      broker = await startBroker();
      engine = await startEngine({ broker: broker.url });
      // Between nginx and labeler: it passes everything on, or answers for it.
      front = createServer(async (request, response) => {
        try {
          const chunks: Buffer[] = [];
          for await (const chunk of request) chunks.push(chunk);
          if (status !== undefined) return response.writeHead(status, { "retry-after": "1" }).end("busy");
          const headers = { "x-image-id": String(request.headers["x-image-id"]) };
          const init = { method: "POST", headers, body: Buffer.concat(chunks) };
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
    async function handOver(name: string, labelerUrl: string): Promise<void> {
      await relay?.stop();
      relay = await startRelay(labelerUrl);
      const rule: Rule = JSON.parse(readFileSync("ekuiper/rules/handover.json", "utf8"));
      rule.id = "handover";
      rule.sql = rule.sql
        .replace("newuuid() as id", `concat("${name} ", split_value(meta(topic), "/", 1)) as id`)
        .replace("tfdemo", "images");
      expect(rule.sql).toContain(`${name} `);
      for (const { rest } of rule.actions) if (rest !== undefined) rest.url = `${relay.url}/ekuiper/sink`;
      const subscribed = broker.nextSubscriber("tfdemo/+");
      await new EkuiperApi(engine.url).putRule({ ...rule, triggered: true });
      await subscribed;
    }

    test.each(runs)("a labeler that is killed for 10 s loses none, run %i", async (run) => {
      await handOver(`killed ${run}`, labeler.url);
      const since = await cursor();
      const published = publish(mailbox);
      await sleep(2000);
      await blackout(10);
      await published;
      await expectAll(since);
    });

    test.each(runs)("a labeler that answers 503 and 429 loses none, run %i", async (run) => {
      await handOver(`busy ${run}`, `http://127.0.0.1:${(front.address() as AddressInfo).port}`);
      const since = await cursor();
      const published = publish(mailbox, perSecond * haste);
      for (const answer of [503, undefined, 429, 401, undefined]) {
        status = answer;
        await sleep(1800 / haste);
      }
      await published;
      await expectAll(since);
    });
  });

  describe("by MQTT, with a session that the broker keeps", () => {
    let broker: RunningRelay;
    let engine: Engine;
    let forwarder: RunningRelay;
    let mailbox: Mailbox;

    beforeAll(async () => {
      broker = await startMosquitto();
      engine = await startEngine({ broker: broker.url });
      forwarder = await startForwarder(findPython() ?? "python3", broker.url, labeler.url);
      mailbox = await Mailbox.open(broker.url, []);
    });

    afterAll(async () => {
      await mailbox?.close();
      await forwarder?.stop();
      await engine?.stop();
      await broker?.stop();
    });

    const shipped = (name: string) => JSON.parse(readFileSync(`ekuiper/relay/${name}.json`, "utf8"));

    async function forwardRule(name: string): Promise<void> {
      const api = new EkuiperApi(engine.url);
      const { sql }: { sql: string } = shipped("mqtt-stream");
      expect(sql).toContain("tcp://127.0.0.1:1883");
      const ours = sql.replace(`"tfdemo"`, `"tfdemo/+"`).replace("tcp://127.0.0.1:1883", broker.url);
      await api.putStream("kept_images", ours);
      const rule: Rule = shipped("mqtt-rule");
      rule.sql = rule.sql.replace("newuuid() as id", `concat("${name} ", split_value(meta(topic), "/", 1)) as id`);
      expect(rule.sql).toContain(`${name} `);
      for (const { mqtt } of rule.actions) if (mqtt !== undefined) mqtt.server = broker.url;
      await api.putRule({ ...rule, triggered: true });
    }

    test.each(runs)("labeler, eKuiper and forwarder are killed, and none is lost, run %i", async (run) => {
      await forwardRule(`by mqtt ${run}`);
      await sleep(1000); // the broker is not ours: it tells nobody who has subscribed
      const since = await cursor();
      const published = publish(mailbox, perSecond * haste);
      await sleep(2000 / haste);
      const back = blackout(5 / haste);
      await sleep(1500 / haste);
      await engine.kill();
      await sleep(2000 / haste);
      await engine.restart();
      await back;
      await forwarder.kill();
      await forwarder.restart();
      await published;
      await expectAll(since);
    });
  });
});
