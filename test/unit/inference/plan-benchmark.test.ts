/**
 * How long an inference takes inside workerd, plan and op-by-op executor in turn, so that what else the machine does
 * falls on both alike:
 *
 *     LABELER_BENCHMARK=1 LABELER_REFERENCE=FOLDER npx vitest run --project unit test/unit/inference/plan-benchmark.test.ts
 */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { Executor } from "../../../worker/inference/executor.ts";
import { exactDot } from "../../../worker/inference/plan/kernels.ts";
import { makePlan, type PlanOptions } from "../../../worker/inference/plan/plan.ts";
import { inspectModel } from "../../../worker/model/inspect.ts";
import { levelsOf } from "../../../worker/model/preprocess.ts";
import { benchmarking, reference } from "../files.ts";

const WARM_UP = 6;
const SAMPLES = 15;
/** Inferences in a sample, since the clock of workerd ticks in milliseconds. */
const RUNS = 6;

const QUANTISED: readonly PlanOptions[] = [{ precision: "quantised" }];
const MODELS: readonly (readonly [name: string, plans: readonly PlanOptions[]])[] = [
  ["mobilenet_v1_1.0_224", [{ precision: "exact" }, { precision: "fast" }]],
  ["mobilenet_quant_v1_224", QUANTISED],
  ["mobilenet_v2_1.0_224_quant", QUANTISED],
  ["tf2_mobilenet_v2_1.0_224_ptq", QUANTISED],
];

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

beforeAll(initBackend);

describe.runIf(benchmarking)("milliseconds an inference", () => {
  it.each(MODELS)(
    "%s is no slower than op by op",
    async (model, plans) => {
      const labels = new TextDecoder().decode(await reference("models/labels_mobilenet_v1_1.0_224.txt"));
      const { graph, input } = await inspectModel({ tflite: await reference(`models/${model}.tflite`), labels });
      const { height, width } = input;
      const pixels = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919 + (i >> 5)) & 255);
      const inputs = [{ pixels, levels: levelsOf(input), shape: [1, height, width, 3] }];
      const subjects = [new Executor(graph), ...plans.map((options) => makePlan(graph, options))];
      const times = subjects.map((): number[] => []);
      for (let i = 0; i < WARM_UP; i++) for (const subject of subjects) subject.run(inputs);
      for (let i = 0; i < SAMPLES; i++) {
        for (const [s, subject] of subjects.entries()) {
          const start = performance.now();
          for (let run = 0; run < RUNS; run++) subject.run(inputs);
          times[s].push((performance.now() - start) / RUNS);
        }
      }
      const ratios = times.map((own) => median(own.map((time, i) => times[0][i] / time)));
      const names = ["op by op", ...plans.map(({ precision }) => precision)];
      const lines = names.map((name, s) => {
        const memory = (subjects[s].weightBytes / 2 ** 20).toFixed(1);
        return `${name}: ${median(times[s]).toFixed(1)} ms (least ${Math.min(...times[s]).toFixed(1)}), ${ratios[s].toFixed(2)} x, ${memory} MiB`;
      });
      console.log(`${model}, byte dot product ${exactDot() || "not exact"}\n  ${lines.join("\n  ")}`);
      for (const subject of subjects) subject.dispose();
      for (const ratio of ratios) expect(ratio).toBeGreaterThanOrEqual(1);
    },
    300_000,
  );
});
