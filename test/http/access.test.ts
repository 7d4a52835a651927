/** Who may call and how often: tokens, anonymous calls, rate limits, pages of other origins, headers. */
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LabelerOptions, type RunningLabeler, startLabeler } from "../../scripts/labeler/labeler.ts";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
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

/** Sends the head of a request as it is, from an address of this machine. @returns The whole answer. */
async function raw(url: string, head: string, localAddress = "127.0.0.1"): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  socket.setTimeout(10_000, () => socket.destroy());
  socket.write(`${head}connection: close\r\n\r\n`);
  let answer = "";
  for await (const data of socket) answer += data;
  return answer;
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

  it("no other origin's page may call, where there is no such setting", async () => {
    for (const origin of ["https://example.org", "null", at.url.replace("http:", "https:")]) {
      const response = await fetch(`${at.url}/models`, { headers: { origin, ...bearer("first") } });
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
      await expectProblem(response, 403, "foreign-origin", /CORS_ORIGIN/);
    }
    expect((await fetch(`${at.url}/models`, { headers: { origin: at.url, ...bearer("first") } })).status).toBe(200);
  });

  it("answers and errors carry the headers that tell a browser to keep off", async () => {
    for (const response of [await post(`${at.url}/label`, rocket, bearer("first")), await fetch(`${at.url}/none`)]) {
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("referrer-policy")).toBe("no-referrer");
      expect(response.headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
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
      expect(response.status).toBe(origin === "https://example.net" ? 403 : 429);
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

  it("an IPv4 address in the spelling of an IPv6 socket, or with a port, is counted as that address", async () => {
    for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]) {
      const spellings = [`::ffff:${address}`, `${address}:40000`, `[::ffff:${address}]:40001`];
      const statuses = [];
      for (const spelling of spellings) statuses.push(await from(spelling));
      expect(statuses, address).toEqual([200, 200, 429]);
    }
  });

  it("a client cannot have its own entry counted in place of the proxy's", async () => {
    const statuses = [];
    for (const claim of ["198.51.100.1", "198.51.100.2", "198.51.100.3"])
      statuses.push(await from(`${claim}, 192.0.2.50`));
    expect(statuses).toEqual([200, 200, 429]);
  });

  it("pages of any origin may read", async () => {
    const headers = { origin: "https://any.example", "x-real-ip": "192.0.2.9" };
    const response = await fetch(`${at.url}/models`, { headers });
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-expose-headers")).toMatch(/ETag/);
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  });
});

describe("Cloudflare's rate limiter", () => {
  it.each([
    ["counts on Cloudflare, and its period is in Retry-After", {}, [200, 200, 429], "60"],
    ["counts besides the isolate", { RATE_LIMIT: "1/h" }, [200, 429, 429], "3600"],
    ["does not count elsewhere", { ON_CLOUDFLARE: "false" }, [200, 200, 200], null],
  ])("%s", async (_, more, expected, retryAfter) => {
    const settings = { LABELER_TOKEN: "s3cret", ON_CLOUDFLARE: "true", RATE_LIMITER_PERIOD: "60", ...more };
    const labeler = await startLabeler({ rateLimiter: { limit: 2, period: 60 }, settings });
    try {
      const answers = [];
      for (let i = 0; i < 3; i++) {
        answers.push(await fetch(`${labeler.url}/models`, { headers: { authorization: "Bearer s3cret" } }));
      }
      expect(answers.map(({ status }) => status)).toEqual(expected);
      expect(answers[2].headers.get("retry-after")).toBe(retryAfter);
    } finally {
      await labeler.stop();
    }
  });
});

