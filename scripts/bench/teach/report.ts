/** The figures of a set as a table, with what is demanded of them. */
import { GOALS, SCENE_GOALS, type SpeedRow, UNKNOWN_GOAL, VIEWS, type View } from "./goals.ts";
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

/** @param others The names of groups of other photos. */
export const headOf = (others: readonly string[]): string[] => [
  "set",
  "photos a class",
  "plain probe",
  "head",
  "gain",
  "calibration error",
  "false unknown",
  ...others.flatMap((name) => [`${name} found unknown`, "worst draw"]),
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

/** The least of some shares. */
function worstOf(shares: readonly (number | undefined)[]): string {
  const known = shares.filter((share) => share !== undefined);
  return known.length === 0 ? "–" : Math.min(...known).toFixed(3);
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
  ];
  const found = (trials[0]?.foundUnknown ?? []).flatMap((_, group) => {
    const shares = trials.map(({ foundUnknown }) => foundUnknown[group]);
    // The goal is that of the first group.
    const least = group === 0 && unknown ? { least: unknown.foundUnknown } : {};
    return [cell(figureOf(shares), least), [worstOf(shares), true] as const];
  });
  const all = [...cells, ...found];
  return { cells: [set, `${size}`, ...all.map(([text]) => text)], failed: all.some(([, holds]) => !holds) };
}

export const SCENE_HEAD = ["a fixed camera, 5 photos a state", "recognised", "worst scene"];

/** @param shares The share of frames that is recognised in each scene. */
export const sceneRows = (shares: Readonly<Record<View, readonly number[]>>): Row[] =>
  VIEWS.map((view) => {
    const [text, holds] = cell(figureOf(shares[view]), { least: SCENE_GOALS[view] });
    return { cells: [view, text, Math.min(...shares[view]).toFixed(3)], failed: !holds };
  });

export const SPEED_HEAD = ["cost", "measured", "goal"];

export function speedRow({ what, value, unit, most }: SpeedRow): Row {
  const holds = value <= most;
  const goal = `${holds ? "pass" : "FAIL"}: ≤ ${most} ${unit}`;
  return { cells: [what, `${value.toFixed(2)} ${unit}`, goal], failed: !holds };
}

export function table(rows: readonly Row[], head: readonly string[]): string {
  const lines = [head, head.map(() => "---"), ...rows.map((row) => row.cells)];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}
