/** Steps for the operators without weights. */

import { activationOf, type KnownOperator, type Tensor } from "../../tflite/graph.ts";
import { bytesOf, integers, sizeOf } from "../constants.ts";
import { type FixedPoint, fixedPoint, multiplyFixed, realOf } from "../fixed-point.ts";
import type { Builder } from "./builder.ts";
import { mustFit, mustHold, mustSlide } from "./fit.ts";
import { NEAR } from "./multiplier.ts";
import { at, f32, type KernelStep, type Packed, packedAt, type Step, type Word } from "./step.ts";
import { type ByteValue, clampOf, NoPlan, rangeOf, sameScale, tensorOf, type Value } from "./value.ts";

type Of<Op extends KnownOperator["op"]> = Extract<KnownOperator, { op: Op }>;

function refuse(operator: KnownOperator, reason: string): never {
  throw new NoPlan(`operator ${operator.index} (${operator.op}) ${reason}`);
}

/** `struct Range` and the float clamp, the end of several structures. */
const limits = (operator: KnownOperator, output: Value): Word[] => {
  const activation = activationOf(operator);
  return [
    ...(output.kind === "u8" ? rangeOf(activation, output) : [0, 0, 0]),
    ...clampOf(activation).map((limit) => f32(limit)),
  ];
};

/** `struct Convert`. */
const convert = (
  kernel: KernelStep["kernel"],
  [input, output]: readonly [Value, Value],
  { scale = 1, zero = 0, limits = [0, 0] }: { scale?: number; zero?: number; limits?: readonly number[] },
  packed?: Packed,
): KernelStep => ({
  kernel,
  ...(packed && { packed }),
  words: [
    at(input.tensor.index),
    at(output.tensor.index),
    output.size,
    packed ? packedAt(0) : 0,
    ...[scale, zero, ...limits].map(f32),
  ],
});

/** A function of bytes as its 256 values. */
function lookUp(input: ByteValue, output: ByteValue, of: (stored: number) => number): KernelStep {
  const packed: Packed = {
    bytes: 256,
    write(view) {
      for (let q = 0; q < 256; q++) view.setUint8(q, Math.min(255, Math.max(0, of(q))));
    },
  };
  return convert("look_up_u8", [input, output], {}, packed);
}

/** Integers at one scale → integers at another. */
function rescale(operator: KnownOperator, input: ByteValue, output: ByteValue): KernelStep {
  const multiplier = fixedPoint(input.scale / output.scale);
  const [zero, low, high] = limitsOfUnary(operator, output);
  return lookUp(input, output, (q) => Math.min(high, Math.max(low, multiplyFixed(q - input.zero, multiplier) + zero)));
}

const limitsOfUnary = (operator: KnownOperator, output: ByteValue): readonly [number, number, number] =>
  rangeOf(operator.op === "RELU" || operator.op === "RELU6" ? operator.op : "NONE", output);

const roundAway = (value: number): number => Math.sign(value) * Math.floor(Math.abs(value) + 0.5);

/** A function of real numbers, for bytes. */
const realLookUp = (input: ByteValue, output: ByteValue, of: (x: number) => number): KernelStep =>
  lookUp(input, output, (q) => roundAway(of((q - input.zero) * input.scale) / output.scale) + output.zero);

/** x → exp(x) / Σ exp(x) along the last dimension. In loops, since what takes a function is ten times slower here. */
function softmax(values: ArrayLike<number>, beta: number): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  const result = new Float64Array(values.length);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    result[i] = Math.exp((values[i] - largest) * beta);
    sum += result[i];
  }
  for (let i = 0; i < values.length; i++) result[i] /= sum;
  return result;
}

function softmaxStep(operator: Of<"SOFTMAX">, input: Value, output: Value): Step {
  const { beta } = operator.options;
  const length = input.tensor.shape.at(-1) ?? 1;
  const rows = input.size / length;
  const each = (run: (buffer: ArrayBufferLike, row: number, from: number, to: number) => void): Step => ({
    from: input.tensor.index,
    to: output.tensor.index,
    run(buffer, from, to) {
      for (let row = 0; row < rows; row++) run(buffer, row * length, from, to);
    },
  });
  if (input.kind === "f32" && output.kind === "f32") {
    return each((buffer, start, from, to) => {
      const values = new Float32Array(buffer, from + 4 * start, length);
      new Float32Array(buffer, to + 4 * start, length).set(softmax(values, beta));
    });
  }
  if (input.kind !== "u8" || output.kind !== "u8") return refuse(operator, "mixes floats and integers");
  return each((buffer, start, from, to) => {
    const result = softmax(new Uint8Array(buffer, from + start, length), beta * input.scale);
    const target = new Uint8ClampedArray(buffer, to + start, length);
    for (let i = 0; i < length; i++) target[i] = Math.floor(result[i] / output.scale + 0.5) + output.zero;
  });
}

