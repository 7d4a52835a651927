/**
 * Calls the labeler as the gateway's rules call it, with their own addresses, headers and parameters. eKuiper drops the
 * body of a refused call, and with it the labeler's reason.
 */
import type { Rule } from "./api.ts";
import { reason } from "./checks.ts";
import { FUNCTIONS, functionsOf, pathOf } from "./sql-function.ts";
import type { GatewayState } from "./state.ts";

/** A call of the labeler, as a rule makes it. */
export interface LabelerCall {
  /** What makes the call, for example "labelImage()" or "rule handover". */
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The outcome of a call. A labeler that the gateway reaches may be out of this machine's reach. */
export type Answer =
  | { readonly kind: "taken"; readonly body: string; readonly ms: number }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "unreachable"; readonly reason: string };

const PATIENCE = 30_000;

/** The call that a function of the service makes; undefined if the service does not offer the function. */
export function functionCall({ service }: GatewayState, name: string): LabelerCall | undefined {
  const offering = Object.values(service?.Interfaces ?? {}).find(({ Functions }) => Functions.includes(name));
  if (offering === undefined) return undefined;
  // A function of the user's is labelImage() under another name.
  const own = functionsOf(service).find((one) => one.name === name);
  const path = FUNCTIONS.find((shipped) => shipped === name) ?? (own && pathOf(own)) ?? "labelImage";
  return { name: `${name}()`, url: `${offering.Addr}/${path}`, headers: offering.Options?.headers ?? {} };
}

/** The fields that identify a submitted image. */
export interface Submission {
  readonly id: string;
  readonly device: string;
}

/**
 * Fills eKuiper's templates `{{.field}}` and `{{urlquery .field}}` as eKuiper does for a row that has these fields.
 *
 * @returns The text with "<no value>" for every other field, as eKuiper writes it.
 */
function fill(text: string, row: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{\{\s*(urlquery\s+)?\.(\w+)\s*\}\}/g, (_, escaped: string | undefined, field: string) => {
    const value = row[field] ?? "<no value>";
    return escaped === undefined ? value : encodeURIComponent(value);
  });
}

/**
 * The call that a rule's REST sink makes to submit images; undefined if the rule has none.
 *
 * @param fillsHeaders Whether this version of eKuiper fills templates in headers; others send the templates themselves.
 */
export function sinkCall(rule: Rule, { id, device }: Submission, fillsHeaders: boolean): LabelerCall | undefined {
  const sink = rule.actions
    .map(({ rest }) => rest)
    .find((rest) => typeof rest?.url === "string" && /\/ekuiper\/sink(\?|$)/.test(rest.url));
  if (sink === undefined) return undefined;
  const row = { id, device, time: new Date().toISOString() };
  const url = new URL(fill(String(sink.url), row));
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries((sink.headers ?? {}) as Record<string, string>)) {
    headers.set(name.toLowerCase(), fillsHeaders ? fill(value, row) : value);
  }
  // fetch() takes no credentials in a URL. Its own Authorization header has priority, as in Go's client.
  if (url.password !== "" && !headers.has("authorization")) {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
  }
  url.username = "";
  url.password = "";
  // The image must not be mistaken for one of the gateway's own.
  if (!headers.get("x-image-id")?.includes("{{")) headers.delete("x-image-id");
  headers.delete("x-device");
  url.searchParams.set("id", id);
  url.searchParams.set("device", device);
  return { name: `rule ${rule.id}`, url: url.href, headers: Object.fromEntries(headers) };
}

/** Makes the call. */
export async function post({ url, headers }: LabelerCall, body: Uint8Array | string): Promise<Answer> {
  const start = performance.now();
  try {
    const response = await fetch(url, {
      method: "POST",
      body: typeof body === "string" ? body : new Uint8Array(body),
      headers,
      signal: AbortSignal.timeout(PATIENCE),
    });
    const text = await response.text();
    const ms = performance.now() - start;
    if (response.ok) return { kind: "taken", body: text, ms };
    return { kind: "refused", reason: `${response.status}: ${detailOf(text)}` };
  } catch (error) {
    return { kind: "unreachable", reason: reason(error) };
  }
}

/** The labeler's own words, from its problem details. */
function detailOf(text: string): string {
  try {
    const { detail }: { detail?: unknown } = JSON.parse(text);
    if (typeof detail === "string") return detail;
  } catch {
    // Something in between answered, such as a proxy.
  }
  return text.trim().slice(0, 500) || "without a reason";
}
