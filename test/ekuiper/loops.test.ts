/**
 * Each loop as `npm run ekuiper -- install` installs it on the real engine: images in, labels out, nothing lost or
 * duplicated.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_VERSION } from "../../scripts/ekuiper-engine/engine-source.ts";
import { Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { dialectOf } from "../../scripts/user/ekuiper/dialect.ts";
import { uninstall } from "../../scripts/user/ekuiper/install.ts";
import { status } from "../../scripts/user/ekuiper/status.ts";
import { tryOnce } from "../../scripts/user/ekuiper/try-once.ts";
import { fixtures, type Gateway, skip, startGateway, token, VERSIONS } from "./gateway.ts";

const LABELS = "ekuiper/labels";
const ERRORS = "ekuiper/errors";
const PUBLICATIONS = 50;
/** Published after every tenth image. */
const BROKEN = ["no image at all", "\x89PNG\r\n\x1a\nand no more", "", "\xff\xd8\xff", "GIF89a"];

interface Row {
  next: string;
  id: string;
  device: string;
  time: string;
  label: string;
  error?: string;
}

describe.skipIf(skip).each(VERSIONS)("loops on eKuiper %s", (version) => {
  const dialect = dialectOf(version);
  const isDefault = version === DEFAULT_VERSION;
  let gateway: Gateway;
  let mailbox: Mailbox;
  let images: Awaited<ReturnType<typeof fixtures>>;
  let published = 0;
  let devices = 0;

  beforeAll(async () => {
    images = await fixtures();
    gateway = await startGateway(version);
  });

  afterEach(async () => {
    await mailbox?.close();
    await uninstall(gateway.api, false);
    // Version 1 keeps the MQTT connections of rules that have gone.
    if (!dialect.hasDurations) {
      await gateway.engine.kill("SIGTERM");
      await gateway.engine.restart();
    }
    await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(0);
  });

  afterAll(async () => {
    await gateway?.stop();
  });

  /** 50 images, no two alike, with broken ones among them. @returns the labels to expect */
  async function publishAll(): Promise<string[]> {
    const expected: string[] = [];
    for (let i = 0; i < PUBLICATIONS; i++) {
      const { image, label } = images[i % images.length] ?? { image: new Uint8Array(), label: "" };
      // What is behind an image's end changes nothing but its digest: no label comes from the cache.
      await mailbox.publish("tfdemo", Buffer.concat([image, Buffer.from(`${version} ${++published}`)]));
      expected.push(label);
      const broken = BROKEN[i / 10];
      if (broken !== undefined) await mailbox.publish("tfdemo", Buffer.from(broken, "latin1"));
    }
    return expected;
  }

  async function take(topic: string, count: number): Promise<Row[]> {
    const rows: Row[] = [];
    while (rows.length < count) rows.push(JSON.parse(await mailbox.next(topic, 60)));
    return rows;
  }

  /** A name for a device that no test had before, not this one at its first try either: the labeler keeps its results. */
  const newDevice = (name: string) => `${name}-${++devices}`;

  /** All results of a device. */
  async function results(device: string): Promise<Row[]> {
    return gateway.ask<Row[]>(`/results?device=${device}&limit=1000`);
  }

  test("function: 50 publications give 50 right labels, broken images lose only themselves", async () => {
    mailbox = await Mailbox.open(gateway.broker.url, [LABELS]);
    await gateway.install("function");
    const expected = await publishAll();
    const rows: Row[] = [];
    // Version 1 takes a result that is not there for nothing, and writes a row without a label.
    while (rows.length < PUBLICATIONS) rows.push(...(await take(LABELS, 1)).filter(({ label }) => label));
    expect(rows.map(({ label }) => label)).toEqual(expected);
    expect(mailbox.waiting(LABELS)).toBe(0);
  });

  test("sink: 50 publications are kept with 50 right labels, broken ones with the error", async () => {
    mailbox = await Mailbox.open(gateway.broker.url, []);
    const before = Date.now();
    const device = newDevice("sink");
    await gateway.install("sink", { device });
    const expected = await publishAll();
    await expect
      .poll(async () => (await results(device)).length, { timeout: 60_000 })
      .toBe(PUBLICATIONS + BROKEN.length);
    const rows = await results(device);
    expect(rows.filter(({ label }) => label !== "").map(({ label }) => label)).toEqual(expected);
    const broken = rows.filter(({ label }) => label === "");
    expect(broken).toHaveLength(BROKEN.length);
    for (const { error } of broken) expect(error).toMatch(/\w+ \w+/);
    for (const { time } of rows) expect(new Date(time).getTime()).toBeGreaterThanOrEqual(before);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  });

  test.each((["pull", "push"] as const).filter((loop) => loop === "push" || dialect.hasCursor))(
    "%s: 50 publications give 50 right labels, broken ones a row with the error",
    async (loop) => {
      mailbox = await Mailbox.open(gateway.broker.url, [LABELS, ERRORS]);
      const device = newDevice(loop);
      await gateway.install(loop, { device });
      const expected = await publishAll();
      const rows = await take(LABELS, PUBLICATIONS);
      expect(rows.map(({ label }) => label)).toEqual(expected);
      const broken = await take(ERRORS, BROKEN.length);
      for (const row of broken)
        expect(row).toMatchObject({ device, label: "", error: expect.stringMatching(/\w+ \w+/) });
      const kept = await results(device);
      expect(new Set([...rows, ...broken].map(({ id }) => id))).toEqual(new Set(kept.map(({ id }) => id)));
      expect(mailbox.waiting(LABELS) + mailbox.waiting(ERRORS)).toBe(0);
    },
  );

  test.skipIf(dialect.hasCursor)("pull: is refused before anything is changed, and says what to take", async () => {
    const before = gateway.calls.length;
    await expect(gateway.install("pull")).rejects.toThrow(/Loop pull needs eKuiper 2\.3\.0 or later.*--loop push/);
    expect(gateway.calls.slice(before).filter((call) => !call.startsWith("GET "))).toEqual([]);
  });

  test("values that mean something in a URL arrive as they are, and do not touch each other", async () => {
    mailbox = await Mailbox.open(gateway.broker.url, []);
    await gateway.install("sink", { device: "values" });
    const shipped = await gateway.api.rule("handover");
    const id = `a b+c&d#e%f/g?h=i;ä ${version}`;
    const device = newDevice("Tür 7 & Tor #1");
    const time = "2026-11-24T12:00:00+01:00";
    const subscribed = gateway.broker.nextSubscriber("tfdemo");
    await gateway.api.putRule({
      ...shipped,
      id: "values",
      sql: `SELECT self, concat("${id} ", newuuid()) as id, "${device}" as device, "${time}" as time, "100% +" as note FROM tfdemo`,
      actions: shipped.actions.map(({ rest }) => ({
        rest: {
          ...rest,
          url: String(rest?.url)
            .replace(/device=.*$/, "device={{urlquery .device}}")
            .concat("&meta-note={{urlquery .note}}&meta-nothing={{urlquery .nothing}}"),
        },
      })),
    });
    await subscribed;
    await gateway.api.deleteRule("handover");
    const [first] = images;
    for (const more of [0, 1, 2]) {
      await mailbox.publish("tfdemo", Buffer.concat([first?.image ?? new Uint8Array(), Buffer.alloc(more)]));
    }
    const kept = () => gateway.ask<(Row & { meta: object })[]>(`/results?device=${encodeURIComponent(device)}`);
    await expect.poll(async () => (await kept()).length).toBe(3);
    const rows = await kept();
    expect(new Set(rows.map((row) => row.id)).size).toBe(3);
    for (const row of rows) expect(row.id.replace(/[\da-f-]{36}$/, "UUID")).toBe(`${id} UUID`);
    for (const row of rows) {
      const expected = { device, time: "2026-11-24T11:00:00.000Z", label: first?.label, meta: { note: "100% +" } };
      expect(row).toMatchObject(expected);
      expect(Object.keys(row.meta)).toEqual(["note"]);
    }
    await gateway.api.deleteRule("values");
  });

  test.runIf(dialect.hasTextArguments)(
    "labelOf(id) finds the label of a submitted image, and loses no row of an unknown one",
    async () => {
      mailbox = await Mailbox.open(gateway.broker.url, ["found"]);
      const device = newDevice("asked");
      await gateway.install("sink", { device });
      await mailbox.publish("tfdemo", images[0]?.image ?? "");
      await expect.poll(async () => (await results(device)).length).toBe(1);
      const [row] = await results(device);
      // Whatever its own stream of images has, one of the user's may have.
      const { extra, confKey } = await gateway.api.sourceOptions("streams", "tfdemo");
      const settings = extra === undefined ? `CONF_KEY="${confKey}"` : `EXTRA=${JSON.stringify(extra)}`;
      await gateway.api.putStream(
        "asked",
        `CREATE STREAM asked () WITH (TYPE="mqtt", DATASOURCE="asked", FORMAT="JSON", ${settings})`,
      );
      const subscribed = gateway.broker.nextSubscriber("asked");
      await gateway.api.putRule({
        id: "asks",
        sql: "SELECT id, labelOf(id)->label as label FROM asked",
        actions: [{ mqtt: { server: gateway.broker.url, topic: "found", sendSingle: true } }],
      });
      await subscribed;
      for (const id of ["nowhere", row?.id]) await mailbox.publish("asked", JSON.stringify({ id }));
      expect(JSON.parse(await mailbox.next("found"))).toEqual({ id: "nowhere", label: "" });
      expect(JSON.parse(await mailbox.next("found"))).toEqual({ id: row?.id, label: images[0]?.label });
      await gateway.api.deleteRule("asks");
      await gateway.api.call("DELETE", "/streams/asked");
    },
  );

  test("twice changes nothing, and uninstall leaves nothing", async () => {
    mailbox = await Mailbox.open(gateway.broker.url, []);
    const { checks } = await gateway.install("push");
    expect(checks.filter(({ state }) => state !== "ok")).toEqual([]);
    expect((await gateway.install("push")).steps).toEqual([]);
    expect((await status({ api: gateway.api })).pending).toEqual([]);
    expect((await status({ api: gateway.api })).checks.filter(({ state }) => state !== "ok")).toEqual([]);
    expect((await tryOnce({ api: gateway.api }, images[0]?.image ?? new Uint8Array())).label).toBe(images[0]?.label);
    await uninstall(gateway.api, false);
    expect(await gateway.api.rules()).toEqual([]);
    expect(await gateway.api.sources("streams")).toEqual([]);
    expect(await gateway.api.services()).toEqual([]);
    for (const type of ["mqtt", "httppush"]) {
      expect(Object.keys((await gateway.api.configurationKeys(type)) ?? {})).not.toContainEqual(
        expect.stringContaining("labeler"),
      );
    }
  });

  test("a client id that is given later makes the stream a shared one, and rules of the user's own go on with it", async () => {
    mailbox = await Mailbox.open(gateway.broker.url, [LABELS, "mine"]);
    await gateway.install("function");
    const actions = [{ mqtt: { server: gateway.broker.url, topic: "mine", sendSingle: true } }];
    await gateway.api.putRule({ id: "mine", sql: "SELECT labelText(self) as label FROM tfdemo", actions });
    await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(2);
    const connected = gateway.broker.nextSubscriber("tfdemo");
    const { failure } = await gateway.install("function", { mqtt: { clientId: `gate-${version}` } });
    expect(failure).toBeUndefined();
    await connected;
    await expect.poll(async () => (await gateway.api.ruleStatus("mine")).status).toBe("running");
    await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(dialect.hasDurations ? 1 : 3);
    await mailbox.publish("tfdemo", images[0]?.image ?? "");
    for (const topic of [LABELS, "mine"]) {
      expect(JSON.parse(await mailbox.next(topic, 10))).toEqual({ label: images[0]?.label });
    }
    expect((await status({ api: gateway.api })).pending).toEqual([]);
    await gateway.api.deleteRule("mine");
  });

  test.runIf(isDefault)("pull: 1,000 results come while eKuiper is restarted twice, each once", async () => {
    mailbox = await Mailbox.open(gateway.broker.url, [ERRORS]);
    const device = newDevice("restarted");
    await gateway.install("pull", { device });
    const headers = { authorization: `Bearer ${token}`, "x-device": device };
    const handedOver: string[] = [];
    // Raised step by step, so that rows come before and after each restart, however fast this machine is.
    let allowed = 0;
    const submit = async () => {
      while (handedOver.length < 1000) {
        while (handedOver.length >= allowed) await sleep(5);
        const id = `${device}-${handedOver.length}`;
        const sent = { method: "POST", body: "text", headers: { ...headers, "x-image-id": id } };
        const response = await fetch(`${gateway.labeler.url}/ekuiper/sink`, sent);
        expect(response.status).toBe(204);
        handedOver.push(id);
      }
    };
    const done = submit();
    for (let restarts = 0; restarts < 2; restarts++) {
      const seen = mailbox.waiting(ERRORS);
      allowed += 400;
      await expect.poll(() => mailbox.waiting(ERRORS), { timeout: 20_000, interval: 5 }).toBeGreaterThan(seen);
      await gateway.engine.kill("SIGTERM");
      await gateway.engine.restart();
    }
    allowed = 1000;
    await done;
    const ids = (await take(ERRORS, 1000)).map(({ id }) => id);
    await sleep(2500); // two more pulls
    expect(mailbox.waiting(ERRORS)).toBe(0);
    expect(ids).toEqual(handedOver);
  });

  test.runIf(dialect.hasCursor)(
    "pull: a rule looks labels up in the memory table by id, the earlier ones again after a restart",
    async () => {
      mailbox = await Mailbox.open(gateway.broker.url, ["joined"]);
      const device = newDevice("table");
      await gateway.install("pull", { device });
      await gateway.api.call("POST", "/rules/labels_table/start");
      const espresso = images.find(({ name }) => name === "coffee.png");
      await mailbox.publish("tfdemo", espresso?.image ?? "");
      await expect.poll(async () => (await results(device)).length).toBe(1);
      const [row] = await results(device);

      const extra = JSON.stringify(JSON.stringify({ server: gateway.broker.url }));
      const sql = `CREATE STREAM events () WITH (TYPE="mqtt", DATASOURCE="events", FORMAT="JSON", EXTRA=${extra})`;
      await gateway.api.putStream("events", sql);
      const subscribed = gateway.broker.nextSubscriber("events");
      await gateway.api.putRule({
        id: "join",
        sql: "SELECT events.id as id, labels.label as label FROM events INNER JOIN labels ON events.id = labels.id",
        actions: [{ mqtt: { server: gateway.broker.url, topic: "joined", sendSingle: true } }],
      });
      await subscribed;
      const looksUp = async () => {
        // A row that is not in the table yet gives nothing.
        for (let attempt = 0; attempt < 50 && mailbox.waiting("joined") === 0; attempt++) {
          await mailbox.publish("events", JSON.stringify({ id: row?.id }));
          await sleep(100);
        }
        expect(JSON.parse(await mailbox.next("joined", 1))).toEqual({ id: row?.id, label: espresso?.label });
        while (mailbox.waiting("joined") > 0) await mailbox.next("joined");
      };
      await looksUp();
      await gateway.engine.kill("SIGKILL");
      const again = gateway.broker.nextSubscriber("events", 20);
      await gateway.engine.restart();
      await again;
      await looksUp();
      await gateway.api.deleteRule("join");
      await gateway.api.call("DELETE", "/streams/events");
    },
  );

  test.runIf(isDefault)("sink: an image in JSON, as base64, is submitted as ekuiper/recipes.md says", async () => {
    const [, select = ""] = /`(SELECT decode\(image[^`]*), …`/.exec(await readFile("ekuiper/recipes.md", "utf8")) ?? [];
    mailbox = await Mailbox.open(gateway.broker.url, [LABELS]);
    const device = newDevice("json");
    await gateway.install("sink", { device });
    const extra = JSON.stringify(JSON.stringify({ server: gateway.broker.url }));
    await gateway.api.call("POST", "/streams", {
      sql: `CREATE STREAM cameras () WITH (TYPE="mqtt", DATASOURCE="cameras", FORMAT="JSON", EXTRA=${extra})`,
    });
    try {
      const subscribed = gateway.broker.nextSubscriber("cameras");
      const rule = await gateway.api.rule("handover");
      await gateway.api.putRule({ ...rule, id: "mine", tags: [], sql: `${select}, tstamp() as time FROM cameras` });
      await subscribed;
      const espresso = images.find(({ name }) => name === "coffee.png");
      const image = Buffer.from(espresso?.image ?? "").toString("base64");
      await mailbox.publish("cameras", JSON.stringify({ camera: "door", image }));
      await expect.poll(async () => (await results(device)).length).toBe(1);
      expect((await results(device))[0]).toMatchObject({ label: espresso?.label });
    } finally {
      await gateway.api.deleteRule("mine").catch(() => undefined);
      await gateway.api.call("DELETE", "/streams/cameras");
    }
  });
});
