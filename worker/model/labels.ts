/** Parses the text of a label file: line i names class i. */

/** Splits at LF or CRLF; empty lines at the end and a byte order mark are ignored. */
export function parseLabels(text: string): string[] {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  while (lines.at(-1)?.trim() === "") lines.pop();
  return lines.map((line) => line.trim());
}
