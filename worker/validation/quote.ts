/** How a caller's value is repeated in an error: short, on one line, and valid text, however large the value is. */

/** The longest quotation, in characters. */
const MOST = 100;

/** How many of several names are repeated. */
const MOST_NAMES = 3;

/** The beginning of a text of any length. Control characters become spaces. @param most In characters. */
export function cut(text: string, most = MOST): string {
  const start = text
    .slice(0, most)
    .replace(/\p{Cc}/gu, " ")
    .toWellFormed();
  return text.length > most ? `${start}…` : start;
}

/** A value as JSON, cut at about 100 characters. */
export function quote(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(cut(value));
  return cut(JSON.stringify(value) ?? String(value));
}

/** Names with commas in between, the first few of many. */
export function listNames(names: readonly string[]): string {
  const first = names.slice(0, MOST_NAMES).map((name) => cut(name));
  const rest = names.length - first.length;
  return rest > 0 ? `${first.join(", ")} and ${rest} more` : first.join(", ");
}
