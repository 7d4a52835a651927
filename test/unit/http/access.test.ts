/**
 * Who may call what: every route of the app, with every kind of token, origin and host, compared with the route's own
 * declaration and with the table in docs/reference/access.md.
 */
import { createExecutionContext, env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import documented from "../../../docs/reference/access.md?raw";
import { app } from "../../../worker/app.ts";
import { type Need, needOf } from "../../../worker/http/scopes.ts";
import { openapi } from "../../../worker/openapi/openapi.bundle.js";
import { SCOPES, type Scope } from "../../../worker/settings/scopes.ts";
import type { Bindings } from "../../../worker/settings/settings.ts";

interface Route {
  readonly method: string;
  readonly path: string;
  readonly need: Need;
}

/** The handlers of a request, in the order in which it meets them. */
const matched = (method: string, path: string) => {
  const [handlers] = app.router.match(method, path);
  return handlers.map(([[, route]]) => route);
};

const concrete = (path: string) => path.replaceAll(":version", "1").replace(/:\w+/g, "x");

const routes: readonly Route[] = [
  ...new Set(app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`)),
].map((name) => {
  const [method = "", path = ""] = name.split(" ");
  const need = needOf(matched(method, concrete(path)));
  if (need === undefined) throw new Error(`${name} matches nothing`);
  return { method, path, need };
});

const named = routes.map((route) => [`${route.method} ${route.path}`, route] as const);

const hex = async (text: string) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();

/** A token for each scope alone, one without scopes, one with two, and the plain one. */
const TOKENS: Readonly<Record<string, readonly Scope[]>> = {
  ...Object.fromEntries(SCOPES.map((scope) => [`only-${scope}`, [scope]])),
  gateway: ["label", "submit"],
  usual: ["label", "submit", "results"],
  plain: SCOPES,
};

const withTokens = {
  LABELER_TOKEN: "plain",
  LABELER_TOKENS: [
    ...(await Promise.all(SCOPES.map(async (scope) => `${scope}:${scope}:${await hex(`only-${scope}`)}`))),
    `gateway:label+submit:${await hex("gateway")}`,
    `usual:${await hex("usual")}`,
  ].join(),
};

interface Answer {
  readonly status: number;
  /** The kind of a problem, or what the other protocols have in its place. */
  readonly kind: string;
  readonly challenge: string | null;
}

async function ask(
  { method, path }: Pick<Route, "method" | "path">,
  headers: Record<string, string>,
  settings: Record<string, string>,
): Promise<Answer> {
  const request = new Request(`http://labeler${concrete(path)}`, {
    method,
    headers,
    ...(method === "POST" && { body: "" }),
  });
  const response = await app.fetch(
    request,
    { ...(env as Bindings), ...settings } as Bindings,
    createExecutionContext(),
  );
  const text = await response.text();
  const kind = /"type":"urn:edge-labeler:problem:([\w-]+)"/.exec(text)?.[1] ?? "";
  return { status: response.status, kind, challenge: response.headers.get("www-authenticate") };
}

/** Whatever a route answers to a request that it lets in: an empty body is a 400 for most of them. */
const letsIn = ({ status }: Answer) => status !== 401 && status !== 403;

/** Whether a labeler without a token refuses a call that nothing else is wrong with. */
const needsOperator = ({ need }: Route) => need === "admin";

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (name: string, password: string) => ({ authorization: `Basic ${btoa(`${name}:${password}`)}` });

it("there are routes of every scope that is in use, and open ones", () => {
  const count = (need: Need) => routes.filter((route) => route.need === need).length;
  expect(count("open")).toBe(7);
  for (const need of SCOPES) expect(count(need), need).toBeGreaterThan(0);
});

it("a route that does not say what it needs is a bug, and not an open route", () => {
  const route = { method: "GET", path: "/forgotten", handler: () => undefined };
  expect(() => needOf([{ ...route, method: "ALL", path: "/*" }, route])).toThrow(/GET \/forgotten does not say/);
  expect(needOf([{ ...route, method: "ALL", path: "/*" }])).toBeUndefined();
});

