/** Steps for convolutions, and for matrices of weights, which are convolutions without a window. */
import type { Operator } from "../../tflite/graph.ts";
import type { Activated, ConvOptions } from "../../tflite/options.ts";
import { bytesOf, sizeOf } from "../constants.ts";
import { type Builder, scratchLayout } from "./builder.ts";
import { mustFit, mustHold, mustSlide } from "./fit.ts";
import {
  COLUMN_BYTES,
  type ConvKernel,
  DEPTHWISE_SPARE_BYTES,
  type DepthwiseKernel,
  DOT_SPARE_BYTES,
  DOT_TAPS,
  PAIRS_TILE_ROWS,
  PLANE_GAP,
  PLANES,
  type Range,
  TILE_ROWS,
} from "./layouts.ts";
import {
  type ByteMatrix,
  canBeParted,
  DEEPEST_I16,
  depthwiseRounding,
  integersOf,
  packBytesAsI16,
  packBytesAsPairs,
  packBytesForDot,
  packDepthwiseBytes,
  packDepthwiseFloats,
  packDepthwiseForDot,
  packFloats,
  packFloatsAsI16,
  type Rounding,
  type Source,
} from "./pack.ts";
import { NO_RANGE } from "./parts.ts";
import { at, type KernelStep, packedAt } from "./step.ts";
import { fitsStrassen, LARGEST_WEIGHT, paysStrassen, strassenBlock, strassenBytes } from "./strassen.ts";
import { type ByteValue, clampOf, NoPlan, rangeOf, SHORT_STEP, tensorOf, type Value } from "./value.ts";

/** A convolution of all channels. */
interface Dense extends Operator<ConvOptions> {
  readonly form: "dense";
}
/** A convolution of each channel for itself. */
interface Depthwise extends Operator<ConvOptions> {
  readonly form: "depthwise";
}
/** Weights [outputs, inputs] without a window. */
interface Matrix extends Operator<Activated> {
  readonly form: "matrix";
}
export type Convolution = Dense | Depthwise | Matrix;
type Pair = readonly [vertical: number, horizontal: number];

/** How an output pixel lies over the input. */
interface Geometry {
  readonly input: Pair;
  readonly output: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Padding above and to the left. */
  readonly before: Pair;
}

/** Bytes of a matrix block that stay in the cache while the weights pass by. */
const BLOCK_BYTES = { f32: 256 << 10, i16: 128 << 10, u8: 64 << 10 };
/** Bytes of the planes that a depthwise convolution goes over at a time. */
const PADDED_BYTES = 96 << 10;
/** Depths up to which 32 bits hold any sum of products of bytes. */
const DEEPEST_U8 = 33025;

const window = ({ kernel, stride, dilation, before }: Geometry) => ({
  kernelHeight: kernel[0],
  kernelWidth: kernel[1],
  strideY: stride[0],
  strideX: stride[1],
  dilationY: dilation[0],
  dilationX: dilation[1],
  top: before[0],
  left: before[1],
});

function geometryOf(builder: Builder, operator: Convolution, input: Value, output: Value): Geometry {
  const filter = tensorOf(builder.graph, operator.inputs[1]).shape;
  const columns = filter[operator.form === "depthwise" ? 3 : 0];
  const bias = operator.inputs[2] ?? -1;
  if (bias !== -1) mustHold(operator, tensorOf(builder.graph, bias).shape, columns);
  if (operator.form === "matrix") {
    mustFit(operator, filter.length === 2 && output.size % columns === 0);
    mustHold(operator, input.tensor.shape, (output.size / columns) * filter[1]);
    const one: Pair = [1, 1];
    return { input: one, output: one, kernel: one, stride: one, dilation: one, before: [0, 0] };
  }
  const { stride, dilation, padding } = operator.options;
  const [batch, ...size] = input.tensor.shape;
  if (batch !== 1) throw new NoPlan(`operator ${operator.index} (${operator.op}) has a batch of ${batch}`);
  const outer = output.tensor.shape;
  const padded = tensorOf(builder.graph, operator.inputs[0]).shape;
  mustSlide(operator, padded, outer, { ...operator.options, window: filter.slice(1, 3) });
  mustFit(operator, outer[3] === columns && (operator.form === "dense" || filter[0] === 1));
  const before = [0, 1].map((axis) => {
    const reach = (outer[1 + axis] - 1) * stride[axis] + (filter[1 + axis] - 1) * dilation[axis] + 1;
    const same = padding === "same" ? Math.floor(Math.max(0, reach - size[axis]) / 2) : 0;
    return same + (builder.padding(operator.inputs[0])?.[axis] ?? 0);
  });
  return {
    input: [size[0], size[1]],
    output: [outer[1], outer[2]],
    kernel: [filter[1], filter[2]],
    stride,
    dilation,
    before: [before[0], before[1]],
  };
}

