/** What the figures have to reach. */
import { head, rows as lines, times } from "./markdown.ts";
import type { SpeedRow } from "./speed-report.ts";

export interface Goal {
  readonly goal: string;
  readonly pass: boolean;
  readonly figure: string;
}

const MODEL = {
  float: "mobilenet_v1_1.0_224",
  uint8: "mobilenet_quant_v1_224",
  int8: "tf2_mobilenet_v2_1.0_224_ptq",
};

type Ratio = "overTfjs" | "overLiteRT";
const RIVALS: { readonly [ratio in Ratio]: string } = { overTfjs: "stock tfjs", overLiteRT: "LiteRT.js" };

/** The least ratios, for rows of one model and precision. */
function atLeast(row: SpeedRow): [ratio: Ratio, limit: number][] {
  if (row.model === MODEL.float) return [["overTfjs", row.key === "exact" ? 1.5 : 2.5]];
  if (row.model === MODEL.uint8) return [["overTfjs", row.dotIsExact ? 5 : 2.2]];
  return row.model === MODEL.int8 ? [["overLiteRT", 1.2]] : [];
}

const MODEL_MB: { readonly [key: string]: number } = { exact: 32, fast: 20, quantised: 20 };

/** Speed is a goal under every condition, memory need only be looked at once. */
export function speedGoals(rows: readonly SpeedRow[]): Goal[] {
  return rows
    .filter(({ ours, key, cpuMs }) => ours && key !== "executor" && cpuMs !== undefined)
    .flatMap((row) => {
      const what = `${row.title}, ${row.key}, ${row.condition}`;
      const stated = atLeast(row);
      const others = (["overTfjs", "overLiteRT"] as const).filter((ratio) => !stated.some(([of]) => of === ratio));
      const limits = [...stated, ...others.map((ratio): [Ratio, number] => [ratio, 1])];
      const speed = limits.flatMap(([ratio, limit]): Goal[] => {
        const value = row[ratio];
        if (value === undefined) return [];
        return [{ goal: `${what}: at least ${limit}× ${RIVALS[ratio]}`, pass: value >= limit, figure: times(value) }];
      });
      if (row.residentBytes === undefined || row.condition !== rows[0].condition) return speed;
      const megabytes = row.residentBytes / 2 ** 20;
      const limit = MODEL_MB[row.key];
      const goal = `${row.title}, ${row.key}: at most ${limit} MB for the model`;
      return [...speed, { goal, pass: megabytes <= limit, figure: `${megabytes.toFixed(1)} MB` }];
    });
}

export const goalTable = (goals: readonly Goal[]): string =>
  `${head(["goal", "", "figure"], 2)}\n${lines(goals.map(({ goal, pass, figure }) => [goal, pass ? "pass" : "**fail**", figure]))}`;