describe("without a header of a proxy", () => {
  const at = running({ settings: { RATE_LIMIT: "3/h" } });

  it("the peer is counted, whatever address the client claims", async () => {
    const statuses = [];
    for (let i = 0; i < 5; i++) {
      const claim = `203.0.113.${i}`;
      const headers = { "cf-connecting-ip": claim, "x-forwarded-for": claim, "x-real-ip": claim };
      statuses.push((await fetch(`${at.url}/models`, { headers })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });

  it("another peer has its own calls", async () => {
    const { port } = new URL(at.url);
    expect(await raw(at.url, `GET /models HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n`, "127.0.0.7")).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });
});

describe("a request as only a raw socket sends it", () => {
  const holder = { url: "" };
  let labeler: RunningWorkerd;
  beforeAll(async () => {
    labeler = await startWorkerd({ settings: { LABELER_TOKEN: "s3cret" } });
    holder.url = labeler.url;
  });
  afterAll(() => labeler?.stop());
  const ask = (...lines: string[]) => raw(holder.url, lines.map((line) => `${line}\r\n`).join(""));

  it.each([
    ["GET /metrics HTTP/1.1", "host: x/healthz?"],
    ["GET /metrics HTTP/1.1", "host: x/healthz#"],
    ["GET /metrics HTTP/1.1", "host: x/"],
    ["GET /healthz HTTP/1.1", "host: x/metrics?"],
    ["GET /healthz HTTP/1.1", "host: user:password@x"],
    ["GET /healthz HTTP/1.1", "host: a", "host: b"],
    ["GET /healthz HTTP/1.1", "host: a, b"],
    ["GET /healthz HTTP/1.1", "host: a b"],
    ["GET /healthz HTTP/1.1", "host: x:99999"],
    ["GET /healthz HTTP/1.1", "host: %6cocalhost"],
    ["OPTIONS * HTTP/1.1", "host: x"],
  ])("%s, %s: a 400", async (...lines) => {
    const answer = await ask(...lines);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/bad-host/);
  });

  it.each(["labeler", "LABELER.example.org.:8787", "edge_box:80", "[::1]:8787", "192.168.1.5"])(
    "host: %s is answered",
    async (host) => {
      expect(await ask("GET /healthz HTTP/1.1", `host: ${host}`)).toMatch(/^HTTP\/1\.1 200 /);
    },
  );

  it("CONNECT leads nowhere, is not an error of the labeler, and leaves nothing in the log", async () => {
    const before = labeler.log();
    for (const target of ["example.org:443", "127.0.0.1:22", new URL(holder.url).host]) {
      // workerd itself says 200, before the Worker is asked; not a byte comes after it.
      expect(await ask(`CONNECT ${target} HTTP/1.1`, `host: ${target}`)).toMatch(
        /^HTTP\/1\.1 200 OK\r\n(?:[^\r\n]+\r\n)*\r\n$/,
      );
    }
    expect(await ask("GET /healthz HTTP/1.1", "host: x")).toMatch(/^HTTP\/1\.1 200 /);
    expect(labeler.log()).toBe(before);
  });
});

describe("without a token", () => {
  const at = running({ settings: { ALLOWED_HOSTS: "labeler.example.org" } });
  const ask = (method: string, path: string, ...headers: string[]) =>
    raw(at.url, [`${method} ${path} HTTP/1.1`, ...headers].map((line) => `${line}\r\n`).join(""));

  it("a foreign page cannot store a result", async () => {
    const { host } = new URL(at.url);
    const answer = await fetch(`${at.url}/ekuiper/sink?id=shot-1`, {
      method: "POST",
      body: rocket,
      headers: { origin: "https://evil.example", "content-type": "text/plain", "sec-fetch-site": "cross-site" },
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ type: "urn:edge-labeler:problem:foreign-origin" });
    expect((await fetch(`${at.url}/results/shot-1`)).status).toBe(404);
    expect(await ask("GET", "/results", `host: ${host}`)).toMatch(/\[\]$/);
  });

  it("its answers are not for a foreign name, except page, description and probes", async () => {
    for (const host of ["evil.example", "evil.example:8787", "127.0.0.1.evil.example"]) {
      const answer = await ask("GET", "/results", `host: ${host}`);
      expect(answer).toMatch(/^HTTP\/1\.1 403 .*ALLOWED_HOSTS/s);
      for (const path of ["/", "/docs", "/openapi.json", "/healthz"]) {
        expect(await ask("GET", path, `host: ${host}`)).toMatch(/^HTTP\/1\.1 200 /);
      }
    }
    for (const host of [
      "labeler.example.org",
      "LABELER.EXAMPLE.ORG.:80",
      "labeler",
      "box.lan",
      "[::1]",
      "192.0.2.1:80",
    ]) {
      expect(await ask("GET", "/results", `host: ${host}`), host).toMatch(/^HTTP\/1\.1 200 /);
    }
  });

  it("its own page may call it, behind a proxy with TLS that keeps Host as well", async () => {
    const own = ["host: labeler.example.org", "content-length: 0", "origin: https://labeler.example.org"];
    expect(await ask("POST", "/label", ...own, "sec-fetch-site: same-origin")).toMatch(/^HTTP\/1\.1 400 .*bad-body/s);
    expect(await ask("POST", "/label", ...own)).toMatch(/^HTTP\/1\.1 403 .*foreign-origin/s);
  });
});

describe("the page", () => {
  const at = running({});

  it("is a 304 for its ETag, for one that a proxy has weakened, and in a list", async () => {
    const etag = (await fetch(at.url)).headers.get("etag") ?? "";
    expect(etag).toMatch(/^"/);
    const status = async (tags: string) => (await fetch(at.url, { headers: { "if-none-match": tags } })).status;
    for (const tags of [etag, `W/${etag}`, `"x", W/${etag}`, `"x",${etag}`]) expect(await status(tags), tags).toBe(304);
    for (const tags of ['"x"', `W/"x"`, `w/${etag}`, etag.slice(1, -1)]) expect(await status(tags), tags).toBe(200);
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
    const limited = parse((await runScript("token", ["gateway-8", "--scope", "label+submit"])).out);
    expect(limited).toEqual([expect.any(String), "gateway-8:label+submit", sha256(limited[0] ?? "")]);
    expect(await runScript("token", ["gateway-8", "--scope", "label+write"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/"write" is not a scope\. There are label, submit, results, admin/),
    });
    expect(await runScript("token", ["a name"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/letters, digits/),
    });
  });
});
