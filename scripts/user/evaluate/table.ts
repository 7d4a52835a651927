/** Renders the figures of `npm run evaluate` as a Markdown table. */
import type { Agreement, Figures } from "./figures.ts";

export interface Result extends Figures {
  readonly model: string;
  readonly precision: string;
  readonly crop: string;
  /** Compared with `exact` on the same crop; absent for `exact` itself, or if that was not run. */
  readonly agreement?: Agreement;
  /** Whether the agreement is good enough for a default. */
  readonly passes?: boolean;
}

const percent = (part: number, whole: number) => (whole === 0 ? "–" : `${((100 * part) / whole).toFixed(1)} %`);

const HEAD = [
  "model",
  "precision",
  "crop",
  "images",
  "top-1",
  "top-5",
  "label of exact",
  "where exact > 0.5",
  "good enough",
  "images/s",
];

const row = ({ agreement, passes, images, ...result }: Result): string[] => [
  result.model,
  result.precision,
  result.crop,
  String(images),
  percent(result.top1, images),
  percent(result.top5, images),
  agreement === undefined ? "" : percent(agreement.equal, agreement.images),
  agreement === undefined ? "" : `${agreement.confidentEqual} of ${agreement.confident}`,
  passes === undefined ? "" : passes ? "yes" : "no",
  result.imagesPerSecond.toFixed(1),
];

/** Renders a table with columns of the least width. */
export function table(results: readonly Result[]): string {
  const rows = [HEAD, ...results.map(row)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(HEAD), rule, ...rows.slice(1).map(line)].join("\n");
}
