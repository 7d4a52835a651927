/**
 * The portable plugin in the real engine: the tutorial's own rule, bad images, and killed processes. No other file may
 * install it: test files run concurrently, and eKuiper gives all plugins of one name the same sockets in /tmp.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { whyNoEngine } from "../../scripts/ekuiper-engine/build.ts";
import { DEFAULT_VERSION } from "../../scripts/ekuiper-engine/engine-source.ts";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import type { EkuiperApi } from "../../scripts/user/ekuiper/api.ts";
import { type Broker, Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { install, uninstall } from "../../scripts/user/ekuiper/install.ts";
import { installPlugin, pluginZip } from "../../scripts/user/ekuiper/plugin-zip.ts";
import { installStream } from "../../scripts/user/ekuiper/service.ts";
import { status } from "../../scripts/user/ekuiper/status.ts";
import { tryOnce } from "../../scripts/user/ekuiper/try-once.ts";
import { type BareGateway, type Gateway, startBareGateway, startGateway, token, VERSIONS } from "./gateway.ts";

const python = ["python3", "python"].find((name) => {
  try {
    return execFileSync(name, ["-c", "import sys; print(sys.version_info >= (3, 7))"]).toString().trim() === "True";
  } catch {
    return false;
  }
});
const missing = (await whyNoEngine()) ?? (python === undefined ? "Python 3.7 or newer was not found." : undefined);
const skip = missing !== undefined && !process.env.CI;
if (skip) console.warn(`The plugin is not tested. ${missing}`);

const reference = process.env.LABELER_REFERENCE;
const coffee = readFileSync("test/fixtures/coffee.png");
const espresso = '{"label":"968:espresso"}';

/** Functions besides labelImage. */
const OWN = [{ name: "door", query: "model=efficientnet_lite0&crop=center&min=0.4" }];

describe("the plugin's zip", () => {
  test("is the same, byte by byte, whenever it is built from the same sources", async () => {
    expect(Buffer.from(await pluginZip()).equals(Buffer.from(await pluginZip()))).toBe(true);
  });

  test("holds what eKuiper looks for, and no entry whose folder has none", async () => {
    const names = Object.keys(unzipSync(await pluginZip({ url: "http://labeler:8787" })));
    expect(names).toEqual(
      expect.arrayContaining(["labeler.json", "labeler.py", "install.sh", "functions/labelImage.json"]),
    );
    for (const name of names) {
      const folder = dirname(name);
      if (folder !== ".") expect(names).toContain(`${folder}/`);
    }
  });

  test("has the version of the product", async () => {
    const described = unzipSync(await pluginZip())["labeler.json"];
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(JSON.parse(Buffer.from(described ?? []).toString()).version).toBe(`v${version}`);
  });

  test("carries the address and token that it was built for", async () => {
    const config = unzipSync(await pluginZip({ url: "http://labeler:8787", token }))["config.json"];
    expect(JSON.parse(Buffer.from(config ?? []).toString())).toEqual({ url: "http://labeler:8787", token });
  });
});

/** Installs the rule of eKuiper's tutorial, in which only the broker's address differs, and waits until it listens. */
async function startTutorialRule({ api, broker }: BareGateway): Promise<void> {
  const subscribed = broker.nextSubscriber("tfdemo");
  await api.putRule({
    id: "ruleTf",
    sql: "SELECT labelImage(self)[0]->label as label FROM tfdemo",
    actions: [{ mqtt: { server: broker.url, topic: "ekuiper/labels", sendSingle: true } }],
  });
  await subscribed;
}

test("a zip with a function of one's own lists it, describes it and has its parameters", async () => {
  const files = unzipSync(await pluginZip({ url: "http://labeler:8787" }, OWN));
  const read = (name: string) => JSON.parse(Buffer.from(files[name] ?? []).toString());
  expect(read("labeler.json").functions).toEqual(["labelImage", "door"]);
  expect(read("config.json")).toEqual({ url: "http://labeler:8787", functions: { door: OWN[0]?.query } });
  expect(read("functions/door.json").functions).toMatchObject([{ name: "door", example: "door(self)->label" }]);
});

