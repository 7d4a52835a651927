/** How a network with a float input wants its pixels where nobody says: seen from how it begins. */
import { realValues, sizeOf } from "../inference/constants.ts";
import type { Graph, Operator, Tensor } from "../tflite/graph.ts";
import type { FileMetadata } from "../tflite/metadata.ts";

/** Normalised = (pixel − mean) / std, pixels being 0..255. */
export type Normalization = NonNullable<FileMetadata["normalization"]>;

/** What the tutorial's float model wants, and most that came after it. */
const MINUS_ONE_TO_ONE: Normalization = { mean: [127.5], std: [127.5] };
const ZERO_TO_ONE: Normalization = { mean: [0], std: [255] };
const PIXELS: Normalization = { mean: [0], std: [1] };

/** A small constant that is one number, or one for each channel. */
function perChannel(tensor: Tensor | undefined): readonly number[] | undefined {
  return tensor?.data === undefined || sizeOf(tensor.shape) > 3 ? undefined : [...realValues(tensor)];
}

/** What the input had been between when the network was quantised. */
function fromRange({ quantization, type }: Tensor): Normalization {
  if (quantization === undefined) return MINUS_ONE_TO_ONE;
  const [[scale], [zeroPoint], lowest] = [quantization.scale, quantization.zeroPoint, type === "int8" ? -128 : 0];
  const [low, high] = [lowest, lowest + 255].map((value) => (value - zeroPoint) * scale);
  if (high > 16) return PIXELS; // far beyond what any normalisation leaves
  return low > -0.1 ? ZERO_TO_ONE : MINUS_ONE_TO_ONE;
}

/** The sole operator that reads a tensor, behind what only moves its values. */
function readerOf(graph: Graph, tensor: number): Operator | undefined {
  const [reader, ...others] = graph.operators.filter(({ inputs }) => inputs.includes(tensor));
  if (reader === undefined || others.length > 0) return undefined;
  return reader.op === "TRANSPOSE" || reader.op === "RESHAPE" ? readerOf(graph, reader.outputs[0]) : reader;
}

/**
 * A network may begin by scaling pixels itself, as Keras' Rescaling and Normalization layers do, which its EfficientNet,
 * MobileNetV3 and ConvNeXt bring along: it multiplies by 1/255, say, or subtracts a mean of 120. One that begins by
 * quantising a float input says what range that has. Else it is −1..1.
 */
export function usualNormalization(graph: Graph): Normalization {
  const first = readerOf(graph, graph.inputs[0]);
  if (first === undefined) return MINUS_ONE_TO_ONE;
  if (first.op === "QUANTIZE") return fromRange(graph.tensors[first.outputs[0]]);
  const by = perChannel(graph.tensors[first.inputs[1]]) ?? [];
  const scales =
    (first.op === "MUL" && by.every((value) => Math.abs(value) < 1 / 50)) ||
    (first.op === "DIV" && by.every((value) => Math.abs(value) > 50));
  const centres = first.op === "SUB" && by.some((value) => value > 2);
  return by.length > 0 && (scales || centres) ? PIXELS : MINUS_ONE_TO_ONE;
}
