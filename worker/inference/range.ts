/** The range that an op's output is held in: by its fused activation, and by what its quantised type can hold. */
import type { Activation, Tensor } from "../tflite/graph.ts";

export interface Range {
  readonly low: number;
  readonly high: number;
}

const UNBOUNDED: Range = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

const BY_ACTIVATION: { readonly [name in Activation]?: Range } = {
  RELU: { low: 0, high: Number.POSITIVE_INFINITY },
  RELU6: { low: 0, high: 6 },
  RELU_N1_TO_1: { low: -1, high: 1 },
};

const LIMITS: { readonly [type: string]: readonly [number, number] } = { uint8: [0, 255], int8: [-128, 127] };

/** The real values that a quantised tensor can hold; unbounded for floats. */
export function representable({ type, quantization }: Pick<Tensor, "type" | "quantization">): Range {
  const limits = LIMITS[type];
  const scale = quantization?.scale[0];
  if (limits === undefined || scale === undefined) return UNBOUNDED;
  const zeroPoint = quantization?.zeroPoint[0] ?? 0;
  return { low: (limits[0] - zeroPoint) * scale, high: (limits[1] - zeroPoint) * scale };
}

/** A clamp, done by the fused activation `fused` of tfjs where there is one for it, and by `clip` where there is none. */
export interface Clamp {
  readonly fused: "linear" | "relu" | "relu6";
  readonly clip: Range | undefined;
}

/** Half a step of a quantised range of 0..6 is 0.01: bounds this close to 0 and 6 are meant to be them. */
const NEAR = 1e-4;
const near = (a: number, b: number): boolean => Math.abs(a - b) < NEAR;

/**
 * What holds the output of an op in its range. In quantised models it is often the output's range alone that makes a
 * ReLU6, so that the clamp may never be left out.
 */
export function clampFor(activation: Activation, output: Pick<Tensor, "type" | "quantization">): Clamp {
  const byType = representable(output);
  const byActivation = BY_ACTIVATION[activation] ?? UNBOUNDED;
  const low = Math.max(byType.low, byActivation.low);
  const high = Math.min(byType.high, byActivation.high);
  if (near(low, 0) && near(high, 6)) return { fused: "relu6", clip: undefined };
  if (near(low, 0) && high === Number.POSITIVE_INFINITY) return { fused: "relu", clip: undefined };
  if (low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY)
    return { fused: "linear", clip: undefined };
  return { fused: "linear", clip: { low, high } };
}