function logisticStep(operator: Of<"LOGISTIC">, input: Value, output: Value): Step {
  const logistic = (x: number) => 1 / (1 + Math.exp(-x));
  if (input.kind === "u8" && output.kind === "u8") return realLookUp(input, output, logistic);
  if (input.kind === "u8" || output.kind === "u8") return refuse(operator, "mixes floats and integers");
  return {
    from: input.tensor.index,
    to: output.tensor.index,
    run(buffer, from, to) {
      new Float32Array(buffer, to, output.size).set(new Float32Array(buffer, from, input.size).map(logistic));
    },
  };
}

/**
 * How the second operand is spread over the first: its number of values, after which it repeats, and with how many in a
 * row each goes. Undefined if it does not fit so.
 */
function spreadOf(a: readonly number[], b: readonly number[]): { period: number; run: number } | undefined {
  if (b.length > a.length) return undefined;
  const filled = [...Array.from({ length: a.length - b.length }, () => 1), ...b];
  const first = filled.findIndex((dim) => dim !== 1);
  if (first === -1) return { period: 1, run: 1 };
  const last = filled.findLastIndex((dim) => dim !== 1);
  if (filled.slice(first, last + 1).some((dim, i) => dim !== a[first + i])) return undefined;
  return { period: sizeOf(filled), run: sizeOf(a.slice(last + 1)) };
}

/** A constant operand as the kernel reads it: floats, or bytes with 128 added to int8. */
export function constantOperand(builder: Builder, tensor: Tensor, value: Value): Packed {
  if (value.kind === "f32") {
    const values = builder.real(tensor);
    return {
      bytes: 4 * value.size,
      write(view) {
        new Float32Array(view.buffer, view.byteOffset, value.size).set(values());
      },
    };
  }
  const { view: from, length } = bytesOf(tensor);
  return {
    bytes: length,
    write(view) {
      for (let i = 0; i < length; i++) view.setUint8(i, from.getUint8(i) ^ value.offset);
    },
  };
}

/** The bits that elementwise.c keeps below the point while it adds. */
const LEFT_SHIFT = 20;

/** The multipliers of `struct Elementwise`: a's, b's, the output's; see tensorflow/lite/kernels/add.cc, sub.cc and mul.cc. */
function elementwiseMultipliers(op: string, a: ByteValue, b: ByteValue, output: ByteValue): FixedPoint[] {
  if (op === "MUL") {
    return [0, 0, Math.fround(Math.fround(a.scale * b.scale) / output.scale)].map(fixedPoint);
  }
  const twice = 2 * Math.max(a.scale, b.scale);
  return [a.scale / twice, b.scale / twice, twice / (2 ** LEFT_SHIFT * output.scale)].map(fixedPoint);
}

/** Of elementwise.c. */
const SUM_ERROR = 6;
const LEAST_SHIFT = 17;

/** The signs of a and b, by operation. A product has none: it is not computed in floats. */
const SIGNS = [[1, 1], [1, -1], undefined, [-1, 1]] as const;

/** `in_floats`, `a_factor`, `b_factor` and `offset` of `struct Elementwise`. */
function sumInFloats(
  operation: number,
  [aZero, bZero]: readonly number[],
  output: ByteValue,
  [ofA, ofB, ofSum]: readonly FixedPoint[],
): Word[] {
  const signs = SIGNS[operation];
  if (signs === undefined) return [0, 0, 0, 0];
  const unit = realOf(ofSum) * 2 ** LEFT_SHIFT;
  const [a, b] = [signs[0] * realOf(ofA) * unit, signs[1] * realOf(ofB) * unit];
  const offset = NEAR.base + 0.5 + SUM_ERROR / NEAR.steps + output.zero - a * aZero - b * bZero;
  const inFloats = Math.abs(a) + Math.abs(b) <= 2 && ofSum.shift >= LEAST_SHIFT;
  return [inFloats ? 1 : 0, f32(a), f32(b), f32(offset)];
}

