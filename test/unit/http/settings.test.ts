/** The settings (worker/http/settings.ts): what an operator writes, and what it means. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { type Bindings, settingsOf } from "../../../worker/http/settings.ts";

const settings = (changes: Record<string, unknown>) => settingsOf({ ...(env as Bindings), ...changes } as Bindings);

const HASH = "0123456789abcdef".repeat(4);

it.each([
  ["LABELER_TOKENS", "gateway:1234", /NAME:SHA256/],
  ["LABELER_TOKENS", "secret", /NAME:SHA256/],
  ["RATE_LIMIT", "often", /20\/s/],
  ["RATE_LIMIT", "0/s", /20\/s/],
  ["RATE_LIMIT", "20/s burst", /20\/s burst 100/],
  ["CORS_ORIGIN", "example.org", /https:\/\/example\.org/],
  ["CORS_ORIGIN", "https://example.org/page", /without a path/],
  ["ANONYMOUS_LABEL", "perhaps", /must be true or false/],
  ["MAX_PIXELS", "lots", /whole number/],
  ["MAX_IMAGES", "0", /whole number/],
])("%s=%s is refused, with the name of the setting and what it should be", (name, value, message) => {
  const refused = () => settings({ [name]: value });
  expect(refused).toThrow(message);
  expect(refused).toThrow(name);
});

it("a token that is refused is not repeated: it would be in the log", () => {
  try {
    settings({ LABELER_TOKENS: "hunter2" });
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