/** Whether the input is not the matrix as it stands. */
function gathers(operator: Convolution, { kernel, stride, before }: Geometry): boolean {
  const plain = [...kernel, ...stride].every((n) => n === 1) && before.every((n) => n === 0);
  return operator.form !== "matrix" && !plain;
}

/** `wide` of conv_u8_dot.c: struct DotSpare, an offset for each row, and the rows, by fours. */
const interleavedBytes = (rows: number, depth: number): number =>
  DOT_SPARE_BYTES + 4 * Math.ceil(rows / 4) * (4 + 4 * Math.ceil(depth / 4));

function convStep(
  kernel: ConvKernel,
  operator: Convolution,
  parts: {
    input: Value;
    output: Value;
    geometry: Geometry;
    columns: number;
    depth: number;
    packed: KernelStep["packed"];
    weightsZero: number;
    rounding: Rounding;
  },
): KernelStep {
  const { input, output, geometry, columns, depth, packed, weightsZero, rounding } = parts;
  const rows = output.size / columns;
  const short = shortness(input, output);
  const strassen = kernel === "conv_f32_strassen";
  const inShorts = strassen || kernel === "conv_f32_i16";
  const wide = inShorts || kernel === "conv_u8_wide";
  const budget = wide ? BLOCK_BYTES.i16 / 2 : BLOCK_BYTES[input.kind] / (input.kind === "f32" ? 4 : 1);
  const tile = kernel === "conv_u8_pairs" ? PAIRS_TILE_ROWS : TILE_ROWS;
  const block = strassen
    ? strassenBlock({ rows, depth, columns })
    : Math.min(rows, Math.max(1, Math.floor(budget / depth / tile)) * tile);
  const gather = gathers(operator, geometry);
  const element = inShorts ? 2 : input.kind === "f32" ? 4 : 1;
  const filled = wide ? 2 * Math.ceil(depth / 2) : depth;
  const widens = wide && !short.input && !(inShorts && gather);
  const scratch = scratchLayout([
    gather ? block * filled * element : 0,
    // Else a scale for each row, and the rows in 16 bits.
    kernel === "conv_u8_dot" ? interleavedBytes(block, depth) : 4 * block + (widens ? block * filled * 2 : 0),
    inShorts && gather && !short.input ? 2 * input.size : 0,
    strassen ? strassenBytes({ rows, depth, columns }, block) : 0,
  ]);
  const [patches, rest, whole, operands] = scratch.places;
  const channels = operator.form === "matrix" ? depth : (input.tensor.shape.at(-1) ?? 0);
  const [low, high] = clampIn(operator, output);
  return {
    kernel,
    ...(packed && { packed }),
    scratch: scratch.bytes,
    parameters: {
      input: at(input.tensor.index),
      weights: packedAt(0),
      output: at(output.tensor.index),
      patches,
      wide: rest,
      rows,
      depth,
      columns,
      block,
      gather: gather ? 1 : 0,
      inHeight: geometry.input[0],
      inWidth: geometry.input[1],
      inChannels: channels,
      outWidth: geometry.output[1],
      ...window(geometry),
      inputZero: input.kind === "u8" ? input.zero : 0,
      weightsZero,
      ...roundingOf(operator, output, rounding),
      low,
      high,
      shortInput: short.input ? 1 : 0,
      shortOutput: short.output ? 1 : 0,
      whole,
      operands,
    },
  };
}

/** Of a quantised output its range, and whether halves of negative sums that go away from zero can be seen. */
function roundingOf(operator: Convolution, output: Value, rounding: Rounding): { range: Range; signs: number } {
  if (output.kind === "f32") return { range: NO_RANGE, signs: 0 };
  const range = rangeOf(operator.options.activation, output);
  return { range, signs: rounding === "away" && range.low < range.zero ? 1 : 0 };
}

const isShort = (value: Value): boolean => value.kind === "f32" && value.short;
const shortness = (input: Value, output: Value) => ({ input: isShort(input), output: isShort(output) });

/** The clamp of the output in its own steps. */
const clampIn = (operator: Convolution, output: Value): number[] =>
  clampOf(operator.options.activation).map((limit) => limit / stepOf(output));

/** What a value of one is in the memory of a float tensor, inverted. */
const stepOf = (value: Value): number => (isShort(value) ? SHORT_STEP : 1);

