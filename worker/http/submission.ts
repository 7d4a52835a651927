/** The description of a submitted image: parameters of the request or, as in rules of older releases, headers. */
import type { Context } from "hono";
import { LabelerError } from "../errors.ts";
import { BOUNDS } from "../results/result.ts";
import { cut, quote } from "../validation/quote.ts";
import type { AppEnv } from "./app-env.ts";

export interface Submission {
  /** Undefined if the digest of the image is to be its id. */
  readonly id: string | undefined;
  readonly device: string | null;
  /** ISO 8601. */
  readonly time: string;
  readonly meta: Record<string, string>;
  /** The other parameters, which say how to label. */
  readonly queries: Record<string, string[]>;
}

/** The text that eKuiper writes for a field that the row does not have. */
const NO_VALUE = "<no value>";

const META_PARAMETER = "meta-";
const META_HEADER = "x-meta-";
const META_NAME = /^[\w.-]+$/;

const bad = (detail: string) => new LabelerError("bad-parameter", detail);

/**
 * Checks the value of a field.
 *
 * @returns Undefined if eKuiper did not have a value.
 * @throws LabelerError for a template that eKuiper left unfilled, which would become the id of every image, and for control
 *   characters, which belong neither in a log nor in a URL.
 */
function checkField(name: string, value: string | undefined, limit: number): string | undefined {
  const text = value?.trim();
  if (text === undefined || text === "" || text === NO_VALUE) return undefined;
  if (text.includes("{{")) {
    throw bad(
      `${name} is ${quote(text)}: eKuiper left this template unfilled. Its versions 2.3.1 to 2.4.1 do so in the headers of ` +
        "the REST sink. All versions fill templates in the sink's URL: write ?id={{urlquery .id}} there.",
    );
  }
  if (text.length > limit) throw bad(`${name} has ${text.length} characters; ${limit} are allowed.`);
  if (/\p{Cc}/u.test(text)) throw bad(`${name} has a control character in it.`);
  return text;
}

/**
 * Chooses the value of a field that a parameter and a header may give.
 *
 * @throws LabelerError if they differ, since one of the two would silently be ignored.
 */
function chooseValue(name: string, header: string, parameter?: string, inHeader?: string): string | undefined {
  if (parameter !== undefined && inHeader !== undefined && parameter !== inHeader) {
    throw bad(`${name} is ${quote(parameter)}, but the header ${header} is ${quote(inHeader)}. Give one of the two.`);
  }
  return parameter ?? inHeader;
}

function parseTime(text: string | undefined): string {
  if (text === undefined) return new Date().toISOString();
  // A rule's timestamps are milliseconds. eKuiper writes a number from JSON as 1.764e+12.
  const time = new Date(/^\d+(\.\d+)?(e\+\d+)?$/.test(text) ? Number(text) : text);
  // Years of more than four digits, as of microseconds, are written with a sign: as texts they come before all others.
  if (Number.isNaN(time.getTime()) || !/^\d/.test(time.toISOString())) {
    throw bad(`time must be ISO 8601 such as 2026-11-24T12:00:00Z or milliseconds since 1970, not ${quote(text)}.`);
  }
  return time.toISOString();
}

/**
 * Reads the description of a submitted image.
 *
 * @param parameters Those of the query, of the header X-Label-Query and of the form.
 * @throws LabelerError of kind bad-parameter for a value that is too long, too many fields, or a malformed time.
 */
export function readSubmission(c: Context<AppEnv>, parameters: Readonly<Record<string, string[]>>): Submission {
  const queries = { ...parameters };
  const take = (name: string): string | undefined => {
    const [value, second] = queries[name] ?? [];
    if (second !== undefined) throw bad(`${cut(name)} is given more than once; give it once.`);
    delete queries[name];
    return value;
  };
  const field = (name: string, header: string, limit: number) =>
    chooseValue(name, header, checkField(name, take(name), limit), checkField(header, c.req.header(header), limit));
  const id = field("id", "X-Image-Id", BOUNDS.id);
  const device = field("device", "X-Device", BOUNDS.device) ?? null;
  const time = parseTime(field("time", "X-Time", 40));

  const meta = new Map<string, string>();
  const add = (name: string, value: string | undefined) => {
    if (name.length > BOUNDS.metaName || !META_NAME.test(name)) {
      throw bad(`meta-NAME: a NAME has 1 to ${BOUNDS.metaName} letters, digits, dots, dashes and underscores.`);
    }
    const text = checkField(`meta-${name}`, value, BOUNDS.metaValue);
    if (text === undefined) return;
    chooseValue(`meta-${name}`, `X-Meta-${name}`, meta.get(name), text);
    meta.set(name, text);
  };
  for (const name of Object.keys(queries)) {
    if (name.startsWith(META_PARAMETER)) add(name.slice(META_PARAMETER.length), take(name));
  }
  for (const [name, value] of c.req.raw.headers) {
    if (name.startsWith(META_HEADER)) add(name.slice(META_HEADER.length), value);
  }
  if (meta.size > BOUNDS.metaFields) {
    throw bad(`There are ${meta.size} meta fields; ${BOUNDS.metaFields} are allowed.`);
  }
  return { id, device, time, meta: Object.fromEntries(meta), queries };
}
