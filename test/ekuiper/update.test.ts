/** A gateway that was set up by an older release, and one that refuses a call halfway: what install makes of them. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_VERSION } from "../../scripts/ekuiper-engine/engine-source.ts";
import type { Rule } from "../../scripts/user/ekuiper/api.ts";
import { status, tryOnce, uninstall } from "../../scripts/user/ekuiper/install.ts";
import { runScript } from "../script.ts";
import { type Gateway, skip, startGateway, token, VERSIONS } from "./gateway.ts";

/** The older release's own files; its streams and service were the same. */
const older = async (name: string): Promise<Rule> =>
  JSON.parse(await readFile(`test/fixtures/ekuiper-older/${name}.json`, "utf8"));

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

const versions = VERSIONS.filter((version) => version === DEFAULT_VERSION || process.env.EKUIPER_VERSIONS);

describe.skipIf(skip).each(versions)("an installed gateway on eKuiper %s", (version) => {
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

  /** Puts rules of the older release in the place of this one's, with this gateway's addresses. */
  async function putOlder(...names: string[]): Promise<void> {
    for (const name of names) {
      const rule = await older(name);
      for (const { mqtt, rest } of rule.actions) {
        if (mqtt !== undefined) mqtt.server = gateway.broker.url;
        if (rest === undefined) continue;
        rest.url = `${gateway.labeler.url}/ekuiper/sink`;
        const headers = rest.headers as Record<string, string>;
        rest.headers = { ...headers, "X-Device": "gate-7", Authorization: `Bearer ${token}` };
      }
      await gateway.api.putRule(rule);
    }
  }

  const parts = async () => (await status({ api: gateway.api })).checks.find(({ name }) => name === "installed parts");

  test("the older release's sink is named, and is replaced without a word of its options", async () => {
    await gateway.install("sink", { device: "gate-7" });
    expect(await parts()).toMatchObject({ state: "ok" });
    await putOlder("handover");
    expect(await parts()).toMatchObject({ state: "warning", detail: expect.stringContaining("rule handover") });

    const install = ["install", "--gateway", gateway.api.base];
    const { code, out, err } = await runScript("ekuiper", install, { token });
    expect(code, err).toBe(0);
    expect(out).toContain("rule handover");
    expect(await parts()).toMatchObject({ state: "ok" });
    const url = String((await gateway.api.rule("handover")).actions[0]?.rest?.url);
    expect(url).toContain("id={{urlquery .id}}");
    expect(url).toContain("device=gate-7");
    expect((await tryOnce({ api: gateway.api }, coffee)).label).toBe("968:espresso");
  });

  test("the older release's function rules are named and replaced", async () => {
    await gateway.install("function");
    await putOlder("label", "errors");
    await gateway.install("function");
    expect(await parts()).toMatchObject({ state: "ok" });
    expect((await tryOnce({ api: gateway.api }, coffee)).label).toBe("968:espresso");
  });

  test("a refused step is said with what was taken back, and leaves an empty gateway empty", async () => {
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

  test("a refused step leaves a loop that was installed before at work", async () => {
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
    await expect.poll(() => gateway.broker.subscribers("tfdemo"), { timeout: 10_000 }).toBeGreaterThan(0);
    expect((await tryOnce({ api: gateway.api }, coffee)).label).toBe("968:espresso");
  });

  test("an uninstall that is refused says what has gone, and the next one does the rest", async () => {
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