describe.skipIf(skip)("the plugin in the engine", () => {
  let gateway: BareGateway;
  let broker: Broker;
  let labeler: RunningLabeler;
  let api: EkuiperApi;
  let mailbox: Mailbox;
  const servers: Server[] = [];

  beforeAll(async () => {
    gateway = await startBareGateway({ KUIPER__PORTABLE__PYTHONBIN: python ?? "python3" });
    ({ broker, labeler, api } = gateway);
    await installPlugin(api, { url: labeler.url, token }, OWN);
    await installStream(api);
    mailbox = await Mailbox.open(broker.url, ["ekuiper/labels", "answers"]);
    await startTutorialRule(gateway);
  });

  beforeEach(async () => {
    // What a test that failed has left.
    while (mailbox.waiting("ekuiper/labels") > 0) await mailbox.next("ekuiper/labels");
  });

  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
    const functions = Object.fromEntries(OWN.map(({ name, query }) => [name, query]));
    if (guardian() !== undefined) configure({ url: labeler.url, token, functions });
  });

  afterAll(async () => {
    await mailbox?.close();
    await gateway?.stop();
  });

  async function labelOf(image: Uint8Array | string, seconds = 10): Promise<string> {
    await mailbox.publish("tfdemo", image);
    return mailbox.next("ekuiper/labels", seconds);
  }

  /** The plugin's processes: the one that eKuiper started, and the one that works; each its own parent's number too. */
  function processes(): { pid: number; parent: number; folder: string }[] {
    const lines = execFileSync("ps", ["-eo", "pid=,ppid=,args="]).toString().split("\n");
    const script = /^\s*(\d+)\s+(\d+)\s.* (\S+)\/labeler\.py \{/;
    return lines.flatMap((line) => {
      const [, pid, parent, folder] = script.exec(line) ?? [];
      return folder?.includes("plugins/portable/labeler") ? [{ pid: Number(pid), parent: Number(parent), folder }] : [];
    });
  }
  const guardian = () => processes().find(({ pid }) => processes().some(({ parent }) => parent === pid));
  const worker = () => processes().find(({ parent }) => processes().some(({ pid }) => parent === pid));

  function configure(config: Record<string, unknown>): void {
    writeFileSync(join(guardian()?.folder ?? "", "config.json"), JSON.stringify(config));
  }

  /** A server between plugin and labeler that answers the first requests with a status of its own, or not at all. */
  async function flaky(answers: (number | "reset")[]): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", async () => {
        const answer = answers.shift();
        if (answer === "reset") return request.socket.destroy();
        if (answer !== undefined) return response.writeHead(answer).end();
        const { authorization = "" } = request.headers;
        const reply = await fetch(labeler.url + request.url, {
          method: "POST",
          body: Buffer.concat(chunks),
          headers: { authorization },
        });
        response.writeHead(reply.status).end(Buffer.from(await reply.arrayBuffer()));
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test("the tutorial's own rule labels an image", async () => {
    expect(await labelOf(coffee)).toBe(espresso);
  });

  test.skipIf(!reference)("the tutorial's peacock gets the tutorial's label", async () => {
    expect(await labelOf(await readFile(join(reference ?? "", "images/peacock.png")))).toBe('{"label":"85:peacock"}');
  });

  test("a broken image gives a row with an empty label, in its place among the others", async () => {
    const images = ["no image at all", coffee, coffee.subarray(0, 1000), "", coffee];
    for (const image of images) await mailbox.publish("tfdemo", image);
    const labels: string[] = [];
    for (const _ of images) labels.push(await mailbox.next("ekuiper/labels"));
    expect(labels).toEqual(['{"label":""}', espresso, '{"label":""}', '{"label":""}', espresso]);
    expect(await api.ruleStatus("ruleTf")).toMatchObject({ status: "running", op_3_project_0_exceptions_total: 0 });
  });

  test("a rule gets the labels as an array, and the reason why there are none", async () => {
    const subscribed = broker.nextSubscriber("tfdemo");
    const actions = [{ mqtt: { server: broker.url, topic: "answers", sendSingle: true } }];
    await api.putRule({ id: "answers", sql: "SELECT labelImage(self) as labels FROM tfdemo", actions });
    await subscribed;
    await mailbox.publish("tfdemo", coffee);
    await mailbox.publish("tfdemo", "no image at all");
    const good = JSON.parse(await mailbox.next("answers"));
    expect(good.labels).toHaveLength(5);
    expect(good.labels[0]).toEqual({ label: "968:espresso", confidence: expect.closeTo(0.99, 1) });
    const bad = JSON.parse(await mailbox.next("answers"));
    expect(bad.labels).toEqual([{ confidence: 0, label: "", error: expect.stringMatching(/^415 .*\w/) }]);
    await api.deleteRule("answers");
    for (let i = 0; i < 2; i++) await mailbox.next("ekuiper/labels");
  });

  test("a function of one's own asks with its parameters, and gives the service's object", async () => {
    const subscribed = broker.nextSubscriber("tfdemo");
    const actions = [{ mqtt: { server: broker.url, topic: "answers", sendSingle: true } }];
    await api.putRule({
      id: "answers",
      sql: "SELECT door(self) as answer, answer->label as label FROM tfdemo",
      actions,
    });
    await subscribed;
    const asked = async (body: BodyInit) => {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${labeler.url}/ekuiper/labelImage?${OWN[0]?.query}`, {
        method: "POST",
        headers,
        body,
      });
      return response.json();
    };
    for (const image of [coffee, "no image at all"]) {
      await mailbox.publish("tfdemo", image);
      const expected = await asked(typeof image === "string" ? image : new Uint8Array(image));
      expect(JSON.parse(await mailbox.next("answers"))).toEqual({ answer: expected, label: expected.label });
    }
    configure({ url: labeler.url, token, functions: { door: "min=0.1&min=0.2" } });
    await mailbox.publish("tfdemo", coffee);
    const refused = {
      confidence: 0,
      label: "",
      results: [],
      error: expect.stringMatching(/^400 min is given 2 times/),
    };
    expect(JSON.parse(await mailbox.next("answers")).answer).toEqual(refused);
    await api.deleteRule("answers");
    for (let i = 0; i < 3; i++) await mailbox.next("ekuiper/labels");
    configure({ url: labeler.url, token });
  });

  test("a labeler that is busy, restarts or drops the connection costs time, not the label", async () => {
    configure({ url: await flaky([503, 429, "reset", 500]), token });
    expect(await labelOf(coffee)).toBe(espresso);
  });

  test("a labeler that stays away costs one label within eKuiper's 5 s", async () => {
    configure({ url: await flaky(Array.from({ length: 100 }, () => 503)), token });
    expect(await labelOf(coffee, 5)).toBe('{"label":""}');
    configure({ url: labeler.url, token });
    expect(await labelOf(coffee)).toBe(espresso);
  });

  test("a new token in config.json is used at once", async () => {
    configure({ url: labeler.url, token: "another" });
    expect(await labelOf(coffee)).toBe('{"label":""}');
    expect(gateway.engine.log()).toMatch(/labeler: 401 /);
    configure({ url: labeler.url, token });
    expect(await labelOf(coffee)).toBe(espresso);
  });

  test("when asked to, an error fails the call, and eKuiper counts it", async () => {
    configure({ url: labeler.url, token, onError: "fail" });
    await mailbox.publish("tfdemo", "no image at all");
    expect(await labelOf(coffee)).toBe(espresso);
    expect(await api.ruleStatus("ruleTf")).toMatchObject({
      op_3_project_0_exceptions_total: 1,
      op_3_project_0_last_exception: expect.stringMatching(/labelImage.* 415 /),
    });
    configure({ url: labeler.url, token });
  });

  test("a killed process is replaced, whichever of the two, and no image is lost", async () => {
    for (const victim of [worker, guardian, worker, guardian]) {
      const killed = victim()?.pid ?? 0;
      await mailbox.publish("tfdemo", coffee);
      process.kill(killed, "SIGKILL"); // at work, or just before or after
      expect(await mailbox.next("ekuiper/labels")).toBe(espresso);
      expect(await labelOf(coffee)).toBe(espresso);
      await expect.poll(processes).toHaveLength(2);
      expect(processes().map(({ pid }) => pid)).not.toContain(killed);
    }
  });

  test("after both were killed at once, installing the plugin again brings it back", async () => {
    // Stopped first, or one would replace the other in between.
    for (const signal of ["SIGSTOP", "SIGKILL"]) for (const { pid } of processes()) process.kill(pid, signal);
    await expect.poll(processes).toHaveLength(0);
    await installPlugin(api, { url: labeler.url, token }, OWN);
    expect(await labelOf(coffee)).toBe(espresso);
  });

  test("it ends with the engine, and comes back with it", async () => {
    await gateway.engine.kill();
    await expect.poll(processes).toHaveLength(0);
    const subscribed = broker.nextSubscriber("tfdemo", 20);
    await gateway.engine.restart();
    await subscribed;
    expect(await labelOf(coffee)).toBe(espresso);
  });

  test("install.sh says what is wrong with a gateway without Python", async () => {
    const script = readFileSync("ekuiper/plugin/install.sh");
    const env = { PATH: process.env.PATH, KUIPER__PORTABLE__PYTHONBIN: "no-such-python" };
    const run = () => execFileSync("sh", ["-s"], { input: script, env, stdio: ["pipe", "pipe", "pipe"] });
    expect(run).toThrow(/no-such-python`, which is not here. Install Python 3\.7/);
  });

  test("removing it leaves no process behind", async () => {
    await api.deleteRule("ruleTf");
    const response = await fetch(`${api.base}/plugins/portables/labeler`, { method: "DELETE" });
    expect(response.status).toBe(200);
    await expect.poll(processes).toHaveLength(0);
  });
});

