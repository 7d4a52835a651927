/**
 * Makes V8 optimise the kernels of a precision while the first model is still being read. V8 first compiles a
 * WebAssembly function without optimisation. Once the function has run for a while, V8 compiles it again in another
 * thread, and it runs several times as fast. Without a rehearsal this would happen only after the first layers of the
 * first image, which then take as long as all others.
 */
import type { Graph, Tensor } from "../tflite/graph.ts";
import { initBackend } from "./backend.ts";
import { makePlan, type PlanInstance, type PlanPrecision } from "./plan/plan.ts";

const SIDE = 16;
/** Channels of the input, which are too few for Strassen's multiplication, and of the layers after it. */
const SHALLOW = 16;
const DEEP = 32;
const IMAGE = [1, SIDE, SIDE, SHALLOW];
const FEATURES = [1, SIDE, SIDE, DEEP];
const WEIGHTS = [
  [DEEP, 1, 1, SHALLOW],
  [1, 3, 3, DEEP],
  [DEEP, 1, 1, DEEP],
];
/** Makes the second product use Strassen's multiplication. */
const STRASSEN = "always";

/**
 * V8 optimises a function when the code that it has run amounts to 13 MB (its --wasm-tiering-budget), counting each
 * iteration of a loop. This many runs are more than enough, and take a few ms.
 */
const TIMES = 16;

/** The layers of MobileNets: a pointwise, a depthwise and another pointwise convolution, with weights of zero. */
function rehearsalNetwork(precision: PlanPrecision): Graph {
  const quantised = precision === "quantised";
  const tensor = (index: number, shape: readonly number[], constant: boolean): Tensor => ({
    index,
    name: "",
    shape,
    open: [],
    type: quantised ? "uint8" : "float32",
    quantization: quantised ? { scale: [1], zeroPoint: [0], axis: 0 } : undefined,
    data: constant ? new Uint8Array(shape.reduce((size, dim) => size * dim, quantised ? 1 : 4)) : undefined,
  });
  const options = { padding: "same", stride: [1, 1], dilation: [1, 1], activation: "RELU6" } as const;
  return {
    tensors: [IMAGE, ...WEIGHTS.flatMap((shape) => [shape, FEATURES])].map((shape, index) =>
      tensor(index, shape, WEIGHTS.includes(shape)),
    ),
    operators: [
      { index: 0, op: "CONV_2D", inputs: [0, 1], outputs: [2], options },
      { index: 1, op: "DEPTHWISE_CONV_2D", inputs: [2, 3], outputs: [4], options },
      { index: 2, op: "CONV_2D", inputs: [4, 5], outputs: [6], options },
    ],
    inputs: [0],
    outputs: [6],
    metadata: new Map(),
  };
}

const rehearsed = new Set<PlanPrecision>();

/** The small network as a plan. Call initBackend() first. */
export const rehearsalPlan = (precision: PlanPrecision): PlanInstance =>
  makePlan(rehearsalNetwork(precision), { precision, strassen: STRASSEN });

/** Runs a small network until V8 optimises the kernels of this precision; later calls do nothing. */
export async function rehearse(precision: PlanPrecision): Promise<void> {
  if (rehearsed.has(precision)) return;
  await initBackend();
  const plan = rehearsalPlan(precision);
  for (let i = 0; i < TIMES; i++) plan.runSteps();
  plan.dispose();
  rehearsed.add(precision);
}
