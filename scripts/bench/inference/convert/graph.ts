/** What the converters read of a TFLite graph, whatever they write. */
import type { KnownOperator } from "../../../../worker/inference/operators/registry.ts";
import { quantizedRange } from "../../../../worker/inference/range.ts";
import type { Activation, Graph, Operator, Tensor } from "../../../../worker/tflite/graph.ts";

type WindowOptions = Extract<KnownOperator, { op: "CONV_2D" | "DEPTHWISE_CONV_2D" | "AVERAGE_POOL_2D" }>["options"];

export function tensorOf(graph: Graph, index: number | undefined): Tensor {
  const tensor = graph.tensors[index ?? -1];
  if (tensor === undefined) throw new Error(`there is no tensor ${index}`);
  return tensor;
}

export function refuse(operator: Operator, format: string): never {
  throw new Error(`operator ${operator.index} (${operator.op}) has no translation to ${format} here`);
}

/** An output's step and zero point, or nothing for a float one. */
export function quantizationOf({ type, quantization }: Tensor): { scale: number; zeroPoint: number } | undefined {
  if ((type !== "uint8" && type !== "int8") || quantization === undefined) return undefined;
  return { scale: quantization.scale[0], zeroPoint: quantization.zeroPoint[0] };
}

/** A ReLU6 may be made by the range that a quantised output can hold, and by nothing else. */
export function activationOf(stated: Activation, output: Tensor): Activation {
  const quantization = quantizationOf(output);
  if (stated !== "NONE" || quantization === undefined) return stated;
  const { scale, zeroPoint } = quantization;
  const { low, high } = quantizedRange("NONE", scale, zeroPoint, output.type);
  return low === 0 && Math.abs(high * scale - 6) < 0.1 ? "RELU6" : "NONE";
}

/** Zeros before and behind, as [[top, bottom], [left, right]]: TensorFlow's SAME puts the odd one behind. */
export function paddingOf(
  input: Tensor,
  output: Tensor,
  window: readonly number[],
  { padding, stride, dilation }: Pick<WindowOptions, "padding" | "stride"> & { dilation?: readonly number[] },
): [number, number][] {
  return [0, 1].map((axis): [number, number] => {
    if (padding === "valid") return [0, 0];
    const reach = (window[axis] - 1) * (dilation?.[axis] ?? 1) + 1;
    const total = Math.max(0, (output.shape[1 + axis] - 1) * stride[axis] + reach - input.shape[1 + axis]);
    return [total >> 1, total - (total >> 1)];
  });
}

/** [output, …] → […, output]. */
export function outputLast(values: Float32Array, outputs: number): Float32Array<ArrayBuffer> {
  const inner = values.length / outputs;
  return Float32Array.from(values, (_, i) => values[(i % outputs) * inner + Math.floor(i / outputs)]);
}