function elementwiseStep(builder: Builder, operator: Of<"ADD" | "SUB" | "MUL">): KernelStep {
  const output = builder.output(operator);
  const operands = operator.inputs.map((index) => builder.value(index));
  // The longer one comes first.
  const swapped = operands[1].size > operands[0].size || builder.isConstant(operator.inputs[0]);
  const [a, b] = swapped ? [operands[1], operands[0]] : operands;
  const spread = spreadOf(a.tensor.shape, b.tensor.shape);
  if (spread === undefined || a.size !== output.size || builder.isConstant(a.tensor.index)) {
    return refuse(operator, `has shapes [${operands[0].tensor.shape}] and [${operands[1].tensor.shape}]`);
  }
  if (a.kind !== output.kind || b.kind !== output.kind) return refuse(operator, "mixes floats and integers");
  const constant = builder.isConstant(b.tensor.index) ? constantOperand(builder, b.tensor, b) : undefined;
  const operation = { ADD: 0, SUB: swapped ? 3 : 1, MUL: 2 }[operator.op];
  const inBytes = (): Word[] | undefined => {
    if (a.kind !== "u8" || b.kind !== "u8" || output.kind !== "u8") return undefined;
    const multipliers = elementwiseMultipliers(operator.op, a, b, output);
    const zeros = [a.zero, b.zero];
    const words = multipliers.flatMap(({ multiplier, shift }) => [multiplier, shift]);
    return [...zeros, ...words, ...sumInFloats(operation, zeros, output, multipliers)];
  };
  const bytes = inBytes();
  return {
    kernel: bytes ? "elementwise_u8" : "elementwise_f32",
    ...(constant && { packed: constant }),
    words: [
      at(a.tensor.index),
      constant ? packedAt(0) : at(b.tensor.index),
      at(output.tensor.index),
      output.size,
      spread.period,
      spread.run,
      operation,
      ...(bytes ?? Array.from({ length: 12 }, () => 0)),
      ...limits(operator, output),
    ],
  };
}

/** subtract, multiplier, shift, divide and add of `struct Pool`. */
function averaging(operator: KnownOperator, input: Value, output: Value): number[] {
  if (input.kind === "f32" || output.kind === "f32") return [0, 0, 0, 0, 0];
  if (operator.op !== "MEAN") {
    if (!sameScale(input, output)) refuse(operator, "pools between different scales");
    return [input.offset, 0, 0, 1, input.offset];
  }
  const [batch, height, width, channels] = input.tensor.shape;
  const overPixels = input.tensor.shape.length === 4 && batch === 1 && output.size === channels;
  if (!operator.options.keepDims || !overPixels) {
    const { multiplier, shift } = fixedPoint(input.scale / output.scale);
    return [input.zero, multiplier, shift, 1, output.zero];
  }
  // TFLite has a kernel of its own for this, Mean of optimized/integer_ops/mean.h: it rounds the zero point's share.
  const share = Math.fround((input.zero - input.offset) * input.scale) / output.scale;
  const bias = output.zero - output.offset - Math.trunc(share + (share > 0 ? 0.5 : -0.5));
  const { multiplier, shift } = fixedPoint(Math.fround(input.scale / (height * width * output.scale)));
  return [input.offset, multiplier, shift, 0, bias + output.offset];
}

/** `struct Pool`. */
function poolStep(
  operator: KnownOperator,
  [input, output]: readonly [Value, Value],
  /** [height, width, channels] */
  size: readonly number[],
  window: readonly number[],
  maximum: boolean,
): KernelStep {
  if (input.kind !== output.kind) return refuse(operator, "mixes floats and integers");
  return {
    kernel: input.kind === "f32" ? "pool_f32" : "pool_u8",
    words: [
      at(input.tensor.index),
      at(output.tensor.index),
      ...size,
      ...window,
      maximum ? 1 : 0,
      ...averaging(operator, input, output),
      ...limits(operator, output),
    ],
  };
}

