/** The range of pixels that a network with a float input expects where neither model.json nor metadata states it. */
import { realValues, sizeOf } from "../inference/constants.ts";
import type { Graph, Operator, Tensor } from "../tflite/graph.ts";
import type { FileMetadata } from "../tflite/metadata.ts";
import { firstConvolution } from "./first-convolution.ts";
import type { Layout } from "./layout.ts";

/** Normalised = (pixel − mean) / std, pixels being 0..255. */
export type Normalization = NonNullable<FileMetadata["normalization"]>;

export interface UsualNormalization {
  readonly normalization: Normalization;
  /** Whether it is only a convention, without evidence in the network. */
  readonly guessed: boolean;
}

/** The range that the float model of eKuiper's tutorial expects, and most later ones. */
const MINUS_ONE_TO_ONE: Normalization = { mean: [127.5], std: [127.5] };
const ZERO_TO_ONE: Normalization = { mean: [0], std: [255] };
const PIXELS: Normalization = { mean: [0], std: [1] };
/** Mean and standard deviation of ImageNet's pixels, with which torchvision and timm train. */
const IMAGENET: Normalization = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };

/**
 * The largest weight of a first convolution into which 1/255 or 1/127.5 was merged: at most 0.0032 in 18 of 18 public
 * classifiers with a merged 1/255, and at least 0.187 in 58 of 58 without.
 */
const LARGEST_MERGED = 0.008;
/** Above this, no scale was merged into the first convolution. */
const LARGEST_DOUBTFUL = 0.05;

/** A small constant with one number, or one for each channel. */
function perChannel(tensor: Tensor | undefined): readonly number[] | undefined {
  return tensor?.data === undefined || sizeOf(tensor.shape) > 3 ? undefined : [...realValues(tensor)];
}

/** The range of the input for which a network was quantised. */
function fromRange({ quantization, type }: Tensor): Normalization | undefined {
  if (quantization === undefined) return undefined;
  const [[scale], [zeroPoint], lowest] = [quantization.scale, quantization.zeroPoint, type === "int8" ? -128 : 0];
  const [low, high] = [lowest, lowest + 255].map((value) => (value - zeroPoint) * scale);
  if (high > 16) return PIXELS; // far above any normalised value
  return low > -0.1 ? ZERO_TO_ONE : MINUS_ONE_TO_ONE;
}

/** The only operator that reads a tensor, skipping operators that only move its values. */
function readerOf(graph: Graph, tensor: number): Operator | undefined {
  const [reader, ...others] = graph.operators.filter(({ inputs }) => inputs.includes(tensor));
  if (reader === undefined || others.length > 0) return undefined;
  return reader.op === "TRANSPOSE" || reader.op === "RESHAPE" ? readerOf(graph, reader.outputs[0]) : reader;
}

/**
 * The range if the network scales pixels itself. Keras' Rescaling and Normalization layers, which are part of its
 * EfficientNet, MobileNetV3 and ConvNeXt, multiply by 1/255, say, or subtract a mean of 120. A network that begins by
 * quantising a float input states the range of that input.
 */
function fromFirstOperator(graph: Graph): Normalization | undefined {
  const first = readerOf(graph, graph.inputs[0]);
  if (first === undefined) return undefined;
  if (first.op === "QUANTIZE") return fromRange(graph.tensors[first.outputs[0]]);
  const by = perChannel(graph.tensors[first.inputs[1]]) ?? [];
  const scales =
    (first.op === "MUL" && by.every((value) => Math.abs(value) < 1 / 50)) ||
    (first.op === "DIV" && by.every((value) => Math.abs(value) > 50));
  const centres =
    (first.op === "SUB" && by.some((value) => value > 2)) || (first.op === "ADD" && by.some((value) => value < -2));
  return by.length > 0 && (scales || centres) ? PIXELS : undefined;
}

/** The range if a converter merged a Rescaling layer into the first convolution: its weights are then tiny. */
function fromFirstConvolution(graph: Graph): Normalization | undefined {
  const convolution = firstConvolution(graph);
  if (convolution === undefined || convolution.largest === 0) return undefined;
  if (convolution.largest <= LARGEST_MERGED) return PIXELS;
  // A merged offset of −1 shows in the bias: it is −127.5 times the sum of the channel's weights.
  return convolution.largest <= LARGEST_DOUBTFUL && convolution.mergesOffset ? PIXELS : undefined;
}

/** @param layout The layout of the network's input, which is float32. */
export function usualNormalization(graph: Graph, layout: Layout): UsualNormalization {
  const seen = fromFirstOperator(graph) ?? fromFirstConvolution(graph);
  if (seen !== undefined) return { normalization: seen, guessed: false };
  // Grey networks are trained on 0..1 (8 of 8 public ones), and networks with planes come from PyTorch.
  const convention = layout === "grey" ? ZERO_TO_ONE : layout.endsWith("planes") ? IMAGENET : MINUS_ONE_TO_ONE;
  return { normalization: convention, guessed: true };
}
