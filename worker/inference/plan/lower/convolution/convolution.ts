/** Lowers convolutions, and matrices of weights, which are convolutions without a window. */
import type { Tensor } from "../../../../tflite/graph.ts";
import { bytesOf, sizeOf } from "../../../constants.ts";
import type { Rounding } from "../../pack/multiplier.ts";
import { integersOf, type Source } from "../../pack/panels.ts";
import type { ByteMatrix } from "../../pack/uint8.ts";
import type { KernelStep } from "../../step.ts";
import type { Builder } from "../builder.ts";
import { refuse } from "../parts.ts";
import { type ByteValue, tensorOf, type Value } from "../value.ts";
import * as depthwise from "./depthwise.ts";
import * as gemm from "./gemm.ts";
import { type Convolution, geometryOf } from "./geometry.ts";
import { int16EndsOf, unitOf } from "./output.ts";

/** The largest K at which 32 bits hold any sum of products of bytes. */
const DEEPEST_U8 = 33025;

/** The bias of a convolution, if it has one. */
function biasOf({ graph }: Builder, { inputs: [, , index = -1] }: Convolution): Tensor | undefined {
  return index === -1 ? undefined : tensorOf(graph, index);
}

function floatStep(builder: Builder, operator: Convolution, input: Value, output: Value): KernelStep {
  const filter = tensorOf(builder.graph, operator.inputs[1]);
  const bias = biasOf(builder, operator);
  const int16 = int16EndsOf(input, output);
  const values = {
    bias: bias && builder.real(bias),
    steps: { input: unitOf(input), output: unitOf(output), int16 },
  };
  const geometry = geometryOf(builder, operator, input, output);
  const ends = { operator, input, output, geometry };
  if (operator.form === "depthwise") {
    const [channels, inChannels] = [filter.shape[3], input.tensor.shape[3]];
    const weights = { ...values, weights: builder.real(filter) };
    return depthwise.depthwiseStep(depthwise.F32_KERNELS, { geometry, channels, inChannels, weights }, ends);
  }
  const outChannels = filter.shape[0];
  const reduction = sizeOf(filter.shape) / outChannels;
  const product: gemm.FloatProduct = {
    ...gemm.productOf(builder, input, output, geometry, outChannels, reduction),
    fast: builder.precision === "fast",
    strassen: builder.strassen,
    int16Input: int16.input,
    weights: { ...values, weights: builder.source(filter), outChannels, reduction },
  };
  return gemm.gemmStep(gemm.F32_KERNELS, product, ends);
}

/** A function that computes when it is first called, and gives the same afterwards. */
function once<T>(compute: () => T): () => T {
  let computed: { readonly value: T } | undefined;
  return () => {
    computed ??= { value: compute() };
    return computed.value;
  };
}

/** What the sums are scaled by for each output channel. */
function multipliersOf(filter: Tensor, channels: number, input: ByteValue, output: ByteValue): number[] {
  const scales = filter.quantization?.scale ?? [];
  return Array.from({ length: channels }, (_, channel) => {
    const scale = scales.length === 1 ? scales[0] : scales[channel];
    // TFLite multiplies the scales of uint8 operators as floats, of int8 operators as doubles.
    const product = input.offset === 0 ? Math.fround(input.scale * scale) : input.scale * scale;
    return product / output.scale;
  });
}

/** @returns The zero point of quantised weights. @throws NoPlan unless they are constants of one zero point. */
function zeroOf(builder: Builder, operator: Convolution, filter: Tensor, bias: Tensor | undefined): number {
  const { quantization, type } = filter;
  const axis = operator.form === "depthwise" ? 3 : 0;
  const zeros = new Set(quantization?.zeroPoint);
  if ((type !== "uint8" && type !== "int8") || quantization === undefined || zeros.size !== 1) {
    return refuse(operator, `has ${type} weights that are not quantised alike`);
  }
  const { scale } = quantization;
  if (scale.length !== 1 && (scale.length !== filter.shape[axis] || quantization.axis !== axis)) {
    return refuse(operator, "has weights quantised along another axis");
  }
  if (!builder.isConstant(filter.index) || (bias && !builder.isConstant(bias.index))) {
    return refuse(operator, "has weights that are computed");
  }
  return quantization.zeroPoint[0];
}

/** Whether TFLite rounds halves of int8 as its reference kernels do: away from zero, in the second rounding. */
const roundsAsReference = (operator: Convolution): boolean =>
  operator.form !== "matrix" && operator.options.grouped === true;

function byteStep(builder: Builder, operator: Convolution, input: ByteValue, output: ByteValue): KernelStep {
  const filter = tensorOf(builder.graph, operator.inputs[1]);
  const biasTensor = biasOf(builder, operator);
  const zero = zeroOf(builder, operator, filter, biasTensor);
  const bias = biasTensor && (() => integersOf(biasTensor));
  const channels = filter.shape[operator.form === "depthwise" ? 3 : 0];
  const reduction = sizeOf(filter.shape) / channels;
  const multipliers = multipliersOf(filter, channels, input, output);
  // The scaled sums have to fit 32 bits, whatever the image.
  const most = 2 * 255 * 255 * reduction * Math.max(...multipliers);
  if (reduction > DEEPEST_U8 || most >= 2 ** 31) return refuse(operator, "has sums beyond 32 bits");
  const geometry = geometryOf(builder, operator, input, output);
  const ends = { operator, input, output, geometry };
  const ofCpu = { dot: builder.dot, inputZero: input.zero };
  if (operator.form === "depthwise") {
    const ups = input.offset !== 0 && !roundsAsReference(operator);
    const weights = { weights: () => integersOf(filter, zero), bias, ups };
    const planes = { ...ofCpu, geometry, channels, inChannels: input.tensor.shape[3], weights, multipliers };
    return depthwise.depthwiseStep(depthwise.U8_KERNELS, planes, ends);
  }
  const rounding: Rounding = input.offset === 0 || roundsAsReference(operator) ? "away" : "up";
  const signed = filter.type === "int8";
  const source = (): Source => {
    const { view } = bytesOf(filter);
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    return { bytes, type: signed ? "int8" : "uint8" };
  };
  const weights: ByteMatrix = {
    weights: source,
    zero: signed ? zero + 128 : zero,
    bias,
    multipliers,
    rounding,
    outChannels: channels,
    reduction,
  };
  const product: gemm.ByteProduct = {
    ...gemm.productOf(builder, input, output, geometry, channels, reduction),
    ...ofCpu,
    overflow: once(() => builder.countOverflow(source(), weights)),
    weights,
  };
  return gemm.gemmStep(gemm.U8_KERNELS, product, ends);
}

/** @throws NoPlan if it mixes kinds of numbers that no kernel mixes. */
export function convolutionStep(builder: Builder, operator: Convolution): KernelStep {
  const input = builder.input(operator, 0);
  const output = builder.output(operator);
  if (input.kind === "f32" && output.kind === "f32") return floatStep(builder, operator, input, output);
  if (input.kind === "u8" && output.kind === "u8") return byteStep(builder, operator, input, output);
  return refuse(operator, "mixes floats and integers");
}