describe.each(named)("%s", (_, route) => {
  it("with each token", async () => {
    for (const [token, scopes] of Object.entries(TOKENS)) {
      const answer = await ask(route, bearer(token), withTokens);
      if (route.need === "open" || scopes.includes(route.need)) {
        expect(letsIn(answer), `${token}: ${JSON.stringify(answer)}`).toBe(true);
      } else {
        expect(answer.status, token).toBe(403);
        expect(answer.challenge).toBe(`Bearer realm="edge-labeler", error="insufficient_scope", scope="${route.need}"`);
      }
    }
  });

  it("without a token, on a labeler that does not have one", async () => {
    const answer = await ask(route, {}, {});
    if (!needsOperator(route)) return expect(letsIn(answer)).toBe(true);
    expect(answer).toMatchObject({ status: 401, kind: "unauthorized", challenge: 'Bearer realm="edge-labeler"' });
  });

  it("with a token as password, which only the call of eKuiper's sink may bring", async () => {
    const isSink = route.method === "POST" && route.path === "/ekuiper/sink";
    for (const name of ["", "plain", "any name"]) {
      const answer = await ask(route, basic(name, "plain"), withTokens);
      if (route.need === "open" || isSink) expect(letsIn(answer), name).toBe(true);
      else expect(answer).toMatchObject({ status: 401, challenge: 'Bearer realm="edge-labeler"' });
    }
  });

  it("a page of another origin gains nothing by a password that the browser adds", async () => {
    const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site", ...basic("plain", "plain") };
    const answer = await ask(route, foreign, withTokens);
    if (route.need === "open") expect(letsIn(answer)).toBe(true);
    else expect(answer).toMatchObject({ status: 403, challenge: null });
  });

  it.each([
    ["no token", {}, 'Bearer realm="edge-labeler"'],
    ["another scheme", { authorization: "Token plain" }, 'Bearer realm="edge-labeler"'],
    ["a wrong token", bearer("guess"), 'Bearer realm="edge-labeler", error="invalid_token"'],
    ["no token behind Bearer", { authorization: "Bearer" }, 'Bearer realm="edge-labeler", error="invalid_token"'],
    [
      "two tokens",
      { authorization: "Bearer plain, Bearer plain" },
      'Bearer realm="edge-labeler", error="invalid_token"',
    ],
    ["a token and more", { authorization: "Bearer plain x" }, 'Bearer realm="edge-labeler", error="invalid_token"'],
  ] as const)("with %s", async (_, headers, challenge) => {
    const answer = await ask(route, headers, withTokens);
    if (route.need === "open") expect(letsIn(answer)).toBe(true);
    else expect(answer).toMatchObject({ status: 401, challenge });
  });

  const ORIGINS: readonly [kind: string, headers: Record<string, string>, foreign: boolean][] = [
    ["no origin", {}, false],
    ["its own", { origin: "http://labeler" }, false],
    ["its own behind a proxy with TLS", { origin: "https://labeler", "sec-fetch-site": "same-origin" }, false],
    ["the same name by another scheme", { origin: "https://labeler" }, true],
    ["another port", { origin: "http://labeler:8080" }, true],
    ["another page", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }, true],
    [
      "another page that the browser calls same-origin",
      { origin: "https://evil.example", "sec-fetch-site": "same-origin" },
      true,
    ],
    ["null", { origin: "null" }, true],
    ["null, as the browser says of the same origin", { origin: "null", "sec-fetch-site": "same-origin" }, true],
    ["an origin that is not one", { origin: "labeler" }, true],
    ["one that is allowed", { origin: "https://app.example.org", "sec-fetch-site": "cross-site" }, false],
  ];
  it.each(ORIGINS)("from %s", async (_, headers, foreign) => {
    const settings = { CORS_ORIGIN: "https://app.example.org" };
    const withToken = { ...headers, ...bearer("plain") };
    for (const answer of [
      ...(needsOperator(route) ? [] : [await ask(route, headers, settings)]),
      await ask(route, withToken, { ...settings, ...withTokens }),
    ]) {
      if (!foreign || route.need === "open") expect(letsIn(answer), JSON.stringify(answer)).toBe(true);
      else expect(answer.status).toBe(403);
    }
    expect(letsIn(await ask(route, withToken, { CORS_ORIGIN: "*", ...withTokens }))).toBe(true);
  });

  it("from a browser that sends no Origin", async () => {
    const answer = await ask(route, { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, {});
    expect(letsIn(answer)).toBe(route.need === "open" || route.method === "GET");
  });

  it("by a foreign name, without a token", async () => {
    const host = { host: "labeler.example.org:8787" };
    const answer = await ask(route, host, {});
    if (route.need === "open") expect(letsIn(answer)).toBe(true);
    else expect(answer.status).toBe(403);
    for (const settings of [
      { ALLOWED_HOSTS: "other.example labeler.example.org" },
      { ALLOWED_HOSTS: "*" },
      { ON_CLOUDFLARE: "true" },
    ]) {
      const answer = await ask(route, host, settings);
      expect(letsIn(answer) || (needsOperator(route) && answer.status === 401), JSON.stringify(settings)).toBe(true);
    }
    expect(letsIn(await ask(route, { ...host, ...bearer("plain") }, withTokens))).toBe(true);
  });
});