function windowStep(operator: Of<"AVERAGE_POOL_2D" | "MAX_POOL_2D">, input: Value, output: Value): KernelStep {
  const { size, stride, padding } = operator.options;
  const outer = output.tensor.shape;
  mustSlide(operator, input.tensor.shape, outer, { padding, stride, dilation: [1, 1], window: size });
  mustFit(operator, outer[3] === input.tensor.shape[3]);
  const before = [0, 1].map((axis) => {
    const reach = (outer[1 + axis] - 1) * stride[axis] + size[axis];
    return padding === "same" ? Math.floor(Math.max(0, reach - input.tensor.shape[1 + axis]) / 2) : 0;
  });
  const window = [outer[1], outer[2], ...size, ...stride, ...before];
  return poolStep(operator, [input, output], input.tensor.shape.slice(1), window, operator.op === "MAX_POOL_2D");
}

/** Pixels that a window may have; see pool.c. */
const LARGEST_WINDOW = 65535;

function meanStep(builder: Builder, operator: Of<"MEAN">, input: Value, output: Value): KernelStep {
  const { shape } = input.tensor;
  const given = integers(tensorOf(builder.graph, operator.inputs[1]));
  const axes = [...new Set(given.map((axis) => (axis + shape.length) % shape.length))].sort((a, b) => a - b);
  const [first = 0, last = -1] = [axes[0], axes.at(-1)];
  const window = sizeOf(shape.slice(first, last + 1));
  if (last - first + 1 !== axes.length || axes.length === 0 || window > LARGEST_WINDOW) {
    return refuse(operator, `goes over the axes ${given} of [${shape}]`);
  }
  // Seen as an image whose rows are averaged: what comes before the axes is its height, what comes behind its channels.
  const [rows, channels] = [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(last + 1))];
  mustHold(operator, output.tensor.shape, rows * channels);
  return poolStep(operator, [input, output], [rows, window, channels], [rows, 1, 1, window, 1, 1, 0, 0], false);
}

function quantizeStep(operator: Of<"QUANTIZE">, input: Value, output: Value): KernelStep {
  if (output.kind !== "u8") return refuse(operator, "has a float output");
  if (input.kind === "u8") return rescale(operator, input, output);
  const how = { scale: 1 / output.scale, zero: output.zero, limits: [0, 255] };
  return convert("quantize_u8", [input, output], how);
}

function rectifyStep(operator: Of<"RELU" | "RELU6">, input: Value, output: Value): KernelStep {
  if (input.kind === "u8" && output.kind === "u8") return rescale(operator, input, output);
  if (input.kind === "u8" || output.kind === "u8") return refuse(operator, "mixes floats and integers");
  return convert("clamp_values_f32", [input, output], { limits: clampOf(operator.op) });
}

function hardSwishStep(operator: Of<"HARD_SWISH">, input: Value, output: Value): KernelStep {
  if (input.kind === "u8" && output.kind === "u8") {
    return realLookUp(input, output, (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6);
  }
  if (input.kind === "u8" || output.kind === "u8") return refuse(operator, "mixes floats and integers");
  return convert("hard_swish_f32", [input, output], {});
}

/** Operators whose output has as many values as their input. */
const VALUE_BY_VALUE: ReadonlySet<string> = new Set([
  "SOFTMAX",
  "LOGISTIC",
  "QUANTIZE",
  "DEQUANTIZE",
  "RELU",
  "RELU6",
  "HARD_SWISH",
]);

/** @throws NoPlan if no kernel does what this operator asks for. */
export function otherStep(builder: Builder, operator: KnownOperator): Step {
  if (operator.op === "ADD" || operator.op === "SUB" || operator.op === "MUL") {
    return elementwiseStep(builder, operator);
  }
  const input = builder.input(operator, 0);
  const output = builder.output(operator);
  if (VALUE_BY_VALUE.has(operator.op)) mustHold(operator, output.tensor.shape, input.size);
  switch (operator.op) {
    case "AVERAGE_POOL_2D":
    case "MAX_POOL_2D":
      return windowStep(operator, input, output);
    case "MEAN":
      return meanStep(builder, operator, input, output);
    case "SOFTMAX":
      return softmaxStep(operator, input, output);
    case "LOGISTIC":
      return logisticStep(operator, input, output);
    case "QUANTIZE":
      return quantizeStep(operator, input, output);
    case "DEQUANTIZE":
      if (input.kind !== "u8" || output.kind !== "f32") return refuse(operator, "is of kinds that no kernel takes");
      return convert("dequantize_u8", [input, output], { scale: input.scale, zero: input.zero });
    case "RELU":
    case "RELU6":
      return rectifyStep(operator, input, output);
    case "HARD_SWISH":
      return hardSwishStep(operator, input, output);
    default:
      return refuse(operator, "has no kernel");
  }
}
