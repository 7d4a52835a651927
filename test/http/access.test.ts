/** Who may call and how often: tokens, anonymous calls, rate limits, other origins' pages, headers. */
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LabelerOptions, type RunningLabeler, startLabeler } from "../../scripts/lib/labeler.ts";
import { startWorkerd } from "../../scripts/lib/workerd.ts";
import { runScript } from "../script.ts";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";
import { RUNTIMES } from "./runtimes.ts";

const rocket = fixture("rocket.jpg");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Sends the head of a request and not a byte of its body. @returns What comes back, until the connection or a second ends. */
function headOnly(url: string, path: string, headers: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let answer = "";
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(end, 3000);
    socket.on("data", (data) => {
      answer += data;
      if (answer.includes("}")) end();
    });
    socket.on("error", reject);
    socket.on("close", end);
    const lines = [`POST ${path} HTTP/1.1`, `host: ${hostname}`, "content-length: 5000000", ...headers];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  });
}

/** A labeler for the tests of one describe. */
const running = (
  options: LabelerOptions,
  start: (options: LabelerOptions) => Promise<RunningLabeler> = startWorkerd,
) => {
  const holder = { url: "" };
  let labeler: RunningLabeler;
  beforeAll(async () => {
    labeler = await start(options);
    holder.url = labeler.url;
  });
  afterAll(() => labeler?.stop());
  return holder;
};

