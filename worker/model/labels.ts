/** The text of a label file as a list: line i names class i. */

/** Splits at line ends of either kind; empty lines at the end do not count, and neither does a byte order mark. */
export function parseLabels(text: string): string[] {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  while (lines.at(-1)?.trim() === "") lines.pop();
  return lines.map((line) => line.trim());
}
