/** Formats the labeler's results in the three forms that `npm run label` prints. */
import { CommandError } from "../../command-line/command.ts";

export interface Label {
  readonly confidence: number;
  readonly label: string;
}

/** The result of one image: its labels, or the error. */
export interface Answer {
  readonly file: string;
  readonly labels?: readonly Label[];
  /** The labels of each region, if the image is not labelled as one. */
  readonly regions?: Readonly<Record<string, readonly Label[]>>;
  /** How much of the picture is missing, 0..1, if its file ends early. */
  readonly missing?: number;
  /** The number of damaged places in its file. */
  readonly warnings?: number;
  readonly error?: string;
}

/** Prints results one by one as they arrive. */
export interface Printer {
  /** The text before the first result. */
  readonly head: string;
  /** @param index The index of the result, from 0. */
  answer(answer: Answer, index: number): string;
  /** The text after the last result. */
  readonly foot: string;
}

const percent = (part: number) => `${(100 * part).toFixed(1)} %`;

/** The labels of all regions in one list, each with the name of its region in front. */
const labelsOf = ({ labels = [], regions }: Answer): readonly Label[] =>
  regions === undefined
    ? labels
    : Object.entries(regions).flatMap(([name, found]) =>
        found.length === 0
          ? [{ confidence: 0, label: `${name}: no label` }]
          : found.map(({ confidence, label }) => ({ confidence, label: `${name}: ${label}` })),
      );

/** The damage of a file that was labelled nevertheless. */
function noteOn({ missing, warnings }: Answer): string {
  if (missing !== undefined) return `  (${percent(missing)} of the image is missing)`;
  return warnings === undefined ? "" : "  (the file is damaged)";
}

/**
 * For people: one line per label, the file's name on the first. The columns fit the names, which are known beforehand.
 */
export function table(names: readonly string[]): Printer {
  const width = Math.min(60, Math.max(4, ...names.map((name) => name.length)));
  const line = (name: string, confidence: string, label: string) =>
    `${name.padEnd(width)}  ${confidence.padStart(7)}  ${label}\n`;
  return {
    head: "",
    answer(answer) {
      const { file, error } = answer;
      const labels = labelsOf(answer);
      if (error !== undefined) return line(file, "–", `error: ${error}`);
      const note = noteOn(answer);
      if (labels.length === 0) return line(file, "–", `no label${note}`);
      return labels
        .map(({ confidence, label }, rank) =>
          line(rank === 0 ? file : "", percent(confidence), rank === 0 ? label + note : label),
        )
        .join("");
    },
    foot: "",
  };
}

/** Prints one JSON array of all results. */
export const json: Printer = {
  head: "[",
  answer: (answer, index) => `${index === 0 ? "" : ","}\n${JSON.stringify(answer)}`,
  foot: "\n]\n",
};

/** RFC 4180; one line per label, and one for an image without labels. */
const cell = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
const row = (...cells: (string | number)[]) => `${cells.map((value) => cell(String(value))).join(",")}\r\n`;

export const csv: Printer = {
  head: row("file", "rank", "confidence", "label", "missing", "warnings", "error"),
  answer({ file, labels: whole = [], regions, missing = "", warnings = "", error }) {
    const [labels = whole, ...others] = Object.values(regions ?? {});
    if (others.length > 0) {
      throw new CommandError(
        "--csv has the labels of one image in a row each, and there are several regions. Name one with --region, or take " +
          "--json, which has all of them as POST /label answers.",
      );
    }
    if (error !== undefined || labels.length === 0) return row(file, "", "", "", missing, warnings, error ?? "");
    return labels
      .map(({ confidence, label }, rank) => row(file, rank + 1, confidence, label, missing, warnings, ""))
      .join("");
  },
  foot: "",
};
