/** `install` on a gateway that an older release has set up, and on one that refuses a call halfway. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_VERSION } from "../../scripts/ekuiper-engine/engine-source.ts";
import { Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { dialectOf } from "../../scripts/user/ekuiper/dialect.ts";
import { uninstall } from "../../scripts/user/ekuiper/install.ts";
import { LOOPS } from "../../scripts/user/ekuiper/parts.ts";
import { status } from "../../scripts/user/ekuiper/status.ts";
import { tryOnce } from "../../scripts/user/ekuiper/try-once.ts";
import { runScript } from "../script.ts";
import { type Gateway, skip, startGateway, token, VERSIONS } from "./gateway.ts";
import { installOlder } from "./older-release.ts";

/** A REST API that refuses what `refuses` says, and hands on everything else to the engine. */
async function refusing(base: string, refuses: (call: string, body: string) => boolean): Promise<Server> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (refuses(`${request.method} ${request.url}`, body.toString("latin1"))) {
      return response.writeHead(400).end('{"error":1000,"message":"refused by this test"}');
    }
    const { "content-type": type } = request.headers;
    const answer = await fetch(base + request.url, {
      method: request.method ?? "GET",
      ...(body.length > 0 && { body }),
      ...(type !== undefined && { headers: { "content-type": type } }),
    });
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const isByHand = process.env.EKUIPER_VERSIONS !== undefined;
/** The older release needed EXTRA. */
const versions = VERSIONS.filter((version) => isByHand || dialectOf(version).hasExtra);

describe.skipIf(skip).each(versions)("an installed gateway on eKuiper %s", (version) => {
  const { hasExtra, breaksHeaders } = dialectOf(version);
  let gateway: Gateway;
  let coffee: Uint8Array;
  const servers: Server[] = [];

  beforeAll(async () => {
    coffee = await readFile("test/fixtures/coffee.png");
    gateway = await startGateway(version);
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
    await uninstall(gateway.api, false);
  });

  afterAll(() => gateway?.stop());

  const age = async () => (await status({ api: gateway.api })).checks.find(({ name }) => name === "installed parts");
  /** All that is installed. */
  async function exported(): Promise<unknown> {
    const { rules, ...others } = JSON.parse(await gateway.api.call("GET", "/data/export"));
    // Once a rule was replaced, eKuiper says that it is started; it starts all others, too.
    const startedByDefault = (rule: string) => ({ triggered: true, ...JSON.parse(rule) });
    return { ...others, rules: Object.values<string>(rules).map(startedByDefault) };
  }

  test.runIf(hasExtra).each(LOOPS)(
    "%s: what an older release installed is named, and updated in place without a word of its options",
    async (loop) => {
      const device = `gate-7-${loop}`;
      await gateway.install(loop, { device });
      const fresh = await exported();
      await uninstall(gateway.api, false);
      await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(0);

      await installOlder(gateway, loop, device);
      await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBeGreaterThan(0);
      const mailbox = await Mailbox.open(gateway.broker.url, ["ekuiper/labels"]);
      const expected = loop === "sink" ? 0 : 3;
      const received = async () => {
        while (mailbox.waiting("ekuiper/labels") < expected) await new Promise((wake) => setTimeout(wake, 50));
        const labels: string[] = [];
        for (let i = 0; i < expected; i++) labels.push(JSON.parse(await mailbox.next("ekuiper/labels")).label);
        return labels;
      };
      const publish = async () => {
        for (let i = 0; i < 3; i++) await mailbox.publish("tfdemo", coffee);
        expect(await received()).toEqual(Array(expected).fill("968:espresso"));
      };
      // Its sink lost images where eKuiper sends the templates in headers as they are.
      if (loop === "function" || !breaksHeaders) await publish();
      expect(await age()).toMatchObject({
        state: "warning",
        detail: expect.stringMatching(loop === "function" ? /rule errors.*rule label/ : /rule handover/),
      });

      const { code, out, err } = await runScript("ekuiper", ["install", "--gateway", gateway.api.base], { token });
      expect(code, err).toBe(0);
      expect(out).toContain(loop === "function" ? "rule errors goes" : "rule handover");
      expect(await age()).toMatchObject({ state: "ok" });
      expect(await exported()).toEqual(fresh);
      await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBe(1);
      expect((await tryOnce({ api: gateway.api }, coffee)).label).toBe("968:espresso");
      while (mailbox.waiting("ekuiper/labels") > 0) await mailbox.next("ekuiper/labels");
      await publish();
      await mailbox.close();
    },
  );

  const isRefused = test.runIf(isByHand || version === DEFAULT_VERSION);

  isRefused("a refused step is said with what was taken back, and leaves an empty gateway empty", async () => {
    const before = await gateway.api.call("GET", "/data/export");
    const server = await refusing(
      gateway.api.base,
      (call, body) => call === "POST /rules" && body.includes("handover"),
    );
    servers.push(server);
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = ["--labeler", gateway.labeler.url, "--broker", gateway.broker.url, "--loop", "sink"];
    const { code, out } = await runScript("ekuiper", ["install", "--gateway", address, ...options], { token });
    expect(code).toBe(1);
    expect(out).toMatch(/^ok +gateway/m); // the checks are printed all the same
    expect(out).toMatch(/^ok +labeler from gateway/m);
    expect(out).toMatch(/FAIL +rule handover.*\n.*refused by this test/);
    expect(out).toMatch(/taken back: stream tfdemo\n(?:.*configuration key.*\n)?.*taken back: labelImage\(\)/);
    expect(out).toContain("The gateway is as it was before.");
    expect(out).not.toContain(token);
    expect(await gateway.api.call("GET", "/data/export")).toBe(before);
    expect(await gateway.api.uploads()).toEqual([]);
    expect(await gateway.api.serviceFunctions()).toEqual([]);
  });

  isRefused("a refused step leaves a loop that was installed before at work", async () => {
    await gateway.install("function");
    const before = JSON.parse(await gateway.api.call("GET", "/data/export"));
    const server = await refusing(
      gateway.api.base,
      (call, body) => call === "POST /rules" && body.includes("handover"),
    );
    servers.push(server);
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, out } = await runScript("ekuiper", ["install", "--gateway", address, "--loop", "sink"], { token });
    expect(code).toBe(1);
    expect(out).toContain("taken back: rule label goes");
    expect(JSON.parse(await gateway.api.call("GET", "/data/export"))).toEqual(before);
    await expect.poll(() => gateway.broker.subscribers("tfdemo")).toBeGreaterThan(0);
    expect((await tryOnce({ api: gateway.api }, coffee)).label).toBe("968:espresso");
  });

  isRefused("an uninstall that is refused says what has gone, and the next one does the rest", async () => {
    await gateway.install("function");
    const server = await refusing(gateway.api.base, (call) => call === "DELETE /streams/tfdemo");
    servers.push(server);
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, err } = await runScript("ekuiper", ["uninstall", "--gateway", address], { token });
    expect(code).toBe(1);
    expect(err).toMatch(/refused by this test/);
    expect(err).toMatch(/This was done before:\n(?:.*\n)* {2}rule label goes/);
    await uninstall(gateway.api, false);
    expect(await gateway.api.sources("streams")).toEqual([]);
    expect(await gateway.api.services()).toEqual([]);
  });
});
