/** The range to which a quantised output is clamped: by its fused activation, and by its type. */
import type { Activation, Tensor } from "../tflite/graph.ts";

const LIMITS: { readonly [type: string]: readonly [low: number, high: number] } = {
  uint8: [0, 255],
  int8: [-128, 127],
};

const BY_ACTIVATION: { readonly [name in Activation]?: readonly [low: number, high: number] } = {
  RELU: [0, Number.POSITIVE_INFINITY],
  RELU6: [0, 6],
  RELU_N1_TO_1: [-1, 1],
};

/**
 * The smallest and the largest value of a quantised output, in steps of its scale and less its zero point. In quantised
 * models a ReLU6 often results only from the type's range, so the range must always be applied.
 * Source: CalculateActivationRangeQuantized in tensorflow/lite/kernels/kernel_util.cc.
 */
export function quantizedRange(activation: Activation, scale: number, zeroPoint: number, type: Tensor["type"]) {
  const [typeLow, typeHigh] = LIMITS[type] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [low, high] = BY_ACTIVATION[activation] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return {
    low: Math.max(typeLow - zeroPoint, Math.round(low / scale)),
    high: Math.min(typeHigh - zeroPoint, Math.round(high / scale)),
  };
}