/** Whether depthwise_u8_dot.c can. */
function goesByDot({ kernel, stride, dilation }: Geometry, input: Value, output: Value): boolean {
  const single = input.tensor.shape[3] === output.tensor.shape[3];
  return single && dilation[1] === 1 && (kernel[1] <= DOT_TAPS || DOT_TAPS % stride[1] === 0);
}

/** Scratch of depthwise_u8_dot.c: struct DepthwiseSpare, and as many rows of 16 channels as two rows of output reach over. */
function ringBytes({ kernel, output, stride, dilation }: Geometry): number {
  const columns = output[1] + (Math.ceil(kernel[1] / DOT_TAPS) - 1) * Math.floor(DOT_TAPS / stride[1]);
  const rows = (kernel[0] - 1) * dilation[0] + 1 + stride[0];
  return DEPTHWISE_SPARE_BYTES + rows * 4 * columns * COLUMN_BYTES;
}

function depthwiseStep(
  name: DepthwiseKernel,
  operator: Depthwise,
  input: Value,
  output: Value,
  geometry: Geometry,
  packed: KernelStep["packed"],
): KernelStep {
  const channels = output.tensor.shape[3];
  const inChannels = input.tensor.shape[3];
  const { kernel, output: size, stride, dilation } = geometry;
  const paddedWidth = (size[1] - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1;
  const rowBytes = PLANES * paddedWidth * COLUMN_BYTES;
  const reach = (kernel[0] - 1) * dilation[0] + 1;
  const fitting = Math.floor((PADDED_BYTES / rowBytes - reach) / stride[0]) + 1;
  const block = Math.min(size[0], Math.max(1, fitting));
  const planes = rowBytes * ((block - 1) * stride[0] + reach) + PLANES * PLANE_GAP;
  const scratch = scratchLayout([name === "depthwise_u8_dot" ? ringBytes(geometry) : planes]);
  const [low, high] = clampIn(operator, output);
  const short = shortness(input, output);
  // Away from zero if of any channel: of the last, if not of all.
  const rounding = depthwiseRounding(output.kind === "u8" && output.offset !== 0, channels - 1, channels);
  return {
    kernel: name,
    ...(packed && { packed }),
    scratch: scratch.bytes,
    parameters: {
      input: at(input.tensor.index),
      weights: packedAt(0),
      output: at(output.tensor.index),
      planes: scratch.places[0],
      inHeight: geometry.input[0],
      inWidth: geometry.input[1],
      inChannels,
      outHeight: size[0],
      outWidth: size[1],
      channels,
      ...window(geometry),
      multiplier: channels / inChannels,
      block,
      paddedWidth,
      inputZero: input.kind === "u8" ? input.zero : 0,
      ...roundingOf(operator, output, rounding),
      low,
      high,
      shortInput: short.input ? 1 : 0,
      shortOutput: short.output ? 1 : 0,
    },
  };
}

function floatStep(builder: Builder, operator: Convolution, input: Value, output: Value): KernelStep {
  const filter = tensorOf(builder.graph, operator.inputs[1]);
  const biasIndex = operator.inputs[2] ?? -1;
  const biasTensor = biasIndex === -1 ? undefined : tensorOf(builder.graph, biasIndex);
  const values = {
    bias: biasTensor && builder.real(biasTensor),
    steps: { input: stepOf(input), output: stepOf(output), short: shortness(input, output) },
  };
  const geometry = geometryOf(builder, operator, input, output);
  const size = sizeOf(filter.shape);
  if (operator.form === "depthwise") {
    const channels = filter.shape[3];
    return depthwiseStep(
      "depthwise_f32",
      operator,
      input,
      output,
      geometry,
      packDepthwiseFloats({ ...values, weights: builder.real(filter) }, size / channels, channels),
    );
  }
  const columns = filter.shape[0];
  const depth = size / columns;
  const matrix = { ...values, weights: builder.source(filter), columns, depth };
  const parts = { input, output, geometry, columns, depth, weightsZero: 0, rounding: "away" as const };
  if (builder.precision !== "fast" || depth > DEEPEST_I16) {
    return convStep("conv_f32", operator, { ...parts, packed: packFloats(matrix) });
  }
  const chosen = { always: fitsStrassen, pays: paysStrassen, never: () => false }[builder.strassen];
  if (!gathers(operator, geometry) && chosen({ rows: output.size / columns, depth, columns })) {
    return convStep("conv_f32_strassen", operator, { ...parts, packed: packFloatsAsI16(matrix, LARGEST_WEIGHT) });
  }
  return convStep("conv_f32_i16", operator, { ...parts, packed: packFloatsAsI16(matrix) });
}

/** What the sums are scaled by for each output channel. */
function multipliersOf(filter: Value["tensor"], channels: number, input: ByteValue, output: ByteValue): number[] {
  const scales = filter.quantization?.scale ?? [];
  return Array.from({ length: channels }, (_, channel) => {
    const scale = scales.length === 1 ? scales[0] : scales[channel];
    // TFLite multiplies the scales of uint8 operators as floats, of int8 operators as doubles.
    const product = input.offset === 0 ? Math.fround(input.scale * scale) : input.scale * scale;
    return product / output.scale;
  });
}

function byteStep(builder: Builder, operator: Convolution, input: ByteValue, output: ByteValue): KernelStep {
  const { graph } = builder;
  const filter = tensorOf(graph, operator.inputs[1]);
  const { quantization, type } = filter;
  const depthwise = operator.form === "depthwise";
  const channels = filter.shape[depthwise ? 3 : 0];
  const one = quantization?.scale.length === 1;
  const zeros = new Set(quantization?.zeroPoint);
  if ((type !== "uint8" && type !== "int8") || quantization === undefined || zeros.size !== 1) {
    throw new NoPlan(`operator ${operator.index} (${operator.op}) has ${type} weights that are not quantised alike`);
  }
  if (!one && (quantization.scale.length !== channels || quantization.axis !== (depthwise ? 3 : 0))) {
    throw new NoPlan(`operator ${operator.index} (${operator.op}) has weights quantised along another axis`);
  }
  const biasIndex = operator.inputs[2] ?? -1;
  const biasTensor = biasIndex === -1 ? undefined : tensorOf(graph, biasIndex);
  const zero = quantization.zeroPoint[0];
  if (!builder.isConstant(filter.index) || (biasTensor && !builder.isConstant(biasTensor.index))) {
    throw new NoPlan(`operator ${operator.index} (${operator.op}) has weights that are computed`);
  }
  const bias = biasTensor && (() => integersOf(biasTensor));
  const depth = sizeOf(filter.shape) / channels;
  const multipliers = multipliersOf(filter, channels, input, output);
  // The scaled sums have to fit 32 bits, whatever the image.
  const most = 2 * 255 * 255 * depth * Math.max(...multipliers);
  if (depth > DEEPEST_U8 || most >= 2 ** 31) {
    throw new NoPlan(`operator ${operator.index} (${operator.op}) has sums beyond 32 bits`);
  }
  const geometry = geometryOf(builder, operator, input, output);
  if (depthwise) {
    const values = { weights: () => integersOf(filter, zero), bias, signed: input.offset !== 0 };
    if (builder.dot && goesByDot(geometry, input, output) && canBeParted(values.weights())) {
      const packed = packDepthwiseForDot(values, multipliers, geometry.kernel, input.zero);
      return depthwiseStep("depthwise_u8_dot", operator, input, output, geometry, packed);
    }
    const packed = packDepthwiseBytes(values, multipliers, depth);
    return depthwiseStep("depthwise_u8", operator, input, output, geometry, packed);
  }
  const rounding: Rounding = input.offset === 0 ? "away" : "up";
  const weights = (): Source => {
    const { view } = bytesOf(filter);
    return { bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength), type };
  };
  const stored = type === "uint8" ? zero : zero + 128;
  const matrix: ByteMatrix = { weights, zero: stored, bias, multipliers, rounding, columns: channels, depth };
  const parts = { input, output, geometry, columns: channels, depth, weightsZero: stored - 128, rounding };
  if (builder.dot) {
    return convStep("conv_u8_dot", operator, { ...parts, packed: packBytesForDot(matrix, input.zero) });
  }
  const residues = builder.residuesOf(weights(), matrix);
  if (residues !== undefined) {
    return convStep("conv_u8_pairs", operator, { ...parts, packed: packBytesAsPairs(matrix, residues, input.zero) });
  }
  return convStep("conv_u8_wide", operator, { ...parts, packed: packBytesAsI16(matrix) });
}

/** @throws NoPlan if it mixes kinds of numbers that no kernel mixes. */
export function convolutionStep(builder: Builder, operator: Convolution): KernelStep {
  const input = builder.input(operator, 0);
  const output = builder.output(operator);
  if (input.kind === "f32" && output.kind === "f32") return floatStep(builder, operator, input, output);
  if (input.kind === "u8" && output.kind === "u8") return byteStep(builder, operator, input, output);
  throw new NoPlan(`operator ${operator.index} (${operator.op}) mixes floats and integers`);
}
