/** The range of pixels that a network expects where neither model.json nor metadata states it. */
import { realValues, sizeOf } from "../inference/constants.ts";
import type { Graph, Operator, Tensor } from "../tflite/graph.ts";
import type { FileMetadata } from "../tflite/metadata.ts";
import { type FirstConvolution, firstConvolution } from "./first-convolution.ts";
import type { Layout } from "./layout.ts";

/** Normalised = (pixel − mean) / std, pixels being 0..255. */
export type Normalization = NonNullable<FileMetadata["normalization"]>;

export interface UsualNormalization {
  readonly normalization: Normalization;
  /** Whether it is only a convention, without evidence in the network. */
  readonly guessed: boolean;
}

/** The range that the float model of eKuiper's tutorial expects. */
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
/** No training shrinks weights to less than this part of their initialisation: a scale was merged. */
const SCALE_MERGED = 0.15;
/** Above this, a batch normalisation was merged, as training alone did not grow the weights of any public classifier. */
const SCALE_NORMALISED = 3;
/** The names of tensors in networks of TF-Slim, which are trained on −1…1, as that of eKuiper's tutorial is. */
const TF_SLIM = /^(MobilenetV\d|Inception(V\d|ResnetV2)|P?NASNet)\//i;
/** The names of tensors where onnx2tf or litert-torch converted a network of PyTorch, and moved its channels behind. */
const FROM_PYTORCH = /\btf\.nn\.convolution|\btf\.compat\.v1\.pad|^serving_default_args_0\b/;
/** The mean of pixels, as part of their range, lies between these in most collections of pictures. */
const USUAL_MEAN = [0.2, 0.8] as const;

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
  // ImageNet's goes from −2.12 to 2.64; pictures for calibration may lack the extremes.
  if (low < -1.5 && high > 1.5) return IMAGENET;
  return low > -0.1 ? ZERO_TO_ONE : MINUS_ONE_TO_ONE;
}

/** The only operator that reads a tensor, skipping operators that only move its values. */
function readerOf(graph: Graph, tensor: number): Operator | undefined {
  const [reader, ...others] = graph.operators.filter(({ inputs }) => inputs.includes(tensor));
  if (reader === undefined || others.length > 0) return undefined;
  return reader.op === "TRANSPOSE" || reader.op === "RESHAPE" ? readerOf(graph, reader.outputs[0]) : reader;
}

/** How a network scales its input itself, as factor · x + shift; undefined after an operator that does more. */
function scaleOf(graph: Graph): { factor: number; shift: number } | undefined {
  let scale: { factor: number; shift: number } | undefined;
  for (let reader = readerOf(graph, graph.inputs[0]); reader !== undefined; ) {
    const [by] = perChannel(graph.tensors[reader.inputs[1]]) ?? [];
    if (by === undefined) break;
    const { factor, shift }: { factor: number; shift: number } = scale ?? { factor: 1, shift: 0 };
    if (reader.op === "MUL") scale = { factor: factor * by, shift: shift * by };
    else if (reader.op === "DIV") scale = { factor: factor / by, shift: shift / by };
    else if (reader.op === "ADD") scale = { factor, shift: shift + by };
    else if (reader.op === "SUB") scale = { factor, shift: shift - by };
    else break;
    reader = readerOf(graph, reader.outputs[0]);
  }
  return scale;
}

/**
 * The range if the network scales pixels itself. Keras' Rescaling and Normalization layers, which are part of its
 * EfficientNet, MobileNetV3 and ConvNeXt, multiply by 1/255, say, or subtract a mean of 120; the networks of TensorFlow Hub
 * turn 0…1 into −1…1. A network that begins by quantising a float input states the range of that input.
 */
function fromFirstOperator(graph: Graph): Normalization | undefined {
  const first = readerOf(graph, graph.inputs[0]);
  if (first?.op === "QUANTIZE") return fromRange(graph.tensors[first.outputs[0]]);
  const scale = scaleOf(graph);
  if (scale === undefined || scale.factor === 0) return undefined;
  // The value of the input that becomes 0: the mean of the pixels, or none if it is 0 as well.
  const centre = -scale.shift / scale.factor;
  if (Math.abs(scale.factor) < 1 / 40 || centre > 2) return PIXELS;
  return centre > 0.2 && centre < 0.8 && scale.factor > 1 ? ZERO_TO_ONE : undefined;
}

/** Whether a mean lies where that of pixels from 0 to `most` does. */
const isMeanOf = (mean: number | undefined, most: number): boolean =>
  mean !== undefined && mean > USUAL_MEAN[0] * most && mean < USUAL_MEAN[1] * most;

/**
 * Whether a converter merged a Rescaling layer into the first convolution: its weights are tiny. A merged offset of −1 shows
 * in the bias, too: it is −127.5 times the sum of the channel's weights.
 */
function hasMergedScale(convolution: FirstConvolution): boolean {
  const { largest, relativeScale, meanInput } = convolution;
  if (largest === 0 || largest > LARGEST_DOUBTFUL) return false;
  return largest <= LARGEST_MERGED || relativeScale < SCALE_MERGED || isMeanOf(meanInput, 255);
}

/**
 * The convention among networks of a kind. In 47 public repositories with networks that show nothing and code that tells, 43
 * use 0…1, pretrained networks of Keras included: most users divide pixels by 255, whatever its preprocess_input() does. Two
 * use 0…255 (see raw-pixels.ts), one −1…1 with MobileNetV2, and one −1…1 with grey pictures: there, the bias of a merged batch
 * normalisation subtracts no mean, as that of −1…1 is about 0.
 */
function conventionOf(graph: Graph, layout: Layout, convolution: FirstConvolution | undefined): Normalization {
  if (layout === "grey") {
    const { relativeScale = 0, showsNoMean = false } = convolution ?? {};
    return relativeScale > SCALE_NORMALISED && showsNoMean ? MINUS_ONE_TO_ONE : ZERO_TO_ONE;
  }
  const isNamed = (pattern: RegExp) => graph.tensors.some(({ name }) => pattern.test(name));
  if (layout.endsWith("planes") || isNamed(FROM_PYTORCH)) return IMAGENET;
  return isNamed(TF_SLIM) ? MINUS_ONE_TO_ONE : ZERO_TO_ONE;
}

/**
 * Whether Teachable Machine made a network: its layers have names of TensorFlow.js, such as dense_Dense1. It always gives
 * −1…1.
 */
const isTeachableMachine = (graph: Graph): boolean => graph.tensors.some(({ name }) => /\bdense_Dense\d/.test(name));

/**
 * @param layout The layout of the network's input.
 * @returns Undefined for quantised inputs that receive the pixels as they are, int8 ones less 128. That is next to nothing off
 *   for all usual ranges but ImageNet's, whose channels have scales of their own.
 */
export function usualNormalization(graph: Graph, layout: Layout): UsualNormalization | undefined {
  const input = graph.tensors[graph.inputs[0]];
  if (input?.type !== "float32") {
    const isImageNet = input?.type === "int8" && fromRange(input) === IMAGENET;
    return isImageNet ? { normalization: IMAGENET, guessed: false } : undefined;
  }
  const first = fromFirstOperator(graph);
  if (first !== undefined) return { normalization: first, guessed: false };
  if (isTeachableMachine(graph)) return { normalization: MINUS_ONE_TO_ONE, guessed: false };
  const convolution = firstConvolution(graph);
  if (convolution !== undefined && hasMergedScale(convolution)) return { normalization: PIXELS, guessed: false };
  return { normalization: conventionOf(graph, layout, convolution), guessed: true };
}
