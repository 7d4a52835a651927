/** What npm run bench:fair makes of its measurements: figures over all rounds, and the goals that they have to reach. */
import type { Goal } from "../inference/goals.ts";
import type { IdleTimes } from "./idle.ts";
import type { Load, Outcome } from "./loads.ts";
import { type Call, KINDS, type Kind } from "./other-client.ts";

/** A load in one round. */
export interface Round {
  readonly calls: readonly Call[];
  readonly beside: Outcome;
  /** The same load without the other client; of bulk alone. */
  readonly alone?: Outcome;
}

export interface CallFigures {
  readonly kind: Kind;
  readonly count: number;
  /** In milliseconds, by medianWait(): of the round in which it is longest. */
  readonly median: number;
  /** In milliseconds: of all rounds. */
  readonly worst: number;
  readonly statuses: Readonly<Record<string, number>>;
}

export interface LoadFigures {
  readonly load: string;
  readonly title: string;
  readonly calls: readonly CallFigures[];
  readonly statuses: Readonly<Record<string, number>>;
  /** Of bulk: in milliseconds, of the round in which their ratio is largest. */
  readonly bulk?: { readonly alone: number; readonly beside: number; readonly ratio: number };
}

function counted(statuses: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/**
 * How long whoever comes at a random moment waits, half of the time at most, in milliseconds: each call counts by its
 * length. One call that waits for seconds keeps its client from making many short ones, so that a median of the calls alone
 * would be the better the fewer are served.
 */
export function medianWait(times: readonly number[]): number {
  let left = times.reduce((sum, ms) => sum + ms, 0) / 2;
  for (const ms of times.toSorted((a, b) => a - b)) {
    left -= ms;
    if (left <= 0) return ms;
  }
  return Number.NaN;
}

export function figuresOf({ key, title }: Load, rounds: readonly Round[]): LoadFigures {
  const calls = KINDS.map((kind): CallFigures => {
    const each = rounds.map(({ calls }) => calls.filter((call) => call.kind === kind));
    const all = each.flat();
    return {
      kind,
      count: all.length,
      median: Math.max(...each.map((calls) => medianWait(calls.map(({ ms }) => ms)))),
      worst: Math.max(...all.map(({ ms }) => ms)),
      statuses: counted(all.map(({ status }) => status)),
    };
  });
  const statuses = counted(rounds.flatMap(({ beside, alone }) => [...beside.statuses, ...(alone?.statuses ?? [])]));
  const ratios = rounds.flatMap(({ beside, alone }) =>
    alone === undefined ? [] : [{ alone: alone.ms, beside: beside.ms, ratio: beside.ms / alone.ms }],
  );
  const [worst] = ratios.toSorted((a, b) => b.ratio - a.ratio);
  return { load: key, title, calls, statuses, ...(worst && { bulk: worst }) };
}

/** In milliseconds. */
const LIMITS: Readonly<Record<Kind, { readonly median?: number; readonly worst: number }>> = {
  "small image": { median: 300, worst: 1000 },
  "eKuiper's call": { worst: 1500 },
  probe: { worst: 100 },
};
const BULK_RATIO = 2.2;
const IDLE_MS = 1.5;

export const milliseconds = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
export const statusText = (statuses: LoadFigures["statuses"]): string =>
  Object.entries(statuses)
    .map(([status, count]) => `${count} × ${status}`)
    .join(", ");
const onlyOk = (statuses: LoadFigures["statuses"]) => Object.keys(statuses).every((status) => status === "200");

/** An answer that came in time is none if it is a refusal. */
export function goalsOf({ load, calls, statuses, bulk }: LoadFigures): Goal[] {
  const goals = calls.flatMap(({ kind, median, worst, statuses }): Goal[] => {
    const limits = LIMITS[kind];
    const goal = (what: string, value: number, limit: number): Goal => ({
      goal: `${load}: ${kind}, ${what} at most ${milliseconds(limit)}, all 200`,
      pass: value <= limit && onlyOk(statuses),
      figure: onlyOk(statuses) ? milliseconds(value) : `${milliseconds(value)}; ${statusText(statuses)}`,
    });
    const onMedian = limits.median === undefined ? [] : [goal("median", median, limits.median)];
    return [...onMedian, goal("worst", worst, limits.worst)];
  });
  if (bulk === undefined) return goals;
  return [
    ...goals,
    { goal: `${load}: the bulk itself is all 200`, pass: onlyOk(statuses), figure: statusText(statuses) },
    {
      goal: `${load}: the bulk takes at most ${BULK_RATIO} × its time alone`,
      pass: bulk.ratio <= BULK_RATIO,
      figure: `${bulk.ratio.toFixed(2)} ×`,
    },
  ];
}

/** @param rounds The times of each. */
export function idleGoal(rounds: readonly IdleTimes[]): Goal {
  const most = Math.max(...rounds.map(({ wall, cpu }) => wall - cpu));
  return {
    goal: `idle: by the clock at most ${milliseconds(IDLE_MS)} above processor time`,
    pass: most <= IDLE_MS,
    figure: milliseconds(most),
  };
}
