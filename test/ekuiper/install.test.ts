/** The installer on the real engine: what it changes, what it leaves alone, what it notices. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startEngine } from "../../scripts/ekuiper-engine/engine.ts";
import { DEFAULT_VERSION } from "../../scripts/ekuiper-engine/engine-source.ts";
import { freePorts } from "../../scripts/system/ports.ts";
import { EkuiperApi, type Rule } from "../../scripts/user/ekuiper/api.ts";
import { Mailbox, startBroker } from "../../scripts/user/ekuiper/broker.ts";
import { checkLabelerFromGateway } from "../../scripts/user/ekuiper/checks.ts";
import { NEWEST } from "../../scripts/user/ekuiper/dialect.ts";
import { install, uninstall } from "../../scripts/user/ekuiper/install.ts";
import { installJson } from "../../scripts/user/ekuiper/json.ts";
import { LOOPS, type Loop, partsOf, RULE_IDS, STREAMS, TABLES } from "../../scripts/user/ekuiper/parts.ts";
import { Conflict } from "../../scripts/user/ekuiper/plan.ts";
import { serviceDefinition } from "../../scripts/user/ekuiper/service.ts";
import { sourceSql } from "../../scripts/user/ekuiper/source-sql.ts";
import { status } from "../../scripts/user/ekuiper/status.ts";
import { tryOnce } from "../../scripts/user/ekuiper/try-once.ts";
import { runScript } from "../script.ts";
import { type Gateway, lacks, skip, startGateway, token } from "./gateway.ts";
import { exampleOf, expectShape } from "./json-shape.ts";

const LABELS = "ekuiper/labels";
/** Calls that look and change nothing: the import is refused for want of a file, validation and trial run nothing. */
const LOOKS = /^GET |^POST \/data\/import\?partial=1$|^POST \/rules\/validate$|^(POST|DELETE) \/ruletest\b/;
const run = promisify(execFile);

