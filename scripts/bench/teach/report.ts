/** The figures of a set as a table, with what is demanded of them. */
import { GOALS, UNKNOWN_GOAL } from "./goals.ts";
import type { Trial } from "./trial.ts";

interface Figure {
  readonly mean: number;
  /** 1.96 standard errors. */
  readonly interval: number;
}

export function figureOf(values: readonly (number | undefined)[]): Figure | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return undefined;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const interval = known.length < 2 ? 0 : 1.96 * Math.sqrt(squares / (known.length - 1) / known.length);
  return { mean, interval };
}

export interface Row {
  readonly cells: readonly string[];
  readonly failed: boolean;
}

const HEAD = [
  "set",
  "photos a class",
  "plain probe",
  "head",
  "gain",
  "calibration error",
  "false unknown",
  "found unknown",
];

/** A figure, and whether it is within its bound. */
function cell(
  figure: Figure | undefined,
  bound?: { readonly least?: number; readonly most?: number },
): [string, boolean] {
  if (figure === undefined) return ["–", true];
  const { mean, interval } = figure;
  const text = `${mean.toFixed(3)} ± ${interval.toFixed(3)}`;
  const [sign, limit] = bound?.least === undefined ? ["≤", bound?.most] : ["≥", bound.least];
  if (limit === undefined) return [text, true];
  const holds = sign === "≥" ? mean >= limit : mean <= limit;
  return [`${text} (${holds ? "pass" : "FAIL"}: ${sign} ${limit})`, holds];
}

export function rowsOf(set: string, size: number, trials: readonly Trial[]): Row {
  const goal = GOALS[set]?.[size];
  const unknown = size === UNKNOWN_GOAL.size ? UNKNOWN_GOAL : undefined;
  const cells = [
    cell(figureOf(trials.map(({ probe }) => probe))),
    cell(figureOf(trials.map(({ head }) => head)), { ...(goal?.head && { least: goal.head }) }),
    cell(figureOf(trials.map(({ head, probe }) => head - probe)), { ...(goal?.gain && { least: goal.gain }) }),
    cell(figureOf(trials.map(({ calibration }) => calibration)), {
      ...(goal?.calibration && { most: goal.calibration }),
    }),
    cell(figureOf(trials.map(({ falseUnknown }) => falseUnknown)), { ...(unknown && { most: unknown.falseUnknown }) }),
    cell(figureOf(trials.map(({ foundUnknown }) => foundUnknown)), { ...(unknown && { least: unknown.foundUnknown }) }),
  ];
  return { cells: [set, `${size}`, ...cells.map(([text]) => text)], failed: cells.some(([, holds]) => !holds) };
}

export function table(rows: readonly Row[]): string {
  const lines = [HEAD, HEAD.map(() => "---"), ...rows.map((row) => row.cells)];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}
