/** Renders the totals of `npm run evaluate:decode` as Markdown tables. */
import { EXACT, type Sum, type Totals } from "./totals.ts";

/** How many exceptions of one kind are listed individually. */
const NAMED = 20;

/** Renders a table with columns of the least width. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows.map((cells) => cells.map((cell) => cell.replaceAll("|", "\\|")))];
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(all[0] ?? []), line(widths.map((width) => "-".repeat(width))), ...all.slice(1).map(line)].join("\n");
}

const confidence = (value: number) => (value === 0 ? "0" : value < 0.001 ? value.toExponential(1) : value.toFixed(3));

/** Renders the figures of a sum; those that were not compared become a dash. */
function figures(sum: Sum): string[] {
  const ofPixels = (value: string) => (sum.pixelsCompared === 0 ? "–" : value);
  const ofLabels = (value: string) => (sum.labelsCompared === 0 ? "–" : value);
  return [
    String(sum.files),
    ofPixels(`${sum.pixelsEqual} of ${sum.pixelsCompared}`),
    ofPixels(String(sum.largestPixel)),
    ofLabels(`${sum.sameTop1} of ${sum.labelsCompared}`),
    ofLabels(`${sum.withinExact} of ${sum.labelsCompared}`),
    ofLabels(confidence(sum.largestConfidence)),
  ];
}

const FIGURES = [
  "files",
  "same pixels",
  "largest pixel difference",
  "same top-1",
  `within ${EXACT}`,
  "largest confidence difference",
];

function list(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const rest = lines.length - NAMED;
  const more = rest > 0 ? [`- and ${rest} more, which --json lists`] : [];
  return [[`${title}:`, "", ...lines.slice(0, NAMED).map((line) => `- ${line}`), ...more].join("\n")];
}

/** @param compared The reference, such as "Pillow 12.2.0 and ai_edge_litert"; undefined without one. */
export function report(totals: Totals, model: string, compared: string | undefined): string {
  const sections = [`${totals.files} files, ${model}${compared === undefined ? "" : `, beside ${compared}`}`];
  if (compared !== undefined) {
    const { both, labeler, Pillow, neither } = totals.decodedBy;
    sections.push(
      `Decoded by both ${both}, by the labeler alone ${labeler}, by Pillow alone ${Pillow}, by neither ${neither}`,
    );
  }
  const sums = [
    ...(compared === undefined ? [] : [["full scale, beside the reference", ...figures(totals.full)]]),
    ["auto, where it is smaller, beside full scale", ...figures(totals.auto)],
  ];
  sections.push(table(["", ...FIGURES], sums));
  const differences = [...totals.differences.values()].sort((a, b) => b.sum.files - a.sum.files);
  if (differences.length > 0) {
    const rows = differences.map(({ reason, sum, example }) => [reason, ...figures(sum), example]);
    sections.push(table(["differs from the reference, because", ...FIGURES, "example"], rows));
  }
  const refusals = [...totals.refusals.values()].sort((a, b) => a.by.localeCompare(b.by) || b.files - a.files);
  if (refusals.length > 0) {
    const rows = refusals.map(({ by, reason, files, decodedByOther, example }) => [
      by,
      reason,
      String(files),
      compared === undefined ? "–" : String(decodedByOther),
      example,
    ]);
    sections.push(table(["refused by", "reason", "files", "that the other decodes", "example"], rows));
  }
  sections.push(
    ...list(
      "Differences without a known reason",
      totals.exceptions
        .filter(({ reason }) => reason === "unexplained")
        .map(({ file, pixels, confidence: difference }) => {
          const far = difference === undefined ? "" : `, confidences by up to ${confidence(difference)}`;
          return `${file}: ${pixels?.values ?? 0} values by up to ${pixels?.largest ?? 0}${far}`;
        }),
    ),
    ...list(
      "Other top-1 labels with auto",
      totals.changedByAuto.map(
        ({ file, reason, confidence: difference = 0 }) =>
          `${file}: ${reason}, confidences by up to ${confidence(difference)}`,
      ),
    ),
    ...list(
      "Not sent",
      totals.unread.map(({ file, reason }) => `${file}: ${reason}`),
    ),
    ...list(
      "FAULTS of the labeler",
      totals.faults.map(({ file, fault }) => `${file}: ${fault}`),
    ),
  );
  return sections.join("\n\n");
}

/** The totals as --json prints them: every exception with its file. */
export const summaryOf = (totals: Totals) => ({
  files: totals.files,
  decodedBy: totals.decodedBy,
  full: totals.full,
  auto: totals.auto,
  differences: [...totals.differences.values()],
  exceptions: totals.exceptions,
  changedByAuto: totals.changedByAuto,
  refusals: [...totals.refusals.values()],
  unread: totals.unread,
  faults: totals.faults,
});
