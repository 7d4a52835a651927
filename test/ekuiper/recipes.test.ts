/**
 * The recipes of ekuiper/recipes.md, each read from the page and run on the real engine with a broker and the labeler.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type RunningBroker, startMosquitto } from "../../scripts/ekuiper-engine/relay.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import type { Rule } from "../../scripts/user/ekuiper/api.ts";
import { Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { uninstall } from "../../scripts/user/ekuiper/install.ts";
import { status } from "../../scripts/user/ekuiper/status.ts";
import { runScript } from "../script.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { type Gateway, lacks, skip, startGateway, token } from "./gateway.ts";
import { type Recipe, readRecipes } from "./recipe-page.ts";

const run = promisify(execFile);
const fixture = (name: string) => readFileSync(`test/fixtures/${name}`);
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const NEW_TOKEN = "another-token-of-this-test";
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

interface Message {
  readonly camera: string;
  readonly label: string;
  readonly time: number;
}

describe.skipIf(skip)("recipes", () => {
  const coffee = fixture("coffee.png");
  const cat = fixture("chelsea.png");
  /** Labelled with less confidence than the recipes ask for. */
  const rocket = fixture("rocket.jpg");
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-recipes-"));
  const started: string[] = [];
  let gateway: Gateway;
  let recipes: Map<string, Recipe>;
  let mailbox: Mailbox;

  /** mosquitto, with TLS. */
  let broker: RunningBroker;
  let certificates: Certificates;
  /** TLS in front of the labeler, with the whole chain, and without the intermediate certificate. */
  const proxies: Server[] = [];

  /** Puts TLS in front of the labeler. @param chain A file in PEM. @returns Its address. */
  async function behindTls(chain: string): Promise<string> {
    const tls = { key: readFileSync(certificates.key), cert: readFileSync(chain) };
    const server = createServer(tls, (request, response) => {
      const { method, headers, url } = request;
      const onward = httpRequest(gateway.labeler.url + url, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    proxies.push(server);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  beforeAll(async () => {
    certificates = makeCertificates(folder);
    broker = await startMosquitto(certificates);
    gateway = await startGateway(undefined, {
      labeler: { CACHE_ANSWERS: "false", LABELER_TOKENS: `rotated:${sha256(NEW_TOKEN)}` },
      environment: { SSL_CERT_FILE: certificates.root },
    });
    await gateway.install("function");
    await gateway.api.call("POST", "/rules/label/stop");
    recipes = readRecipes({
      "tcp://127.0.0.1:1883": gateway.broker.url,
      "http://127.0.0.1:8787": gateway.labeler.url,
      "http://127.0.0.1:9081": gateway.api.base,
      "http://127.0.0.1:10081": gateway.engine.pushUrl,
      "/var/spool/camera": folder,
      "ssl://BROKER:8883": broker.tlsUrl,
      "--broker-ca ca.pem": `--broker-ca ${certificates.root}`,
      "https://labeler.example.com": await behindTls(certificates.chain),
    });
    for (const { sources } of recipes.values())
      for (const [name, sql] of sources) await gateway.api.putStream(name, sql);
    const rules = [...recipes.values()].flatMap(({ rules }) => [...rules.values()]);
    const topics = rules.flatMap(({ actions }) => actions.flatMap(({ mqtt }) => (mqtt ? [String(mqtt.topic)] : [])));
    mailbox = await Mailbox.open(gateway.broker.url, topics);
  });

  afterEach(async () => {
    for (const id of started.splice(0).reverse()) await gateway.api.deleteRule(id);
    // A rule goes on closing after its DELETE was answered.
    await expect.poll(subscribers).toBe(0);
  });

  afterAll(async () => {
    await mailbox?.close();
    for (const server of proxies) server.close();
    await gateway?.stop();
    await broker?.stop();
    rmSync(folder, { recursive: true });
  });

  function recipe(heading: string): Recipe {
    const found = recipes.get(heading);
    if (found === undefined) throw new Error(`ekuiper/recipes.md has no recipe "${heading}".`);
    return found;
  }

  function ruleOf(heading: string, id: string): Rule {
    const found = recipe(heading).rules.get(id);
    if (found === undefined) throw new Error(`The recipe "${heading}" has no rule ${id}.`);
    return found;
  }

  /** Of the topics of the page's streams. */
  const subscribers = () =>
    ["cameras/+/image", "shots", "asks"].reduce((sum, topic) => sum + gateway.broker.subscribers(topic), 0);

  /** Starts a rule and waits until all its sources are connected. */
  async function startRule(rule: Rule): Promise<void> {
    started.push(rule.id);
    const before = subscribers();
    const isFromBroker = /FROM (cameras|shots|asks)\b/.test(rule.sql);
    await gateway.api.putRule(rule);
    if (isFromBroker) return expect.poll(subscribers).toBe(before + 1);
    await expect
      .poll(async () => JSON.stringify(await gateway.api.ruleStatus(rule.id)))
      .toMatch(/"source_\w+_connection_status":1\b/);
  }

  const start = (heading: string, id: string) => startRule(ruleOf(heading, id));
  /** Starts label_once, and a rule that reads what it writes. */
  async function startReader(rule: Rule): Promise<void> {
    await startRule(rule);
    await start("Label once, use the label in many rules", "label_once");
  }

  const shoot = (camera: string, image: Uint8Array | string) => mailbox.publish(`cameras/${camera}/image`, image);

  async function take<T = Message>(topic: string, count: number): Promise<T[]> {
    const messages: T[] = [];
    for (let i = 0; i < count; i++) messages.push(JSON.parse(await mailbox.next(topic, 30)));
    return messages;
  }

  /** Takes the messages of other tests that nobody has read. */
  async function passOver(topic: string): Promise<void> {
    while (mailbox.waiting(topic) > 0) await mailbox.next(topic);
  }

  /** How many images the labeler was asked to label by functions. */
  async function asked(): Promise<number> {
    const response = await fetch(`${gateway.labeler.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    const line = /^edge_labeler_requests_total\{route="\/ekuiper\/labelImage",method="POST",status="200"\} (\d+)$/m;
    return Number(line.exec(await response.text())?.[1] ?? 0);
  }

  test.skipIf(lacks("curl"))("the page's shell functions put streams and rules there", async () => {
    const page = readFileSync("ekuiper/recipes.md", "utf8");
    const [, script = ""] = /^```sh\n(EKUIPER=[\s\S]*?)^put_rule cameras/m.exec(page) ?? [];
    const { sources, rules } = recipe("Several cameras");
    const env = {
      ...process.env,
      STREAM: sources.get("cameras"),
      RULE: JSON.stringify({ ...rules.get("cameras"), triggered: false }),
    };
    const use = `printf %s "$STREAM" | put_stream cameras_2\nprintf %s "$RULE" | put_rule cameras`;
    const { stdout } = await run(
      "bash",
      ["-ec", `${script.replace(/^EKUIPER=.*$/m, `EKUIPER=${gateway.api.base}`)}\n${use}`],
      {
        env: { ...env, STREAM: sources.get("cameras")?.replace("STREAM cameras", "STREAM cameras_2") },
      },
    );
    expect(stdout).toMatch(/cameras_2[\s\S]*cameras/);
    expect(await gateway.api.sources("streams")).toContain("cameras_2");
    expect((await gateway.api.rule("cameras")).sql).toBe(rules.get("cameras")?.sql);
    await gateway.api.deleteRule("cameras");
    await gateway.api.call("DELETE", "/streams/cameras_2");
  });

  test("several cameras: each label has its camera, an id and the time at which the image came", async () => {
    await start("Several cameras", "cameras");
    const before = Date.now();
    await shoot("door", coffee);
    await shoot("Tür 2 & co", cat);
    await shoot("door", "no image at all");
    const rows = await take<Message & { id: string; confidence: number; error?: string }>("ekuiper/labels", 3);
    expect(rows.map(({ camera, label }) => [camera, label])).toEqual([
      ["door", "968:espresso"],
      ["Tür 2 & co", "286:Egyptian cat"],
      ["door", ""],
    ]);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(3);
    for (const { id, time } of rows) {
      expect(id).toMatch(UUID);
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(Date.now());
    }
    expect(rows.map(({ error }) => error)).toEqual([undefined, undefined, expect.stringMatching(/\w+ \w+/)]);
    const [shown = {}] = recipe("Several cameras").messages;
    expect(rows[0]).toEqual({ ...shown, id: expect.any(String), time: expect.any(Number) });
  });

  test("several cameras: submitted, each result has its camera as device", async () => {
    const rule = ruleOf("Several cameras", "cameras_submitted");
    // The page says that a labeler with a token needs this.
    Object.assign(rule.actions[0]?.rest?.headers as object, { Authorization: `Bearer ${token}` });
    await startRule(rule);
    const before = Date.now();
    for (const [camera, image] of [
      ["door", coffee],
      ["Tür 2 & co", cat],
    ] as const) {
      await shoot(camera, image);
      const path = `/results?device=${encodeURIComponent(camera)}`;
      await expect.poll(() => gateway.ask<unknown[]>(path)).toHaveLength(1);
      const [row] = await gateway.ask<{ id: string; device: string; label: string; time: string }[]>(path);
      expect(row).toMatchObject({ device: camera, id: expect.stringMatching(UUID) });
      expect(row?.label).toBe(camera === "door" ? "968:espresso" : "286:Egyptian cat");
      expect(Date.parse(row?.time ?? "")).toBeGreaterThanOrEqual(before);
    }
  });

  test("only what the model is sure of: one call an image, and nothing of the others", async () => {
    const before = await asked();
    await start("Only what the model is sure of", "sure");
    for (const image of [rocket, coffee, "no image at all", cat]) await shoot("door", image);
    expect((await take("labels/sure", 2)).map(({ label }) => label)).toEqual(["968:espresso", "286:Egyptian cat"]);
    expect(await asked()).toBe(before + 4);
    expect(mailbox.waiting("labels/sure")).toBe(0);
  });

  test("label once: three rules read the labels, and the labeler is asked once for each image", async () => {
    const before = await asked();
    const worded = ruleOf("A word for what is not sure", "worded");
    for (const id of ["reader_1", "reader_2"]) await startRule({ ...worded, id });
    await startReader(worded);
    for (const image of [coffee, rocket, "no image at all", cat]) await shoot("door", image);
    const labels = (await take("labels/worded", 12)).map(({ label }) => label);
    for (const label of ["968:espresso", "unsure", "unreadable", "286:Egyptian cat"]) {
      expect(labels.filter((found) => found === label)).toHaveLength(3);
    }
    expect(await asked()).toBe(before + 4);
  });

  test("how often each label was seen: the windows add up to the images", async () => {
    await startReader(ruleOf("How often each label was seen", "counted"));
    for (const image of [coffee, cat, coffee, "no image at all", coffee]) await shoot("door", image);
    const counts = new Map<string, number>();
    const sum = () => [...counts.values()].reduce((total, count) => total + count, 0);
    while (sum() < 5) {
      const [{ label, images } = { label: "", images: 0 }] = await take<{ label: string; images: number }>(
        "labels/counted",
        1,
      );
      counts.set(label, (counts.get(label) ?? 0) + images);
    }
    expect(Object.fromEntries(counts)).toEqual({ "968:espresso": 3, "286:Egyptian cat": 1, "": 1 });
  });

  test("only changes that last: of twelve images with one that is labelled otherwise come exactly three messages", async () => {
    await startReader(ruleOf("Only changes, and only when they last", "changes"));
    const frames = [coffee, coffee, coffee, cat, coffee, coffee, cat, cat, cat, coffee, coffee, coffee];
    for (const frame of frames) {
      await shoot("door", frame);
      await shoot("gate", cat); // changes nothing of the other's
    }
    const rows = await take("labels/changes", 4);
    const of = (camera: string) => rows.filter((row) => row.camera === camera).map(({ label }) => label);
    expect(of("door")).toEqual(["968:espresso", "286:Egyptian cat", "968:espresso"]);
    expect(of("gate")).toEqual(["286:Egyptian cat"]);
    await nothingMore("labels/changes");
  });

  /** Waits until all images that were published have been labelled, and says that no message came of them. */
  async function nothingMore(topic: string): Promise<void> {
    await expect
      .poll(async () => {
        const status = await gateway.api.ruleStatus("label_once");
        return [status.source_cameras_0_records_in_total, status.sink_memory_0_0_records_out_total];
      })
      .toSatisfy(([read, written]: unknown[]) => read === written);
    await new Promise((wake) => setTimeout(wake, 200));
    expect(mailbox.waiting(topic)).toBe(0);
  }

  test("at most one alarm in a time: the first at once, the next when the time is over", async () => {
    const rule = ruleOf("At most one alarm in ten minutes", "alarm");
    await startReader(rule);
    for (const image of [cat, coffee, coffee, coffee]) await shoot("door", image);
    expect(await take("labels/alarm", 1)).toMatchObject([{ camera: "door", label: "968:espresso" }]);
    await nothingMore("labels/alarm");

    expect(rule.sql).toContain(">= 600000)");
    await gateway.api.putRule({
      ...rule,
      sql: rule.sql.replace("600000", "2000").replace("SELECT ", "SELECT event_time() as at, "),
    });
    const alarms = await alarmsOf(12);
    expect(alarms[1]?.at).toBeGreaterThanOrEqual((alarms[0]?.at ?? 0) + 2000);
    // The image before the second alarm's came too early for one, unless this machine labels fewer than four a second.
    expect(alarms[1]?.at).toBeLessThan((alarms[0]?.at ?? 0) + 5000);
  });

  /** Publishes an image every quarter of a second. @returns The first two alarms, with the time at which the rule saw the label. */
  async function alarmsOf(images: number): Promise<(Message & { at?: number })[]> {
    await new Promise((wake) => setTimeout(wake, 500));
    for (let i = 0; i < images; i++) {
      await shoot("door", coffee);
      await new Promise((wake) => setTimeout(wake, 250));
    }
    return take("labels/alarm", 2);
  }

  test("images that come too fast: the last is labelled, and what is dropped is counted", async () => {
    await start("Images that come faster than they are labelled", "newest");
    const images = 60;
    for (let i = 0; i < images; i++) await shoot(`n${i}`, i % 2 === 0 ? coffee : cat);
    const labelled: string[] = [];
    while (labelled.at(-1) !== `n${images - 1}`) {
      const [{ camera } = { camera: "" }] = await take("labels/newest", 1);
      labelled.push(camera);
    }
    expect(mailbox.waiting("labels/newest")).toBe(0);
    const status = await gateway.api.ruleStatus("newest");
    const dropped = Object.entries(status).filter(([name]) => name.endsWith("_exceptions_total"));
    const sum = dropped.reduce((total, [, count]) => total + Number(count), 0);
    expect(sum).toBeGreaterThan(0);
    expect(labelled.length + sum).toBe(images);
    expect(JSON.stringify(status)).toContain("buffer full, drop message");
  });

  test("JSON with base64: decoded by eKuiper, or by the labeler, which takes data URLs and has a row for the rest", async () => {
    const send = (image?: string) => mailbox.publish("shots", JSON.stringify({ camera: "door", image }));
    const dataUrl = `data:image/png;base64,${cat.toString("base64")}`;
    await start("Images in JSON, as base64", "shots");
    for (const image of [coffee.toString("base64"), "no base64!", cat.toString("base64")]) await send(image);
    expect(await take("labels/shots", 2)).toEqual([
      { camera: "door", label: "968:espresso" },
      { camera: "door", label: "286:Egyptian cat" },
    ]);
    expect(JSON.stringify(await gateway.api.ruleStatus("shots"))).toMatch(/illegal base64/);

    await start("Images in JSON, as base64", "shots_undecoded");
    for (const image of [coffee.toString("base64"), "no base64!", dataUrl]) await send(image);
    const labels = (await take("labels/undecoded", 3)).map(({ label }) => label);
    expect(labels).toEqual(["968:espresso", "", "286:Egyptian cat"]);
  });

  test("files: those that are there and those that come are labelled once and deleted", async () => {
    const incoming = join(folder, "incoming");
    mkdirSync(incoming);
    const put = (name: string, from: string) => {
      copyFileSync(`test/fixtures/${from}`, join(folder, name));
      renameSync(join(folder, name), join(incoming, name));
    };
    put("0.png", "chelsea.png");
    await start("Images as files", "files");
    put("1.png", "coffee.png");
    expect(await take("labels/files", 2)).toEqual([
      { file: join(incoming, "0.png"), label: "286:Egyptian cat" },
      { file: join(incoming, "1.png"), label: "968:espresso" },
    ]);
    await expect.poll(() => readdirSync(incoming)).toEqual([]);
    const [shown] = recipe("Images as files").messages;
    expect(shown).toEqual({ file: join(incoming, "1.png"), label: "968:espresso" });
  });

  test.skipIf(lacks("curl"))(
    "HTTP: an image that is posted to eKuiper with the page's command is labelled",
    async () => {
      await start("Images by HTTP", "posts");
      const [command = ""] = recipe("Images by HTTP").commands;
      await run("sh", ["-ec", command]);
      expect(await take("labels/posts", 1)).toEqual([{ label: "968:espresso", time: expect.any(Number) }]);
    },
  );

  test.skipIf(lacks("curl"))(
    "lookup: a message gets the label of the image that it names, unless its stream has an alias",
    async () => {
      const heading = "The label of an image that was submitted";
      await gateway.install("pull");
      for (const [id, image] of [
        ["shot-1", coffee],
        ["shot-2", cat],
      ] as const) {
        const url = `${gateway.labeler.url}/ekuiper/sink?id=${id}&device=gateway`;
        const headers = { authorization: `Bearer ${token}` };
        expect((await fetch(url, { method: "POST", headers, body: new Uint8Array(image) })).status).toBe(204);
      }
      const [command = ""] = recipe(heading).commands;
      await run("sh", ["-ec", command]);
      const rule = ruleOf(heading, "asks");
      await startRule(rule);
      const aliased = rule.sql.replaceAll("asks.", "x.").replace("FROM asks ", "FROM asks AS x ");
      const actions = [{ mqtt: { ...rule.actions[0]?.mqtt, topic: "labels/worded" } }];
      await startRule({ id: "aliased", sql: aliased, actions });
      const left = rule.sql.replace("INNER", "LEFT");
      await startRule({
        id: "left",
        sql: left,
        actions: [{ mqtt: { ...rule.actions[0]?.mqtt, topic: "labels/sure" } }],
      });

      const filled = async () => (await gateway.api.ruleStatus("labels_table")).sink_memory_0_0_records_out_total;
      await expect.poll(filled).toBeGreaterThanOrEqual(2);
      for (const id of ["shot-1", "shot-2", "shot-3"]) await mailbox.publish("asks", JSON.stringify({ id, line: 7 }));
      expect(await take("labels/asked", 2)).toMatchObject([
        { id: "shot-1", line: 7, label: "968:espresso", confidence: expect.closeTo(0.99, 1) },
        { id: "shot-2", line: 7, label: "286:Egyptian cat" },
      ]);
      expect((await take("labels/sure", 3)).at(-1)).toEqual({ id: "shot-3", line: 7 });
      expect(await gateway.api.ruleStatus("aliased")).toMatchObject({ source_asks_0_records_in_total: 3 });
      expect(mailbox.waiting("labels/worded")).toBe(0);
      for (const id of started.splice(0).reverse()) await gateway.api.deleteRule(id);
      await gateway.api.call("DELETE", "/streams/asks");
      await uninstall(gateway.api, false);
    },
  );

  /** Runs an `npm run ekuiper` of the page. @param further Arguments. @returns What it prints. */
  async function runCommand(heading: string, index: number, further: readonly string[] = [], as = token) {
    const command = recipe(heading).commands[index] ?? "";
    const [, line = ""] = /npm run ekuiper -- (.*)/.exec(command) ?? [];
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
    const environment = { NODE_EXTRA_CA_CERTS: certificates.root };
    return runScript("ekuiper", [...words, "--gateway", gateway.api.base, ...further], { token: as, environment });
  }

  const MQTT = "MQTT with TLS, sessions and shared subscriptions";
  /** A rule of a user's own that reads the installer's stream, with where its images were published. */
  const mine = (): Rule => ({
    id: "mine",
    sql: "SELECT split_value(meta(topic), '/', 1) as camera, labelImage(self)->label as label FROM tfdemo",
    actions: [{ mqtt: { server: broker.url, topic: "mine", sendSingle: true } }],
  });

  describe.skipIf(lacks("openssl", "mosquitto"))("with mosquitto", () => {
    let seen: Mailbox;
    beforeAll(async () => {
      seen = await Mailbox.open(broker.url, ["mine", "ekuiper/labels"]);
    });
    afterAll(async () => {
      await seen?.close();
      await gateway.api.deleteRule("mine");
      await uninstall(gateway.api, false);
    });

    const camerasOf = async (count: number) => {
      const cameras = new Set<string>();
      for (let i = 0; i < count; i++) cameras.add(JSON.parse(await seen.next("mine", 20)).camera);
      return cameras;
    };
    const publish = (camera: string) => seen.publish(`cameras/${camera}/image`, coffee);

    test("TLS, qos 1 and a client id for stream and sinks, a session that outlives a killed engine", async () => {
      const done = await runCommand(MQTT, 0, ["--labeler", gateway.labeler.url]);
      expect(done.code, done.out + done.err).toBe(0);
      await gateway.api.putRule(mine());
      await expect.poll(() => broker.log()).toMatch(/as gate-1 \(p2, c0/);
      await expect
        .poll(async () => JSON.stringify(await gateway.api.ruleStatus("label")))
        .toMatch(/"source_tfdemo_0_connection_status":1\b/);
      await publish("first");
      expect(JSON.parse(await seen.next("ekuiper/labels"))).toEqual({ label: "968:espresso" });
      expect(await camerasOf(1)).toEqual(new Set(["first"]));
      expect(broker.log()).toMatch(/as gate-1-label \(p2/);
      const { pending } = await status({ api: gateway.api });
      expect(pending).toEqual([]);

      // With two rules, one starts after the other, and does not get what comes in between.
      await gateway.api.call("POST", "/rules/label/stop");
      await gateway.engine.kill();
      const away = Array.from({ length: 10 }, (_, i) => `n${i}`);
      for (const camera of away) await publish(camera);
      await gateway.engine.restart();
      const came = new Set<string>();
      const all = async () => {
        while (seen.waiting("mine") > 0) came.add(JSON.parse(await seen.next("mine")).camera);
        return away.every((camera) => came.has(camera));
      };
      // What came before the subscription comes with the next connection.
      await expect
        .poll(all, { timeout: 5000 })
        .toBe(true)
        .catch(async () => {
          for (const change of ["stop", "start"]) await gateway.api.call("POST", `/rules/mine/${change}`);
          await expect.poll(all).toBe(true);
        });
    });

    test("another topic needs another client with a session; a shared subscription divides the images", async () => {
      const share = "$share/gates/cameras/+/image";
      const same = await runScript("ekuiper", ["install", "--gateway", gateway.api.base, "--topic", share], { token });
      expect(same).toMatchObject({ code: 2, err: expect.stringMatching(/another --client-id with another --topic/) });
      expect((await runCommand(MQTT, 1)).code).toBe(0);
      await expect.poll(() => broker.log()).toMatch(/as gate-2 \(p2, c0/);
      const other = await Mailbox.open(broker.url, [share]);
      await expect
        .poll(async () => JSON.stringify(await gateway.api.ruleStatus("mine")))
        .toMatch(/"source_tfdemo_0_connection_status":1\b/);
      while (seen.waiting("mine") > 0) await seen.next("mine");
      const cameras = Array.from({ length: 10 }, (_, i) => `s${i}`);
      for (const camera of cameras) await publish(camera);
      const taken = () => cameras.reduce((sum, camera) => sum + other.waiting(`cameras/${camera}/image`), 0);
      await expect.poll(() => taken() + seen.waiting("mine")).toBe(10);
      expect(taken()).toBeGreaterThan(0);
      expect(seen.waiting("mine")).toBeGreaterThan(0);
      await other.close();
    });

    test("MQTT 5 works, and install warns of connections that break", async () => {
      const five = ["--mqtt-version", "5", "--topic", "cameras/+/image"];
      const options = ["--session", "off", ...five];
      const refused = await runCommand(MQTT, 1, ["--session", "on", ...five]);
      expect(refused.err).toMatch(/--session on needs --mqtt-version 3\.1\.1/);
      const done = await runCommand(MQTT, 1, options);
      expect(done.out).toMatch(/WARN +MQTT 5 +.*receives nothing any more/);
      await expect.poll(() => broker.log()).toMatch(/as gate-2 \(p5/);
      await expect
        .poll(async () => {
          await publish("five");
          return seen.waiting("mine");
        })
        .toBeGreaterThan(0);
    });
  });

  test.skipIf(lacks("openssl"))(
    "https with an authority of our own: functions, sink and pull trust it, if the chain is whole",
    async () => {
      const heading = "A labeler behind https, with an authority of your own";
      const broker = ["--broker", gateway.broker.url];
      const [, address = ""] = /--labeler (\S+)/.exec(recipe(heading).commands[1] ?? "") ?? [];
      for (const loop of ["function", "pull"]) {
        const done = await runCommand(heading, 1, [...broker, "--loop", loop]);
        expect(done.code, done.out + done.err).toBe(0);
        expect(done.out).toMatch(new RegExp(`ok +labeler from gateway +the gateway reaches ${address}`));
        await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(1);
        await passOver("ekuiper/labels");
        await mailbox.publish("tfdemo", coffee);
        expect(JSON.parse(await mailbox.next("ekuiper/labels"))).toMatchObject({ label: "968:espresso" });
      }
      await uninstall(gateway.api, false);

      // The gateway's own check does not look at certificates; the rule does.
      const incomplete = ["--labeler", await behindTls(certificates.server)];
      const warned = await runCommand(heading, 1, [...broker, ...incomplete]);
      expect(warned.out).toMatch(/WARN +labeler from here .*certificate/);
      await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(1);
      await mailbox.publish("tfdemo", coffee);
      await expect
        .poll(async () => JSON.stringify(await gateway.api.ruleStatus("label")))
        .toMatch(/certificate signed by unknown authority/);
      await uninstall(gateway.api, false);
    },
  );

  test("another token: functions use it at once, and go on when the old one is gone", async () => {
    await gateway.install("function");
    await passOver("ekuiper/labels");
    const done = await runCommand("Another token", 0, [], NEW_TOKEN);
    expect(done.code, done.out).toBe(0);
    const { Interfaces } = await gateway.api.service("labeler");
    const [used] = Object.values(Interfaces);
    expect(used?.Options?.headers?.Authorization).toBe(`Bearer ${NEW_TOKEN}`);

    await gateway.labeler.stop();
    const port = Number(new URL(gateway.labeler.url).port);
    const settings = { LABELER_TOKENS: `rotated:${sha256(NEW_TOKEN)}` };
    const labeler = await startWorkerd({ settings, port });
    try {
      await fetch(`${labeler.url}/readyz`);
      await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(1);
      await mailbox.publish("tfdemo", coffee);
      expect(JSON.parse(await mailbox.next("ekuiper/labels"))).toEqual({ label: "968:espresso" });
    } finally {
      await uninstall(gateway.api, false);
      await labeler.stop();
    }
  });
});
