/** The settings (worker/settings/settings.ts): what an operator writes, and how it is interpreted. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { type Bindings, settingsOf } from "../../../worker/settings/settings.ts";

const settings = (changes: Record<string, unknown>) => settingsOf({ ...(env as Bindings), ...changes } as Bindings);

const HASH = "0123456789abcdef".repeat(4);
const OTHER = "fedcba9876543210".repeat(4);

const REFUSED: readonly (readonly [name: string, value: string, message: RegExp])[] = [
  ["LABELER_TOKENS", "gateway:1234", /NAME:SHA256/],
  ["LABELER_TOKENS", "secret", /NAME:SHA256/],
  ...["", " ", ",", " , \n"].map((value) => ["LABELER_TOKENS", value, /no token in it/] as const),
  ["LABELER_TOKENS", `a:${HASH},a:${OTHER}`, /two tokens are called "a"/],
  ["LABELER_TOKENS", `a:${HASH},b:label:${HASH}`, /"a" and "b" are the same token with different scopes/],
  ["LABELER_TOKENS", `LABELER_TOKEN:${HASH}`, /two tokens are called "LABELER_TOKEN"/],
  ["LABELER_TOKENS", `a:write:${HASH}`, /scope that does not exist; there are label, submit, results, admin/],
  ["LABELER_TOKENS", `a::${HASH}`, /scope that does not exist/],
  ["LABELER_TOKENS", `a:label+:${HASH}`, /scope that does not exist/],
  ["LABELER_TOKENS", `a:label submit:${HASH}`, /NAME:SCOPE\+SCOPE:SHA256/],
  ...["LABELER_TOKEN", "PUSH_TOKEN"].flatMap(
    (name) =>
      [
        [name, "", /is set but empty/],
        [name, " ", /blank or a line feed/],
        [name, "two words", /blank or a line feed/],
        [name, "s3cret\n", /blank or a line feed/],
        [name, "s3cret\u0007", /letters, digits and/],
        [name, "schl\u00fcssel", /letters, digits and/],
        [name, "a=b", /letters, digits and/],
        [name, "a:b", /letters, digits and/],
      ] as const,
  ),
  ["ALLOWED_HOSTS", "https://labeler.example.org", /names such as labeler\.example\.org/],
  ["ALLOWED_HOSTS", "labeler.example.org:8787", /without a port/],
  ["ADDRESS_HEADER", "x real ip", /the name of a header/],
  ["RATE_LIMIT", "often", /20\/s/],
  ["RATE_LIMIT", "0/s", /20\/s/],
  ["RATE_LIMIT", "20/s burst", /20\/s burst 100/],
  ["CORS_ORIGIN", "example.org", /https:\/\/example\.org/],
  ["CORS_ORIGIN", "https://example.org/page", /without a path/],
  ["ANONYMOUS_LABEL", "perhaps", /must be true or false/],
  ["MAX_PIXELS", "lots", /whole number/],
  ["MAX_IMAGES", "0", /whole number/],
];

it.each(REFUSED)("%s=%s is refused, with the name of the setting and what it should be", (name, value, message) => {
  const refused = () => settings({ [name]: value });
  expect(refused).toThrow(message);
  expect(refused).toThrow(name);
});

it.each([
  ["LABELER_TOKENS", "hunter2"],
  ["LABELER_TOKEN", "hunter2 "],
  ["PUSH_TOKEN", "hunter2\n"],
])("a token that is refused is not repeated, since it would be in the log: %s", (name, value) => {
  try {
    settings({ [name]: value });
  } catch (error) {
    expect((error as Error).message).not.toMatch("hunter2");
    return;
  }
  throw new Error("it was not refused");
});

it("lists may have commas, white space or both in between", () => {
  const { LABELER_TOKENS, CORS_ORIGIN } = settings({
    LABELER_TOKENS: ` a:${HASH},\n b.c:${HASH.toUpperCase()} `,
    CORS_ORIGIN: "https://example.org, http://localhost:3000",
  });
  expect(LABELER_TOKENS?.map(({ name }) => name)).toEqual(["a", "b.c"]);
  expect(new Uint8Array(LABELER_TOKENS?.[1].sha256 ?? new ArrayBuffer()).toHex()).toBe(HASH);
  expect(CORS_ORIGIN).toEqual(["https://example.org", "http://localhost:3000"]);
});

it("a token may do all but admin unless its entry has scopes", () => {
  const { LABELER_TOKENS } = settings({ LABELER_TOKENS: `a:${HASH} b:submit+admin:${OTHER}` });
  expect(LABELER_TOKENS?.map(({ scopes }) => scopes)).toEqual([
    ["label", "submit", "results"],
    ["submit", "admin"],
  ]);
});

it.each(["s3cret", "AZaz09-._~+/==", "-"])("%s is a token", (token) => {
  expect(settings({ LABELER_TOKEN: token, PUSH_TOKEN: token })).toMatchObject({
    LABELER_TOKEN: token,
    PUSH_TOKEN: token,
  });
});

it("hosts are compared in lower case and without the dot at their end", () => {
  expect(settings({ ALLOWED_HOSTS: "Labeler.Example.Org., box *" }).ALLOWED_HOSTS).toEqual([
    "labeler.example.org",
    "box",
    "*",
  ]);
});

it("flags and numbers may be written with quotes or without", () => {
  expect(settings({ ANONYMOUS_LABEL: true, MAX_IMAGES: 7 })).toMatchObject({ ANONYMOUS_LABEL: true, MAX_IMAGES: 7 });
  expect(settings({ ANONYMOUS_LABEL: "true", MAX_IMAGES: "7" })).toMatchObject({
    ANONYMOUS_LABEL: true,
    MAX_IMAGES: 7,
  });
});

it("what was not there in an earlier wrangler.toml has a default; a secret may be null, as workerd has it", () => {
  const { MAX_IMAGES, ANONYMOUS_LABEL, RATE_LIMIT, CORS_ORIGIN } = settings({
    MAX_IMAGES: undefined,
    ANONYMOUS_LABEL: undefined,
    RATE_LIMIT: undefined,
    CORS_ORIGIN: undefined,
    LABELER_TOKEN: null,
    LABELER_TOKENS: null,
  });
  expect({ MAX_IMAGES, ANONYMOUS_LABEL, RATE_LIMIT, CORS_ORIGIN }).toEqual({
    MAX_IMAGES: 100,
    ANONYMOUS_LABEL: false,
    RATE_LIMIT: undefined,
    CORS_ORIGIN: [],
  });
});