describe("several tokens, of which only hashes are known,", () => {
  const tokens = `gateway-1:${sha256("first")}, gateway-2:${sha256("second").toUpperCase()}`;
  const at = running({ settings: { LABELER_TOKENS: tokens, LABELER_TOKEN: "plain" } });

  it.each(["first", "second", "plain"])("each opens: %s", async (token) => {
    expect((await labelsOf(await post(`${at.url}/label`, rocket, bearer(token)))).length).toBe(5);
  });

  it("and nothing else does, not a hash and not a name either", async () => {
    for (const token of ["third", sha256("first"), "gateway-1", `gateway-1:${sha256("first")}`, "firs", "firstt"]) {
      const response = await post(`${at.url}/label`, rocket, bearer(token));
      expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
      await expectProblem(response, 401, "unauthorized", /not one of this labeler's/);
    }
    await expectProblem(await post(`${at.url}/label`, rocket), 401, "unauthorized", /Authorization: Bearer TOKEN/);
  });

  it("without one, the answer is there before any byte of an image", async () => {
    for (const headers of [[], ["authorization: Bearer guess"]]) {
      for (const path of ["/label", "/ekuiper/sink"]) {
        expect(await headOnly(at.url, path, headers)).toMatch(/^HTTP\/1\.1 401 /);
      }
    }
  });

  it("no other origin's page may read, where there is no such setting", async () => {
    const response = await fetch(`${at.url}/models`, {
      headers: { origin: "https://example.org", ...bearer("first") },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("answers and errors carry the headers that tell a browser to keep off", async () => {
    for (const response of [await post(`${at.url}/label`, rocket, bearer("first")), await fetch(`${at.url}/none`)]) {
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("referrer-policy")).toBe("no-referrer");
      expect(response.headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(response.headers.get("strict-transport-security")).toBeNull(); // not over http
    }
  });
});

// On both, since wrangler and workerd tell the Worker differently whose call it is.
describe.each(RUNTIMES)("anonymous calls and a limit for each caller, on %s", (_, start) => {
  const at = running(
    {
      settings: {
        LABELER_TOKENS: `a:${sha256("first")},b:${sha256("second")}`,
        ANONYMOUS_LABEL: "true",
        RATE_LIMIT: "3/h",
        CORS_ORIGIN: "https://example.org https://example.com",
      },
    },
    start,
  );

  it("/label needs no token, but a wrong one is none, and the other calls need one", async () => {
    expect((await labelsOf(await post(`${at.url}/label`, rocket))).length).toBe(5);
    expect((await post(`${at.url}/label`, rocket, bearer("third"))).status).toBe(401);
    expect((await post(`${at.url}/ekuiper/labelImage`, rocket)).status).toBe(401);
  });

  it("then the address has had its three, guesses included: a 429 that says when to come again", async () => {
    const response = await post(`${at.url}/label`, new Uint8Array(3_000_000));
    expect(response.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(Number(response.headers.get("retry-after"))).toBeLessThanOrEqual(1200);
    await expectProblem(response, 429, "too-many-requests", /this address.*Try again in \d+ s/);
    expect((await post(`${at.url}/label`, rocket, bearer("third"))).status).toBe(429);
  });

  it("each token has its own three", async () => {
    for (const token of ["first", "second"]) {
      for (let i = 0; i < 3; i++)
        expect((await fetch(`${at.url}/models`, { headers: bearer(token) })).status).toBe(200);
      const response = await fetch(`${at.url}/models`, { headers: bearer(token) });
      await expectProblem(response, 429, "too-many-requests", /the token "[ab]"/);
    }
  });

  it("probes are not counted", async () => {
    for (let i = 0; i < 6; i++) expect((await fetch(`${at.url}/healthz`)).status).toBe(200);
  });

  it("a preflight from an origin of the list passes without a token and is not counted", async () => {
    for (let i = 0; i < 5; i++) {
      const response = await fetch(`${at.url}/label`, {
        method: "OPTIONS",
        headers: {
          origin: "https://example.com",
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type",
        },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get("access-control-allow-origin")).toBe("https://example.com");
      expect(response.headers.get("access-control-allow-methods")).toMatch(/POST/);
      expect(response.headers.get("access-control-allow-headers")).toBe("authorization,content-type");
      expect(response.headers.get("access-control-max-age")).toMatch(/^\d+$/);
    }
  });

  it("its pages may read answers, refusals too; others' may not", async () => {
    const asked = async (origin: string) => {
      const response = await post(`${at.url}/label`, rocket, { origin });
      expect(response.status).toBe(429);
      expect(response.headers.get("vary") ?? "").toMatch(
        response.headers.has("access-control-allow-origin") ? /Origin/i : /^/,
      );
      return response.headers.get("access-control-allow-origin");
    };
    expect(await asked("https://example.org")).toBe("https://example.org");
    expect(await asked("https://example.net")).toBeNull();
    const refused = await fetch(`${at.url}/label`, {
      method: "OPTIONS",
      headers: { origin: "https://example.net", "access-control-request-method": "POST" },
    });
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("a proxy's header with the caller's address, and any origin", () => {
  const at = running({ settings: { RATE_LIMIT: "2/h", ADDRESS_HEADER: "x-real-ip", CORS_ORIGIN: "*" } });
  const from = async (address: string) =>
    (await fetch(`${at.url}/models`, { headers: { "x-real-ip": address } })).status;

  it("each address is counted, an IPv6 network as one", async () => {
    expect([await from("192.0.2.1"), await from("192.0.2.1"), await from("192.0.2.1")]).toEqual([200, 200, 429]);
    expect(await from("192.0.2.2")).toBe(200);
    expect([await from("2001:db8::1"), await from("2001:db8:0:0:1::2"), await from("2001:DB8::3")]).toEqual([
      200, 200, 429,
    ]);
    expect(await from("2001:db8:0:1::1")).toBe(200);
  });

  it("pages of any origin may read", async () => {
    const headers = { origin: "https://any.example", "x-real-ip": "192.0.2.9" };
    const response = await fetch(`${at.url}/models`, { headers });
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-expose-headers")).toMatch(/ETag/);
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  });
});

describe("Cloudflare's rate limiter, where it is bound,", () => {
  it("counts in place of the isolate", async () => {
    const labeler = await startLabeler({ rateLimiter: { limit: 2, period: 60 } });
    try {
      const statuses = [];
      for (let i = 0; i < 3; i++) statuses.push(await fetch(`${labeler.url}/models`));
      expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
      expect(statuses[2].headers.get("retry-after")).toBe("10");
    } finally {
      await labeler.stop();
    }
  });
});

describe("npm run token", () => {
  it("makes another token each time, with its hash", async () => {
    const parse = (text: string) => /^ {2}(\S{43})\n(?:.*\n)* {2}(\S+):([0-9a-f]{64})\n$/m.exec(text)?.slice(1) ?? [];
    const [token, name, hash] = parse((await runScript("token", ["gateway-7"])).out);
    expect(name).toBe("gateway-7");
    expect(hash).toBe(sha256(token));
    const [another] = parse((await runScript("token", [])).out);
    expect(another).toHaveLength(43);
    expect(another).not.toBe(token);
    expect(await runScript("token", ["a name"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/letters, digits/),
    });
  });
});
