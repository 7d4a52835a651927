/** The output of `status` on the real engine about refused calls, brokers that are away, and push targets. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { freePorts } from "../../scripts/system/ports.ts";
import { Mailbox, startBroker } from "../../scripts/user/ekuiper/broker.ts";
import { checkPush } from "../../scripts/user/ekuiper/check-push.ts";
import { install, uninstall } from "../../scripts/user/ekuiper/install.ts";
import { readState } from "../../scripts/user/ekuiper/state.ts";
import { status } from "../../scripts/user/ekuiper/status.ts";
import { tryOnce } from "../../scripts/user/ekuiper/try-once.ts";
import { type Gateway, skip, startGateway, token } from "./gateway.ts";

describe.skipIf(skip)("npm run ekuiper -- status", () => {
  let gateway: Gateway;
  let coffee: Uint8Array;

  beforeAll(async () => {
    coffee = await readFile("test/fixtures/coffee.png");
    gateway = await startGateway();
  });

  afterEach(() => uninstall(gateway.api, false));
  afterAll(() => gateway?.stop());

  const checkOf = async (name: string) =>
    (await status({ api: gateway.api })).checks.find((check) => check.name === name);

  /** Edits the installed rule as an operator may, and has it take an image. */
  async function editSink(edit: (url: URL) => void): Promise<void> {
    const rule = await gateway.api.rule("handover");
    for (const { rest } of rule.actions) {
      if (rest === undefined) continue;
      // Templates are no part of a URL that could be parsed and written again.
      const [path = "", query = ""] = String(rest.url).split("?");
      const url = new URL(path);
      edit(url);
      rest.url = [url.href, query].filter(Boolean).join(url.search === "" ? "?" : "&");
    }
    const subscribed = gateway.broker.nextSubscriber("tfdemo");
    await gateway.api.putRule(rule);
    await subscribed;
    const mailbox = await Mailbox.open(gateway.broker.url, []);
    await mailbox.publish("tfdemo", coffee);
    await mailbox.close();
  }

  test("says why the labeler refuses the call of a function", async () => {
    await gateway.install("function");
    expect(await checkOf("labeler for labelImage()")).toMatchObject({ state: "ok" });
    await gateway.install("function", { token: "revoked", force: true });
    expect(await checkOf("labeler for labelImage()")).toMatchObject({
      state: "error",
      detail: expect.stringMatching(/refuses the call: 401: .*token/i),
      fix: expect.stringContaining("LABELER_TOKEN"),
    });
    await expect(tryOnce({ api: gateway.api }, coffee)).rejects.toThrow(
      /^The labeler refuses the call of labelImage\(\): 401: .*token/i,
    );
  });

  test("says why the labeler refuses what a sink submits", async () => {
    await gateway.install("sink", { device: "refused" });
    expect(await checkOf("labeler for rule handover")).toBeUndefined(); // nothing went wrong, nothing is submitted
    await editSink((url) => url.searchParams.set("model", "no-such-model"));
    await expect
      .poll(() => checkOf("labeler for rule handover"))
      .toMatchObject({
        state: "error",
        detail: expect.stringMatching(/refuses the call: 404: .*no-such-model/),
      });
    await expect(tryOnce({ api: gateway.api }, coffee)).rejects.toThrow(/rule handover: 404: .*no-such-model/);
    expect(await gateway.ask("/results?device=refused")).toEqual([]);
    expect(await gateway.ask("/results?device=edge-labeler-check")).toEqual([]);
  });

  test("sees that a rule waits for a broker that is away", async () => {
    const broker = await startBroker();
    const subscribed = broker.nextSubscriber("tfdemo");
    await install({ ...gateway.options("function"), broker: broker.url }, { dryRun: false, force: false });
    await subscribed;
    await broker.stop();
    await expect
      .poll(() => checkOf("rule label"))
      .toMatchObject({
        state: "error",
        detail: expect.stringMatching(/is not connected since 20\d\d-.* UTC, \d+ s ago: /),
      });
  });

  describe("push", () => {
    /** A labeler that says this of its targets. */
    async function saying(targets: unknown[]): Promise<{ url: string; calls: string[]; stop(): void }> {
      const calls: string[] = [];
      const server = createServer((request, response) => {
        calls.push(`${request.method} ${request.url}`);
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ targets }));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      return { url, calls, stop: () => server.close().closeAllConnections() };
    }

    const target = (url: string, more: object = {}) => ({
      target: `${url}/labeler/results`,
      waiting: 0,
      retryAt: null,
      lastError: null,
      ...more,
    });

    async function check(...targets: unknown[]) {
      const labeler = await saying(targets);
      try {
        return await checkPush(gateway.api, await readState(gateway.api), { url: labeler.url });
      } finally {
        labeler.stop();
      }
    }

    test("a target is this gateway's if its port is, too", async () => {
      await gateway.install("push");
      const { pushUrl } = gateway.engine;
      const [other] = await freePorts(1);
      expect(await check(target(pushUrl))).toMatchObject({ state: "ok" });
      expect(await check(target(pushUrl.replace("127.0.0.1", "localhost")))).toMatchObject({ state: "ok" });
      expect(await check(target(`http://127.0.0.1:${other}`), target(pushUrl))).toMatchObject({ state: "ok" });
      const { port } = new URL(pushUrl);
      expect(await check(target(`http://127.0.0.1:${other}`))).toMatchObject({
        state: "warning",
        detail: expect.stringContaining(`the streams of this gateway listen on port ${port}.`),
        fix: expect.stringContaining(`PUSH_TARGETS=http://127.0.0.1:${port}/labeler/results`),
      });
      expect(await check(target(`http://192.0.2.7:${port}`))).toMatchObject({
        state: "warning",
        detail: expect.stringContaining("is not the address of this gateway, 127.0.0.1"),
      });
    });

    test("a target that fails is said with the time of the next try", async () => {
      await gateway.install("push");
      const retryAt = new Date(Date.now() + 25_000).toISOString();
      const failing = target(gateway.engine.pushUrl, { waiting: 7, retryAt, lastError: "answered with status 503" });
      const { state, detail } = await check(failing);
      expect(state).toBe("warning");
      expect(detail).toMatch(
        /7 results wait: answered with status 503\. It tries again at 20\d\d-\S+ \S+ UTC, in 2\d s\./,
      );
    });

    test("test has the labeler try at once, however long it would wait", async () => {
      await gateway.install("push", { device: "late" });
      await gateway.engine.kill();
      const headers = { authorization: `Bearer ${token}` };
      const post = async (path: string) => {
        const response = await fetch(gateway.labeler.url + path, { method: "POST", body: "no image", headers });
        expect(response.ok).toBe(true);
        return response;
      };
      await post("/ekuiper/sink?device=late");
      const failures = async (): Promise<number> => (await (await post("/push/retry")).json()).targets[0].failures;
      while ((await failures()) < 7);
      const subscribed = gateway.broker.nextSubscriber("tfdemo", 20);
      await gateway.engine.restart();
      await subscribed;
      expect(await checkOf("push")).toMatchObject({ detail: expect.stringMatching(/in \d\d s\.$/) });
      expect((await tryOnce({ api: gateway.api }, coffee)).label).toBe("968:espresso");
      expect(await checkOf("push")).toMatchObject({ state: "ok" });
    });

    test("a stopped rule is said to lose what is posted", async () => {
      await gateway.install("push");
      await gateway.api.call("POST", "/rules/labels_pushed/stop");
      const posted = await fetch(`${gateway.engine.pushUrl}/labeler/results`, { method: "POST", body: "{}" });
      expect(posted.status).toBe(200); // if eKuiper refuses it one day, nothing is lost any more
      expect(await checkOf("push")).toMatchObject({
        state: "warning",
        detail: expect.stringMatching(/labels_pushed is stopped.*drops it/),
      });
    });
  });
});
