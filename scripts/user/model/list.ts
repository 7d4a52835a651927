/** Prints the models for `npm run model`: a table, followed by notes for its reader. */
import { type IndexEntry, tooLargeToDeploy } from "../../../worker/model/index-entry.ts";
import { isGuess, rangeOf } from "../../../worker/model/notes.ts";

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1)} MB`;

function row({ name, base, bytes, input, classes, precisions, error, notes = [] }: IndexEntry): string[] {
  const size = base === undefined ? megabytes(bytes) : `as ${base}`;
  if (error !== undefined) return [name, size, "–", "–", `not usable: ${error}`];
  const guess = isGuess({ notes }) ? " (guess)" : "";
  const shape =
    input === undefined
      ? "–"
      : `${input.width}×${input.height} ${input.layout} ${input.type} ${rangeOf(input)}${guess}`;
  return [name, size, shape, `${classes}`, (precisions ?? []).join(", ")];
}

/** The notes on a model, each as a line that begins with its name. */
export function noteLines(entry: IndexEntry): string[] {
  const { name, error, notes = [] } = entry;
  const tooLarge = error === undefined ? tooLargeToDeploy(entry) : undefined;
  return [...notes, ...(tooLarge === undefined ? [] : [tooLarge])].map(
    (note) => `${name}: ${note.replaceAll("NAME", name)}`,
  );
}

export function printModels(entries: readonly IndexEntry[]): void {
  const rows = [["MODEL", "SIZE", "INPUT", "CLASSES", "PRECISIONS"], ...entries.map(row)];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  for (const cells of rows)
    console.log(
      cells
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  const described = entries.flatMap(({ name, description }) =>
    description === undefined ? [] : `${name}: ${description}.`,
  );
  if (described.length > 0) console.log(`\n${described.join("\n")}`);
  const notes = entries.flatMap(noteLines);
  if (notes.length > 0) console.log(`\n${notes.join("\n")}`);
}
