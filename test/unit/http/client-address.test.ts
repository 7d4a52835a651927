/** The client's address (worker/http/client-address.ts) in every spelling of proxies and runtimes. */
import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { AppEnv } from "../../../worker/http/app-env.ts";
import { addressOf, callerOf } from "../../../worker/http/client-address.ts";
import type { Bindings } from "../../../worker/settings/settings.ts";

const app = new Hono<AppEnv>().get("/", (c) => {
  const client = c.req.query("client");
  if (client !== undefined) c.set("client", client);
  return c.json({ address: addressOf(c), caller: callerOf(c) });
});

interface Seen {
  address: string;
  caller: string;
}

interface Call {
  readonly headers?: Record<string, string>;
  /** What workerd says of the connection. */
  readonly peer?: string;
  readonly settings?: Record<string, string>;
  readonly client?: string;
}

async function seen({ headers = {}, peer, settings = {}, client }: Call): Promise<Seen> {
  const url = `http://labeler/${client === undefined ? "" : `?client=${client}`}`;
  const request = new Request(url, { headers, cf: { clientIp: peer } as CfProperties });
  const response = await app.fetch(request, { ...(env as Bindings), ...settings } as Bindings);
  return response.json();
}

const byHeader = (address: string) =>
  seen({ headers: { "x-real-ip": address }, settings: { ADDRESS_HEADER: "x-real-ip" } });

describe("an address", () => {
  it.each([
    ["10.1.2.3", "10.1.2.3"],
    [" 10.1.2.3 ", "10.1.2.3"],
    ["10.1.2.3:40000", "10.1.2.3"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::FFFF:0a00:0001", "10.0.0.1"],
    ["[::ffff:127.0.0.1]:39860", "127.0.0.1"],
    ["64:ff9b::10.0.0.1", "10.0.0.1"],
    ["::1", "::1"],
    ["[::1]:80", "::1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["fe80::1%25eth0", "fe80::1"],
    ["10.0.0.9, 192.0.2.7", "192.0.2.7"], // the entry of the nearest proxy: the client may have written the others
  ])("%s is %s", async (text, address) => {
    expect((await byHeader(text)).address).toBe(address);
  });

  it.each([
    "",
    "-",
    "unknown",
    "10.0.0",
    "10.0.0.256",
    "010.0.0.1",
    "10.0.0.1:x",
    "evil.example",
    "::1::2",
    "[::1",
    "1:2:3",
    "%eth0",
    "_x",
  ])("%j is not readable, and all of those are one caller", async (text) => {
    expect(await byHeader(text)).toEqual({ address: "unknown", caller: "address:unknown" });
  });
});

describe("a caller", () => {
  const callers = async (...addresses: string[]) =>
    new Set(await Promise.all(addresses.map(async (address) => (await byHeader(address)).caller))).size;

  it("is an IPv4 address, however it is written", async () => {
    expect(await callers("10.0.0.1", "::ffff:10.0.0.1", "10.0.0.1:1", "10.0.0.1:2", "[::ffff:a00:1]:5")).toBe(1);
    expect(await callers("10.0.0.1", "::ffff:10.0.0.2", "10.0.0.3:40000", "::ffff:10.0.0.4", "64:ff9b::10.0.0.5")).toBe(
      5,
    );
  });

  it("is an IPv6 network of 64 bits, but not one that strangers share", async () => {
    expect(await callers("2001:db8::1", "2001:db8:0:0:1::2", "2001:0DB8::3", "[2001:db8::4]:443")).toBe(1);
    expect(await callers("2001:db8::1", "2001:db8:0:1::1")).toBe(2);
    expect(await callers("::1", "::2", "fe80::1", "fe80::2", "::ffff:10.0.0.1")).toBe(5);
  });

  it("is a token where there is one, and no address is called like a token", async () => {
    expect(await seen({ peer: "10.0.0.1:1", client: "gateway-1" })).toEqual({
      address: "10.0.0.1",
      caller: "token:gateway-1",
    });
    expect((await byHeader("token:gateway-1")).caller).toBe("address:unknown");
  });
});

describe("where no header is named", () => {
  const claim = { headers: { "cf-connecting-ip": "203.0.113.9", "x-forwarded-for": "203.0.113.9" } };

  it("it is the peer of the connection, whatever a client claims", async () => {
    expect((await seen({ ...claim, peer: "[::ffff:10.0.0.7]:51234" })).caller).toBe("address:10.0.0.7");
    expect((await seen({ ...claim })).caller).toBe("address:unknown");
  });

  it("and on Cloudflare what Cloudflare says", async () => {
    expect((await seen({ ...claim, settings: { ON_CLOUDFLARE: "true" } })).caller).toBe("address:203.0.113.9");
  });
});