const others = VERSIONS.filter((version) => version !== DEFAULT_VERSION);
describe.skipIf(skip).each(others)("the plugin on eKuiper %s", (version) => {
  let gateway: BareGateway;

  beforeAll(async () => {
    gateway = await startBareGateway({ KUIPER__PORTABLE__PYTHONBIN: python ?? "python3" }, version);
  });
  afterAll(() => gateway?.stop());

  test("labels by the tutorial's own rule, and gives a row for a broken image in its place", async () => {
    const { api, broker, labeler } = gateway;
    await installPlugin(api, { url: labeler.url, token });
    await installStream(api);
    const mailbox = await Mailbox.open(broker.url, ["ekuiper/labels"]);
    await startTutorialRule(gateway);
    for (const image of [coffee, "no image at all", coffee]) await mailbox.publish("tfdemo", image);
    const labels: string[] = [];
    while (labels.length < 3) labels.push(await mailbox.next("ekuiper/labels"));
    expect(labels).toEqual([espresso, '{"label":""}', espresso]);
    await api.deleteRule("ruleTf");
    await mailbox.close();
  });
});

describe.skipIf(skip)("a plugin that hides the service's labelImage", () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway?.stop());

  test("is named by the installer, also after its deletion, until eKuiper is restarted", async () => {
    await installPlugin(gateway.api, { url: gateway.labeler.url, token });
    const options = gateway.options("function");
    const alone = await status({ api: gateway.api, labeler: gateway.labeler.url, token });
    expect(alone.installed).toEqual(["plugin labeler"]);
    const plugins = alone.checks.find(({ name }) => name === "plugins");
    expect(plugins).toMatchObject({ state: "ok", detail: expect.stringContaining("labelImage(self)[0]->label") });
    const hidden = await install(options, { dryRun: false, force: false });
    expect(hidden.done).toBe(false);
    const named = hidden.checks.find(({ state }) => state === "error");
    expect(named?.detail).toMatch(/our plugin labeler .* hides the service's labelImage/);
    expect(named?.fix).toMatch(/curl -X DELETE \S+\/plugins\/portables\/labeler, and restart eKuiper/);

    await gateway.install("function", { force: true }); // a rule calls the plugin now
    await gateway.api.call("DELETE", "/plugins/portables/labeler");
    const deleted = await status(options);
    expect(deleted.checks).toContainEqual(expect.objectContaining({ name: "plugins", state: "ok" }));
    expect(deleted.checks).toContainEqual(
      expect.objectContaining({
        name: "deleted plugins",
        state: "error",
        fix: expect.stringMatching(/restart eKuiper/),
      }),
    );

    await uninstall(gateway.api, false);
    const refused = await install(options, { dryRun: false, force: false });
    expect(refused).toMatchObject({ done: false, failure: { step: { why: expect.stringMatching(/^rule label/) } } });
    expect(refused.checks).toContainEqual(
      expect.objectContaining({ name: "deleted plugins", fix: expect.stringMatching(/restart eKuiper/) }),
    );
    expect(await gateway.api.services()).toEqual([]);

    await gateway.engine.kill("SIGTERM");
    await gateway.engine.restart();
    await gateway.install("function");
    expect((await status(options)).checks.filter(({ state }) => state === "error")).toEqual([]);
    expect((await tryOnce({ api: gateway.api }, coffee)).label).toBe("968:espresso");
  });
});
