/** Makes calls printable: without token and password, since the output ends up in tickets. */
import type { Step } from "./plan.ts";
import { sourceSql } from "./source-sql.ts";

const SECRETS = new Set(["authorization", "password"]);
const HIDDEN = "…";

/** A text without the user and password of the URLs in it. */
export const withoutCredentials = (text: string) => text.replaceAll(/(?<=:\/\/)[^/\s"@]+@/g, `${HIDDEN}@`);

function hidden(key: string, value: unknown): unknown {
  if (SECRETS.has(key.toLowerCase())) return HIDDEN;
  if (key === "sql" && typeof value === "string" && value.startsWith("CREATE ")) {
    const source = sourceSql.parse(value);
    return sourceSql.write({ ...source, extra: withoutSecrets(source.extra) as Record<string, unknown> });
  }
  return key === "url" && typeof value === "string" ? withoutCredentials(value) : withoutSecrets(value);
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hidden(key, inner)]));
}

export interface PrintableStep {
  readonly why: string;
  readonly call: string;
  readonly body?: string;
}

export function printable({ why, method, path, body }: Step): PrintableStep {
  const call = `${method} ${path}`;
  if (body === undefined) return { why, call };
  return { why, call, body: typeof body === "string" ? body : JSON.stringify(withoutSecrets(body)) };
}
