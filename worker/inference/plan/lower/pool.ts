/** Steps for what is computed of windows, or of all values along some dimensions. */
import type { Operator } from "../../../tflite/graph.ts";
import type { PoolOptions, ReductionOptions } from "../../../tflite/options.ts";
import { integers, sizeOf } from "../../constants.ts";
import { type FixedPoint, fixedPoint } from "../../fixed-point.ts";
import type { HostCall } from "../host.ts";
import { type Pool, PoolOperation } from "../layouts.ts";
import { at, type KernelStep, type Step } from "../step.ts";
import type { Builder } from "./builder.ts";
import { mustFit, mustHold, mustSlide } from "./fit.ts";
import { limits, refuse } from "./parts.ts";
import { type ByteValue, rangeOf, sameScale, tensorOf, type Value } from "./value.ts";

/**
 * A multiplier by which sums of `count` become means, as PrepareMeanOrSum of tensorflow/lite/kernels/reduce.cc folds the
 * count into it: rounded down, and with as many bits as the count has.
 */
function overCount({ multiplier, shift }: FixedPoint, count: number): FixedPoint {
  const bits = Math.min(Math.floor(Math.log2(count)), 32, 31 - shift);
  return { multiplier: Number((BigInt(multiplier) << BigInt(bits)) / BigInt(count)), shift: shift + bits };
}

/** A window of `height` by `width`, and where it stands. */
type Window = Pick<Pool, "outHeight" | "outWidth" | "height" | "width" | "strideY" | "strideX" | "top" | "left">;

/** What a mean is made of. */
interface Mean {
  /** The number of values. */
  readonly count: number;
  /** Whether they are those of an image's height and width, which stay as dimensions. */
  readonly overImage: boolean;
}

type Averaging = Pick<Pool, "subtract" | "multiplier" | "shift" | "divide" | "add" | "up">;

const NO_AVERAGING: Averaging = { subtract: 0, multiplier: 0, shift: 0, divide: 0, add: 0, up: 0 };

/** How averages of bytes are made. */
function averaging(operator: Operator, input: Value, output: Value, mean: Mean | undefined): Averaging {
  if (input.kind === "f32" || output.kind === "f32") return NO_AVERAGING;
  if (mean === undefined) {
    if (!sameScale(input, output)) refuse(operator, "pools between different scales");
    return { ...NO_AVERAGING, subtract: input.offset, divide: 1, add: input.offset };
  }
  if (!mean.overImage) {
    const { multiplier, shift } = overCount(fixedPoint(input.scale / output.scale), mean.count);
    return { subtract: input.zero, multiplier, shift, divide: 0, add: output.zero, up: 0 };
  }
  // TFLite has a kernel of its own for this, Mean of optimized/integer_ops/mean.h: it rounds the zero point's share, and
  // of int8 does sixteen channels at a time by instructions that round halves up.
  const share = Math.fround((input.zero - input.offset) * input.scale) / output.scale;
  const bias = output.zero - output.offset - Math.trunc(share + (share > 0 ? 0.5 : -0.5));
  const { multiplier, shift } = fixedPoint(Math.fround(input.scale / (mean.count * output.scale)));
  const up = input.offset === 0 ? 0 : output.size - (output.size % 16);
  return { subtract: input.offset, multiplier, shift, divide: 0, add: bias + output.offset, up };
}

function poolStep(
  operator: Operator,
  operation: PoolOperation,
  [input, output]: readonly [Value, Value],
  [inHeight, inWidth, channels]: readonly number[],
  window: Window,
  mean?: Mean,
): KernelStep {
  if (input.kind !== output.kind) return refuse(operator, "mixes floats and integers");
  return {
    kernel: input.kind === "f32" ? "f32_pool" : "qu8_pool",
    parameters: {
      input: at(input.tensor.index),
      output: at(output.tensor.index),
      inHeight,
      inWidth,
      channels,
      ...window,
      operation,
      ...averaging(operator, input, output, mean),
      ...limits(operator, output),
    },
  };
}

/** @throws NoPlan if the shapes do not fit each other. */
export function windowStep(builder: Builder, operator: Operator<PoolOptions>, operation: PoolOperation): KernelStep {
  const [input, output] = [builder.input(operator, 0), builder.output(operator)];
  const { size, stride, padding } = operator.options;
  const outer = output.tensor.shape;
  mustSlide(operator, input.tensor.shape, outer, { padding, stride, dilation: [1, 1], window: size });
  mustFit(operator, outer[3] === input.tensor.shape[3]);
  const before = (axis: number) => {
    const reach = (outer[1 + axis] - 1) * stride[axis] + size[axis];
    return padding === "same" ? Math.floor(Math.max(0, reach - input.tensor.shape[1 + axis]) / 2) : 0;
  };
  const window = {
    outHeight: outer[1],
    outWidth: outer[2],
    height: size[0],
    width: size[1],
    strideY: stride[0],
    strideX: stride[1],
    top: before(0),
    left: before(1),
  };
  return poolStep(operator, operation, [input, output], input.tensor.shape.slice(1), window);
}

/** Pixels that a window may have; see pool.c. */
const LARGEST_WINDOW = 65535;

/** Sums of bytes, which TFLite scales as floats: QuantizedMeanOrSum of reference_ops. */
function byteSumStep(
  [input, output]: readonly [ByteValue, ByteValue],
  [rows, window, channels]: readonly number[],
): HostCall {
  const { fround } = Math;
  const scale = fround(input.scale / output.scale);
  const bias = fround(fround((input.offset - input.zero) * scale) * window);
  const { zero, low, high } = rangeOf("NONE", output);
  const parameters = { rows, window, channels, offset: input.offset, scale, bias, zero, low, high };
  return { host: "sum_u8", from: input.tensor.index, to: output.tensor.index, parameters };
}

/** @throws NoPlan unless the axes are neighbours. */
export function reductionStep(builder: Builder, operator: Operator<ReductionOptions>, operation: PoolOperation): Step {
  const [input, output] = [builder.input(operator, 0), builder.output(operator)];
  const { shape } = input.tensor;
  const given = integers(tensorOf(builder.graph, operator.inputs[1]));
  const axes = [...new Set(given.map((axis) => (axis + shape.length) % shape.length))].sort((a, b) => a - b);
  const [first = 0, last = -1] = [axes[0], axes.at(-1)];
  const window = sizeOf(shape.slice(first, last + 1));
  if (last - first + 1 !== axes.length || axes.length === 0 || window > LARGEST_WINDOW) {
    return refuse(operator, `goes over the axes ${given} of [${shape}]`);
  }
  // Seen as an image whose rows are reduced: what comes before the axes is its height, what comes behind its channels.
  const [rows, channels] = [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(last + 1))];
  mustHold(operator, output.tensor.shape, rows * channels);
  const size = [rows, window, channels];
  if (operation === PoolOperation.sum && input.kind === "u8" && output.kind === "u8")
    return byteSumStep([input, output], size);
  const overImage = operator.options.keepDims && shape.length === 4 && axes.join() === "1,2";
  const mean = operation === PoolOperation.average ? { count: window, overImage } : undefined;
  const whole = { outHeight: rows, outWidth: 1, height: 1, width: window, strideY: 1, strideX: 1, top: 0, left: 0 };
  return poolStep(operator, operation, [input, output], size, whole, mean);
}