describe.skipIf(skip)("npm run ekuiper", () => {
  let gateway: Gateway;
  let coffee: Uint8Array;
  /** Small enough to be sent before the answer comes: a large one's connection may be closed on a client without a token. */
  let small: Uint8Array;

  beforeAll(async () => {
    coffee = await readFile("test/fixtures/coffee.png");
    small = await readFile("test/fixtures/coffee-96.webp");
    gateway = await startGateway();
  });

  afterEach(async () => {
    await uninstall(gateway.api, false);
  });

  afterAll(async () => {
    await gateway?.stop();
  });

  /** Everything that eKuiper would take along to another machine, and the states of its rules. */
  async function everything(): Promise<unknown> {
    const exported = JSON.parse(await gateway.api.call("GET", "/data/export"));
    const rules = await gateway.api.rules();
    const started = await Promise.all(
      rules.map(async ({ id }) => (await gateway.api.ruleStatus(id)).lastStartTimestamp),
    );
    const uploads = (await gateway.api.uploads()).length;
    return { exported, rules, started, uploads, functions: await gateway.api.serviceFunctions() };
  }

  const cli = (...args: string[]) => runScript("ekuiper", args, { token });
  /** @returns What it prints. */
  const succeeding = async (...args: string[]) => {
    const { code, out, err } = await cli(...args);
    expect(code, err).toBe(0);
    return out;
  };
  const where = () => ["--gateway", gateway.api.base, "--labeler", gateway.labeler.url, "--broker", gateway.broker.url];

  /** A rule of the user's own. */
  const usersRule = (id: string, sql: string, topic: string): Rule => ({
    id,
    sql,
    actions: [{ mqtt: { server: gateway.broker.url, topic, sendSingle: true } }],
  });

  test.each(LOOPS)("%s: installing twice changes nothing, and test gives the label", async (loop) => {
    const first = await gateway.install(loop);
    expect(first.checks.filter(({ state }) => state !== "ok")).toEqual([]);
    expect(first.steps.length).toBeGreaterThan(3);
    const before = await everything();
    gateway.calls.length = 0;
    const second = await gateway.install(loop);
    expect(second).toMatchObject({ done: true, steps: [] });
    expect(gateway.calls.filter((call) => !LOOKS.test(call))).toEqual([]);
    expect(await everything()).toEqual(before);

    const { label, hops } = await tryOnce({ api: gateway.api }, coffee);
    expect(label).toBe("968:espresso");
    const times = hops.map(({ ms }) => ms);
    expect(Math.min(...times)).toBeGreaterThan(0);
    const seen = await status({ api: gateway.api });
    expect(seen.checks.filter(({ state }) => state !== "ok")).toEqual([]);
    expect(seen.pending).toEqual([]);
  });

  test("the service names the labeler's documentation", async () => {
    await gateway.install("function");
    const { About } = JSON.parse(await gateway.api.call("GET", "/services/labeler"));
    expect(About).toMatchObject({
      author: { name: "Edge Labeler" },
      helpUrl: { en_US: `${gateway.labeler.url}/docs` },
    });
    expect((await fetch(About.helpUrl.en_US)).headers.get("content-type")).toMatch(/^text\/html/);
  });

  test("a loop takes the place of another, and uninstall leaves the engine as it was", async () => {
    const extra = JSON.stringify(JSON.stringify({ server: gateway.broker.url }));
    const mine = `CREATE STREAM mine () WITH (TYPE="mqtt", DATASOURCE="mine", FORMAT="JSON", EXTRA=${extra})`;
    await gateway.api.putStream("mine", mine);
    await gateway.api.putRule(usersRule("my_rule", "SELECT a FROM mine", "out"));
    const before = await everything();
    for (const loop of [...LOOPS, "function"] as Loop[]) {
      await gateway.install(loop);
      const wanted = { labeler: { url: "" }, broker: "tcp://x", topic: "", device: "", functions: [], mqtt: {}, loop };
      const parts = await partsOf(wanted, NEWEST);
      const ids = (await gateway.api.rules()).map(({ id }) => id).filter((id) => RULE_IDS.includes(id));
      expect(ids.sort()).toEqual(parts.rules.map(({ id }) => id).sort());
    }
    await uninstall(gateway.api, false);
    expect(await everything()).toEqual(before);
    await gateway.api.deleteRule("my_rule");
    await gateway.api.call("DELETE", "/streams/mine");
  });

  test("rules of an older release go: `errors`, which labelled each image a second time, and label with results[0]", async () => {
    await gateway.install("function");
    const tags = ["edge-labeler"];
    const errors = {
      ...usersRule("errors", 'SELECT labelImage(self)->error as error FROM tfdemo WHERE error != ""', "ekuiper/errors"),
      tags,
      triggered: false,
    };
    const label = {
      ...usersRule("label", "SELECT labelImage(self)->results[0]->label as label FROM tfdemo", LABELS),
      tags,
    };
    for (const rule of [errors, label]) await gateway.api.putRule(rule);
    const seen = await status({ api: gateway.api });
    expect(seen.installed).toContain("rule errors");
    expect(seen.pending.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "DELETE /rules/errors",
      "PUT /rules/label",
    ]);
    await gateway.install("function");
    expect((await gateway.api.rules()).map(({ id }) => id)).toEqual(["label"]);
    expect((await tryOnce({ api: gateway.api }, coffee)).label).toBe("968:espresso");

    await gateway.api.putRule(errors);
    await uninstall(gateway.api, false);
    expect(await gateway.api.rules()).toEqual([]);
  });

  test("a changed token is used at once, by rules of the user's own, too", async () => {
    await gateway.install("function");
    await gateway.api.putRule(usersRule("my_rule", "SELECT labelText(self) as mine FROM tfdemo", "mine"));
    const mailbox = await Mailbox.open(gateway.broker.url, [LABELS, "mine"]);
    const both = async (image = coffee) => {
      await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(2);
      await mailbox.publish("tfdemo", image);
    };
    await both();
    expect(await mailbox.next(LABELS)).toBe('{"label":"968:espresso"}');
    expect(await mailbox.next("mine")).toBe('{"mine":"968:espresso"}');

    const wrong = await gateway.install("function", { token: "changed", force: true });
    expect(wrong.checks).toContainEqual(
      expect.objectContaining({ state: "error", fix: expect.stringMatching(/--token/) }),
    );
    await both(small);
    for (const id of ["label", "my_rule"]) {
      await expect.poll(async () => JSON.stringify(await gateway.api.ruleStatus(id))).toMatch(/ 401 /);
    }
    expect(mailbox.waiting(LABELS) + mailbox.waiting("mine")).toBe(0);

    await gateway.install("function");
    await both();
    expect(await mailbox.next(LABELS)).toBe('{"label":"968:espresso"}');
    expect(await mailbox.next("mine")).toBe('{"mine":"968:espresso"}');
    await expect(uninstall(gateway.api, false)).rejects.toThrow(/Your rule my_rule uses/);
    await gateway.api.deleteRule("my_rule");
    await mailbox.close();
  });

  test("pull: a changed token is used at once, and no result comes a second time", async () => {
    const mailbox = await Mailbox.open(gateway.broker.url, [LABELS]);
    const device = "token";
    await gateway.install("pull", { device });
    await mailbox.publish("tfdemo", coffee);
    await mailbox.next(LABELS);
    await gateway.install("pull", { device, token: "changed", force: true });
    await expect.poll(async () => JSON.stringify(await gateway.api.ruleStatus("labels_pulled"))).toMatch(/401/);
    await gateway.install("pull", { device });
    await mailbox.publish("tfdemo", coffee);
    await mailbox.next(LABELS);
    expect(await gateway.ask<unknown[]>(`/results?device=${device}`)).toHaveLength(2);
    await new Promise((wake) => setTimeout(wake, 1200)); // one more pull
    expect(mailbox.waiting(LABELS)).toBe(0);
    await mailbox.close();
  });

  test("what is the user's own is used as it is, or the installer says what is in the way", async () => {
    const extra = JSON.stringify(JSON.stringify({ server: gateway.broker.url }));
    const own = `CREATE STREAM tfdemo () WITH (TYPE="mqtt", DATASOURCE="tfdemo", FORMAT="BINARY", EXTRA=${extra})`;
    await gateway.api.putStream("tfdemo", own);
    const { steps } = await gateway.install("function");
    expect(steps.map(({ path }) => path)).not.toContain("/streams/tfdemo");
    expect((await tryOnce({ api: gateway.api, broker: gateway.broker.url }, coffee)).label).toBe("968:espresso");
    await uninstall(gateway.api, false);
    expect(await gateway.api.sources("streams")).toEqual(["tfdemo"]);

    await gateway.api.putStream("tfdemo", own.replace("BINARY", "JSON"));
    await expect(gateway.install("function")).rejects.toThrow(Conflict);
    await gateway.api.putStream("tfdemo", own);
    await gateway.api.putRule(usersRule("label", "SELECT 1 as one FROM tfdemo", "out"));
    await expect(gateway.install("function")).rejects.toThrow(/rule label that was not installed/);
    await gateway.api.deleteRule("label");
    await gateway.api.call("DELETE", "/streams/tfdemo");
    expect(await gateway.api.services()).toEqual([]);
  });

  test("a dry run prints each call without the token and makes none", async () => {
    gateway.calls.length = 0;
    const before = await everything();
    const stdout = await succeeding("install", ...where(), "--loop", "pull", "--dry-run");
    expect(stdout).toMatch(/POST \S+\/rules .*\n +\{"id":"handover"/);
    expect(stdout).toContain(`"Authorization":"…"`);
    expect(stdout).not.toContain(token);
    expect(await everything()).toEqual(before);
    const [nobody] = await freePorts(1);
    const nowhere = await cli("install", "--gateway", `http://127.0.0.1:${nobody}`, "--dry-run");
    expect(nowhere.code).toBe(1);
    expect(nowhere.out).toMatch(/FAIL +gateway .*does not answer/);
    expect(nowhere.out).toContain("# rule label: ");
  });

  test("as a command: install, test, feed and watch, status and uninstall, with the JSON that is documented", async () => {
    const installing = JSON.parse(await succeeding("install", ...where(), "--json"));
    expectShape(installing, await exampleOf("install"), ["failure"]);
    expect(installing).toMatchObject({ ekuiper: DEFAULT_VERSION, done: true, kept: [] });
    expect(installing.steps.map(({ call }: { call: string }) => call)).toContain("PUT /streams/tfdemo");
    const tested = JSON.parse(await succeeding("test", "--gateway", gateway.api.base, "--json"));
    expectShape(tested, await exampleOf("test"));
    expect(tested).toMatchObject({ label: "968:espresso", loop: "function" });
    const watching = cli("watch", "--broker", gateway.broker.url, "--count", "4", "--json");
    await expect.poll(() => gateway.broker.subscribers(LABELS)).toBe(1);
    const files = ["test/fixtures/coffee.png", "test/fixtures/chelsea.png"];
    const fed = await succeeding("feed", ...files, ...files, "--broker", gateway.broker.url, "--every", "50ms");
    expect(fed).toMatch(/4 images published on tfdemo/);
    const watched = await watching;
    expect(watched.code, watched.err).toBe(0);
    const lines = watched.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expectShape(lines[0], await exampleOf("watch"));
    expect(lines.map(({ message }) => JSON.parse(message).label)).toEqual([
      "968:espresso",
      "286:Egyptian cat",
      "968:espresso",
      "286:Egyptian cat",
    ]);

    const stdout = await succeeding("status", "--gateway", gateway.api.base, "--json");
    const seen = JSON.parse(stdout);
    expectShape(seen, await exampleOf("status"));
    const { installed, checks } = seen;
    expect(installed).toEqual(["service labeler", "stream tfdemo", "rule label"]);
    expect(checks).toContainEqual({ name: "rule label", state: "ok", detail: "running, 5 rows in, 5 out" });
    const removed = JSON.parse(await succeeding("uninstall", "--gateway", gateway.api.base, "--json"));
    const { steps } = (await exampleOf("install")) as { steps: unknown };
    expectShape(removed, { steps });
    expect(removed.steps.length).toBeGreaterThanOrEqual(3);
    expect(await gateway.api.rules()).toEqual([]);
  });

  test("installing again keeps what was installed, unless told otherwise", async () => {
    const topic = "cams/#";
    const options = { ...gateway.options("pull"), device: "gate-9", topic };
    const api = gateway.api;
    const again = (differing: object = {}) => install({ api, ...differing }, { dryRun: false, force: false });
    await install(options, { dryRun: false, force: false });
    const before = await everything();
    expect(await again()).toMatchObject({
      done: true,
      steps: [],
      kept: [
        "loop pull",
        `labeler ${options.labeler}`,
        "the token",
        `broker ${options.broker}`,
        `topic ${topic}`,
        "device gate-9",
      ],
    });
    expect(await everything()).toEqual(before);

    await api.deleteRule("labels_pulled"); // what is left is still that loop
    const repaired = await again();
    expect(repaired.steps.map(({ why }) => why)).toEqual([expect.stringMatching(/^rule labels_pulled/)]);

    const renamed = await again({ device: "gate-10" });
    expect(renamed.kept).not.toContainEqual(expect.stringMatching(/device/));
    const now = JSON.stringify(await Promise.all(RULE_IDS.map((id) => api.rule(id).catch(() => undefined))));
    expect(now).toContain("device=gate-10");
    expect(now).not.toContain("gate-9");
    expect(await api.sourceOptions("streams", "tfdemo")).toMatchObject({ datasource: topic });

    const { stdout } = await run("npm", ["run", "-s", "ekuiper", "--", "install", "--gateway", api.base, "--dry-run"]);
    expect(stdout).toContain(`topic ${topic}, device gate-10.\n`);
    expect(stdout).not.toContain(token);
  });

  test("a token is taken away by an empty one alone", async () => {
    await gateway.install("sink");
    const authorization = async () => JSON.stringify(await gateway.api.rule("handover")).includes("Authorization");
    expect(await authorization()).toBe(true);
    await install({ api: gateway.api, token: "" }, { dryRun: false, force: true });
    expect(await authorization()).toBe(false);
  });

  test("install says what is wrong and how to fix it, and changes nothing", async () => {
    const [nobody] = await freePorts(1);
    const away = { url: `http://127.0.0.1:${nobody}` };
    const { checks, done } = await install(
      { ...gateway.options("function"), labeler: away.url },
      { dryRun: false, force: false },
    );
    expect(done).toBe(false);
    const failed = checks.find(({ state }) => state === "error");
    expect(failed).toMatchObject({ name: "labeler from gateway", detail: expect.stringMatching(/connection refused/) });
    expect(failed?.fix).toMatch(/--ip 0\.0\.0\.0/);
    expect(await gateway.api.services()).toEqual([]);

    await gateway.api.putStream(
      "mine",
      `CREATE STREAM mine () WITH (DATASOURCE="x", FORMAT="JSON", CONF_KEY="nowhere")`,
    );
    const { checks: found } = await status(gateway.options("function"));
    expect(found).toContainEqual(
      expect.objectContaining({ state: "warning", detail: expect.stringMatching(/CONF_KEY.*mine \(mqtt nowhere\)/) }),
    );
    await gateway.api.call("DELETE", "/streams/mine");
  });

  test("a broker that asks for user and password, and a topic of one's own", async () => {
    const broker = await startBroker({ name: "gate", password: 'p@secr"\\et' });
    try {
      const url = broker.url.replace("//", "//gate:p%40secr%22%5Cet@");
      const denied = await install(
        { ...gateway.options("function"), broker: broker.url },
        { dryRun: true, force: false },
      );
      expect(denied.checks).toContainEqual(
        expect.objectContaining({ name: "broker from here", fix: expect.stringMatching(/USER:PASSWORD@/) }),
      );
      const options = [
        "--gateway",
        gateway.api.base,
        "--labeler",
        gateway.labeler.url,
        "--broker",
        url,
        "--topic",
        "cams/#",
      ];
      const dry = await succeeding("install", ...options, "--dry-run");
      expect(dry).not.toContain("secr");
      const subscribed = broker.nextSubscriber("cams/#");
      const stdout = await succeeding("install", ...options);
      expect(stdout).not.toContain("secr");
      await subscribed;
      expect((await tryOnce({ api: gateway.api }, coffee)).label).toBe("968:espresso");
      expect((await status({ api: gateway.api })).pending).toEqual([]);
      await uninstall(gateway.api, false);
    } finally {
      await broker.stop();
    }
  });

  test("an engine that may not call private addresses is told from a labeler that is away", async () => {
    const engine = await startEngine({
      broker: gateway.broker.url,
      environment: { KUIPER__BASIC__ENABLEPRIVATENET: "false" },
    });
    try {
      const check = await checkLabelerFromGateway(new EkuiperApi(engine.url), { url: gateway.labeler.url });
      expect(check).toMatchObject({
        state: "error",
        detail: expect.stringMatching(/refuses to call.*internal network/),
      });
      expect(check.fix).toContain("KUIPER__BASIC__ENABLEPRIVATENET=true");
    } finally {
      await engine.stop();
    }
  });

  test.skipIf(lacks("curl", "zip"))(
    "the plain files are what the installer makes: after the README's curl commands it has nothing to do",
    async () => {
      const readme = await readFile("ekuiper/README.md", "utf8");
      const blocks = [...readme.matchAll(/```sh\n(EKUIPER=[^`]*)```/g)].map(([, block]) => block ?? "");
      expect(blocks).toHaveLength(1);
      const script = blocks.join("").replace(/^EKUIPER=.*$/m, `EKUIPER=${gateway.api.base}`);
      const loops = script.split(/^# (?=Loop )/m);
      const names = loops.slice(1).map((block) => /^Loop (\w+)/.exec(block)?.[1]);
      expect(names).toEqual(LOOPS);
      for (const [index, loop] of LOOPS.entries()) {
        await run("sh", ["-ec", `${loops[0]}\n# ${loops[index + 1]}`], { cwd: "ekuiper" });
        const { steps } = await install({ api: gateway.api, loop }, { dryRun: true, force: false });
        expect(steps.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
        await uninstall(gateway.api, false);
      }
    },
  );
});

