/**
 * The settings that are secrets: tokens as an operator writes them. An invalid value is refused rather than read as "no
 * token", which would open the labeler to everyone. No message repeats a value.
 */
import * as z from "zod/mini";
import { B64TOKEN } from "../validation/bearer-token.ts";
import { checkSchema } from "../validation/schema-messages.ts";
import { SCOPES, type Scope } from "./scopes.ts";

/** The name of the token of the setting LABELER_TOKEN in logs and rate limits. */
export const PLAIN_TOKEN = "LABELER_TOKEN";

export interface HashedToken {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly sha256: ArrayBuffer;
}

/** The scopes of a token whose entry does not list any. */
const BY_DEFAULT: readonly Scope[] = SCOPES.filter((scope) => scope !== "admin");

/** @throws Error that says what is wrong with a token, to follow the name of its setting. */
function checkPlainToken(text: string): void {
  if (text === "") throw new Error("is set but empty; set a token or remove it");
  if (/\s/.test(text)) {
    throw new Error("contains a blank or a line feed, which no client can send; remove it (printf '%s' writes none)");
  }
  if (!B64TOKEN.test(text)) {
    throw new Error("may only contain letters, digits and -._~+/ (RFC 6750); npm run token makes such tokens");
  }
}

const isScope = (text: string): text is Scope => (SCOPES as readonly string[]).includes(text);

/** Decodes hexadecimal. Uint8Array.fromHex() needs Node 25, and `npm run serve` checks the settings in Node. */
const bytesOf = (hex: string): ArrayBuffer =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)).buffer;

const sameBytes = (a: ArrayBuffer, b: ArrayBuffer): boolean => new Uint8Array(a).join() === new Uint8Array(b).join();

/** One entry, `NAME:SHA256` or `NAME:SCOPE+SCOPE:SHA256`. @throws Error */
function parseEntry(entry: string): HashedToken {
  const [, name = "", scopes, hex] = /^([\w.-]{1,64}):(?:([a-z+]*):)?([0-9a-f]{64})$/i.exec(entry) ?? [];
  if (hex === undefined) {
    throw new Error(
      "must be NAME:SHA256 or NAME:SCOPE+SCOPE:SHA256 with commas in between, each SHA256 in hexadecimal digits; " +
        "npm run token makes them",
    );
  }
  const given = scopes?.split("+") ?? BY_DEFAULT;
  if (!given.every(isScope))
    throw new Error(`"${name}" has a scope that does not exist; there are ${SCOPES.join(", ")}`);
  return { name, scopes: given, sha256: bytesOf(hex) };
}

/** @throws Error that says what is wrong with the list, to follow the name of its setting. */
function parseHashedTokens(text: string): HashedToken[] {
  const tokens = text
    .split(/[\s,]+/)
    .filter((part) => part !== "")
    .map(parseEntry);
  if (tokens.length === 0) throw new Error("is set but has no token in it; add one or remove the setting");
  tokens.forEach(({ name, scopes, sha256 }, i) => {
    const before = tokens.slice(0, i);
    if (name === PLAIN_TOKEN || before.some((other) => other.name === name)) {
      throw new Error(`two tokens are called "${name}", which log and rate limits could not tell apart`);
    }
    const twin = before.find((other) => sameBytes(other.sha256, sha256));
    if (twin !== undefined && twin.scopes.join() !== scopes.join()) {
      throw new Error(`"${twin.name}" and "${name}" are the same token with different scopes`);
    }
  });
  return tokens;
}

/** A schema that reports the errors of a function that throws. */
const parsedBy = <T>(parse: (text: string) => T) =>
  z.pipe(
    z.string().check(({ value, issues }) => {
      try {
        parse(value);
      } catch (error) {
        issues.push({ code: "custom", message: (error as Error).message, input: value });
      }
    }),
    z.transform(parse),
  );

const plainToken = parsedBy((text) => {
  checkPlainToken(text);
  return text;
});

/** The secrets by their names; a runtime gives null for one that is not set. */
export const secretSettings = {
  /**
   * A bearer token with all scopes. With it or LABELER_TOKENS, every call except page, description and probes needs a
   * token.
   */
  LABELER_TOKEN: z.nullish(plainToken),
  /** Further tokens, each with a name, its scopes and its SHA-256. */
  LABELER_TOKENS: z.nullish(parsedBy(parseHashedTokens)),
  /** The bearer token for the push targets, if they need one. */
  PUSH_TOKEN: z.nullish(plainToken),
};

const schema = z.object(secretSettings);
export type Secrets = z.infer<typeof schema>;

/** The secrets of an environment, for programs that start the labeler. @throws Error that names the setting. */
export function secretsOf(env: Readonly<Record<string, unknown>>): Secrets {
  return checkSchema(schema, env, (faults) => new Error(faults));
}

/** Whether calls need a token at all. */
export const hasToken = ({ LABELER_TOKEN, LABELER_TOKENS }: Secrets): boolean =>
  LABELER_TOKEN != null || LABELER_TOKENS != null;