it.each([
  ["a wrong password", basic("plain", "guess")],
  ["a token as name", basic("plain", "")],
  ["no colon", { authorization: `Basic ${btoa("plain")}` }],
  ["no base64", { authorization: "Basic :plain" }],
])("HTTP Basic with %s is refused, and no browser is told to ask for a password", async (_, headers) => {
  const challenge = 'Bearer realm="edge-labeler", error="invalid_token"';
  expect(await ask({ method: "POST", path: "/ekuiper/sink" }, headers, withTokens)).toMatchObject({
    status: 401,
    challenge,
  });
});

it("kinds of refusal are told apart", async () => {
  const sink = { method: "POST", path: "/ekuiper/sink" };
  expect(await ask(sink, { origin: "https://evil.example" }, {})).toMatchObject({ kind: "foreign-origin" });
  expect(await ask(sink, { host: "evil.example" }, {})).toMatchObject({ kind: "foreign-host" });
  expect(await ask(sink, { host: "evil.example/x" }, {})).toMatchObject({ status: 400, kind: "bad-host" });
  expect(await ask(sink, bearer("only-label"), withTokens)).toMatchObject({ kind: "insufficient-scope" });
});

it("what is public where there are tokens stays so", async () => {
  const settings = { ...withTokens, ANONYMOUS_LABEL: "true", METRICS_PUBLIC: "true" };
  for (const { method, path, need } of routes) {
    const open = need === "open" || path === "/label" || path === "/metrics";
    expect(letsIn(await ask({ method, path }, {}, settings)), `${method} ${path}`).toBe(open);
  }
  expect(await ask({ method: "POST", path: "/label" }, bearer("guess"), settings)).toMatchObject({ status: 401 });
  expect(await ask({ method: "POST", path: "/label" }, { origin: "null" }, settings)).toMatchObject({ status: 403 });
});

it("addresses without a route, and other methods, need a token, too", async () => {
  for (const route of [
    { method: "GET", path: "/none" },
    { method: "PUT", path: "/results" },
    { method: "OPTIONS", path: "/label" },
    { method: "POST", path: "/healthz" },
  ]) {
    expect((await ask(route, {}, withTokens)).status).toBe(401);
    expect((await ask(route, bearer("plain"), withTokens)).status).toBe(route.path === "/none" ? 404 : 405);
    expect((await ask(route, { origin: "null" }, {})).status).toBe(403);
  }
});

it("docs/reference/access.md has the table of the routes", () => {
  const rows = routes.map(({ method, path, need }) => {
    const refused = need === "open" ? ["yes", "yes"] : ["403", "403"];
    return `| \`${method} ${path}\` | ${need} | ${refused.join(" | ")} |`;
  });
  const plain = (line: string) => line.replace(/ +/g, " ").trim();
  const lines = documented
    .split("\n")
    .map(plain)
    .filter((line) => /^\| `(GET|POST|PUT|DELETE) /.test(line));
  expect(lines).toEqual(rows);
});

it("the description of the interface names the scope of each call", () => {
  const { paths, security } = JSON.parse(openapi) as {
    paths: Record<string, Record<string, { security?: unknown }>>;
    security?: unknown;
  };
  expect(security).toBeUndefined();
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => [
      `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`,
      security,
    ]),
  );
  const expected = routes
    .filter(({ path }) => !["/", "/docs", "/openapi.json"].includes(path))
    .map(({ method, path, need }) => [
      `${method} ${path}`,
      need === "open" ? [] : [{ token: [need] }, ...(need === "admin" ? [] : [{}])],
    ]);
  expect(new Map(described as [string, unknown][])).toEqual(new Map(expected as [string, unknown][]));
});