test("what eKuiper refused is documented as JSON, too", async () => {
  const step = (path: string, body?: unknown) =>
    ({ why: "", method: "PUT", path, body, run: () => Promise.resolve() }) as const;
  const failure = { step: step("/rules/a", { id: "a" }), reason: "no", undone: [step("/streams/s", "x")], left: [] };
  const checks = [{ name: "gateway", state: "ok", detail: "", dialect: NEWEST }] as const;
  const json = installJson({ version: "2.4.2", checks, steps: [], done: false, kept: [], failure });
  expectShape(JSON.parse(json), await exampleOf("install"));
  expect(json).not.toContain("dialect");
});

test("the plain service's interface has the name that the installer gives it, which changes with what is in it", async () => {
  const { interfaces } = JSON.parse(await readFile("ekuiper/service/labeler.json", "utf8"));
  const made = await serviceDefinition({ url: "http://127.0.0.1:8787" });
  expect(Object.keys(interfaces)).toEqual(made.interfaces);
});

test("every plain file belongs to a loop, and has the installer's own form", async () => {
  const files = async (folder: string) =>
    (await readdir(`ekuiper/${folder}`)).map((name) => name.replace(/\.json$/, ""));
  expect((await files("streams")).sort()).toEqual([...STREAMS].sort());
  expect(await files("tables")).toEqual([...TABLES]);
  expect((await files("rules")).sort()).toEqual([...RULE_IDS].sort());
  for (const [folder, names] of [
    ["streams", STREAMS],
    ["tables", TABLES],
  ] as const) {
    for (const name of names) {
      const { sql }: { sql: string } = JSON.parse(await readFile(`ekuiper/${folder}/${name}.json`, "utf8"));
      expect(sourceSql.write(sourceSql.parse(sql))).toBe(sql);
    }
  }
});
