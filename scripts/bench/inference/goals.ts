/** What the figures have to reach. */
import type { ColdRow } from "./cold.ts";
import { head, rows as lines, times } from "./markdown.ts";
import type { SpeedRow } from "./speed-report.ts";
import type { WayRow } from "./way.ts";

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
  if (row.model === MODEL.uint8) return [["overTfjs", row.exactDot ? 5 : 2.2]];
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

const atMost = (what: string, ratio: number, limit: number): Goal => ({
  goal: `${what}: at most ${limit}×`,
  pass: ratio <= limit,
  figure: times(ratio),
});

/** In the same Worker. What the product has around it is in the table, but stock tfjs would need it, too. */
export const coldGoals = (rows: readonly ColdRow[]): Goal[] =>
  rows.flatMap(({ title, engine, ours, product, ofTfjs }) =>
    ours && !product && ofTfjs !== undefined
      ? [atMost(`${title}, first label of ${engine} by that of stock tfjs`, ofTfjs, 0.6)]
      : [],
  );

export const wayGoals = (rows: readonly WayRow[]): Goal[] =>
  rows.flatMap(({ title, engine, ours, ofOther }) =>
    ours ? [atMost(`${title}, 12 MP JPEG to labels by ${engine}`, ofOther, 0.3)] : [],
  );

export const goalTable = (goals: readonly Goal[]): string =>
  `${head(["goal", "", "figure"], 2)}\n${lines(goals.map(({ goal, pass, figure }) => [goal, pass ? "pass" : "**fail**", figure]))}`;

export const NOTES = `
Every engine runs in a process of its own with one model, finds the right class of two images before it is measured, and
takes turns with the others, round by round, after a warm-up; of two processes of each engine the faster one counts. An
inference goes from bytes of pixels to the numbers of the classes, the normalisation included. Figures are medians over the
rounds, ratios those of the medians of processor time, which is that of all threads of the process.

Stock tfjs runs a GraphModel with the fused nodes of its own converter, all kernels of its package, SIMD, one thread;
quantised networks are dequantised for it, since it has no others. LiteRT.js runs the TFLite file in its build for relaxed
SIMD, one thread; float16 weights are made float32 for it, else it would dequantise them at every inference.
onnxruntime-web runs the network as ONNX, quantised ones with QuantizeLinear and DequantizeLinear. Native TensorFlow Lite
(XNNPACK, one thread) is there to compare, without the normalisation. "model" is what ours keeps of the model in tfjs'
memory; heap and wasm are all that the isolate holds. The labeler keeps no answers here.`;
