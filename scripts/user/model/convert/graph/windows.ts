/** Windows over images, and nodes that take one value of each. */
import type { PoolOptions } from "../../../../../worker/tflite/options.ts";
import { scaleAndShift } from "../layers/normalization.ts";
import type { Margins } from "../layers/shapes.ts";
import { reduce, windowShape } from "../layers/window.ts";
import type { Value } from "../network.ts";
import { isConstant, type NodeCall, type NodeMapper } from "./node-call.ts";

/** How windows move; margins are [before, after] for each of the four dimensions. */
interface Window {
  readonly padding: "same" | "valid";
  readonly stride: readonly [number, number];
  readonly margins: readonly Margins[];
}

/** TensorFlow's paddings are those of TensorFlow Lite, beside margins that a node states itself. */
export function windowAt(call: NodeCall): Window {
  const padding = call.attributes.text("padding", "VALID");
  const stride = call.attributes.pair("strides");
  if (padding === "SAME" || padding === "VALID") {
    return { padding: padding === "SAME" ? "same" : "valid", stride, margins: [] };
  }
  const sides = call.attributes.integers("explicit_paddings");
  const margins = [0, 1, 2, 3].map((axis): Margins => [sides[2 * axis] ?? -1, sides[2 * axis + 1] ?? -1]);
  const fits = sides.length === 8 && sides.every((margin) => margin >= 0 && margin <= 1 << 16);
  if (padding !== "EXPLICIT" || !fits || [0, 3].some((axis) => margins[axis]?.some((margin) => margin !== 0))) {
    call.refuse(`has padding "${padding.slice(0, 20)}" [${sides.slice(0, 8)}]`);
  }
  return { padding: "valid", stride, margins };
}

const pool =
  (op: "AVERAGE_POOL_2D" | "MAX_POOL_2D"): NodeMapper =>
  (call) => {
    const input = call.image();
    const { margins, ...window } = windowAt(call);
    if (margins.flat().some((margin) => margin > 0)) call.refuse("has explicit paddings");
    const size = call.attributes.pair("ksize");
    const options: PoolOptions = { ...window, size, activation: "NONE" };
    const shape = windowShape(input.shape, size, window, input.shape[3] ?? 0);
    return call.network.add(op, [input.tensor], shape, options);
  };

/** The shape of a value after some of its dimensions were reduced to one number. */
function reducedShape(call: NodeCall, shape: readonly number[], axes: readonly number[]): number[] {
  const keepDims = call.attributes.boolean("keep_dims");
  return shape.flatMap((dim, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [dim]));
}

const axesOf = (call: NodeCall, rank: number): number[] =>
  [...new Set(call.integers(1, "axes").map((axis) => call.axis(axis, rank)))].sort((a, b) => a - b);

const reduced =
  (op: "MEAN" | "REDUCE_MAX" | "SUM", fold?: (values: readonly number[]) => number): NodeMapper =>
  (call) => {
    const x = call.input(0);
    const axes = axesOf(call, x.shape.length);
    const shape = reducedShape(call, x.shape, axes);
    if (!isConstant(x)) return axes.length === 0 ? x : reduce(call.network, op, x, axes, shape);
    if (fold === undefined || axes.length < x.shape.length) return call.refuse("is computed of constants");
    return call.made(shape, () => fold([...x.values]));
  };

const greatest = (values: readonly number[]): number =>
  values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

/** The product of the numbers of a shape. */
const product: NodeMapper = (call) => {
  const { values, shape } = call.constant(0, "factors");
  const axes = axesOf(call, shape.length);
  if (axes.length < shape.length) call.refuse(`multiplies some of the constants of shape [${shape}]`);
  return call.made(reducedShape(call, shape, axes), () => values.reduce((a, b) => a * b, 1));
};

/** (x − mean) / √(variance + ε) · scale + offset; of the further outputs none is for inference. */
const normalization: NodeMapper = (call) => {
  call.attributes.requireChannelsLast();
  const x = call.value(0);
  const [scale, offset, mean, variance] = [1, 2, 3, 4].map((i) => call.constant(i, "statistics").values);
  const channels = x.shape.at(-1);
  if (call.attributes.boolean("is_training") || ![scale, offset, mean, variance].every((v) => v?.length === channels)) {
    call.refuse("takes its statistics from the batch, as in training", "Export the model for inference.");
  }
  const epsilon = call.attributes.number("epsilon", 1e-4);
  const factors = Float64Array.from(variance ?? [], (value, i) => (scale?.[i] ?? 1) / Math.sqrt(value + epsilon));
  const shift = Float32Array.from(mean ?? [], (value, i) => (offset?.[i] ?? 0) - value * (factors[i] ?? 0));
  return scaleAndShift(call.network, x, Float32Array.from(factors), shift);
};

/** The least value is the negative of the greatest negative. */
const least: NodeMapper = (call) => {
  const { network } = call;
  const x = call.value(0);
  const axes = axesOf(call, x.shape.length);
  if (axes.length === 0) return x;
  const negative: Value = network.unary("NEG", x);
  return network.unary("NEG", reduce(network, "REDUCE_MAX", negative, axes, reducedShape(call, x.shape, axes)));
};

/** Places, a block apart, as pictures of their own and back: older converters write dilated convolutions so. */
const blocks =
  (op: "SPACE_TO_BATCH_ND" | "BATCH_TO_SPACE_ND"): NodeMapper =>
  (call) => {
    const x = call.image();
    const [block, margins] = [call.integers(1, "blocks"), call.integers(2, "margins")];
    if (block.length !== 2 || margins.length !== 4) call.refuse(`has blocks of [${block}] with margins [${margins}]`);
    const [batch = 1, , , channels = 1] = x.shape;
    const isForth = op === "SPACE_TO_BATCH_ND";
    const sides = [0, 1].map((i) => {
      const [length, size] = [x.shape[i + 1] ?? 0, block[i] ?? 1];
      const margin = (margins[2 * i] ?? 0) + (margins[2 * i + 1] ?? 0);
      return isForth ? (length + margin) / size : length * size - margin;
    });
    const pictures = (block[0] ?? 1) * (block[1] ?? 1);
    const shape = [isForth ? batch * pictures : batch / pictures, ...sides, channels];
    const operands = [call.network.integers(block), call.network.integers(margins, [2, 2])];
    return call.network.add(op, [x.tensor, ...operands], shape);
  };

export const WINDOWS: Readonly<Record<string, NodeMapper>> = {
  AvgPool: pool("AVERAGE_POOL_2D"),
  MaxPool: pool("MAX_POOL_2D"),
  SpaceToBatchND: blocks("SPACE_TO_BATCH_ND"),
  BatchToSpaceND: blocks("BATCH_TO_SPACE_ND"),
  Mean: reduced("MEAN"),
  Sum: reduced("SUM", (values) => values.reduce((a, b) => a + b, 0)),
  Max: reduced("REDUCE_MAX", greatest),
  Min: least,
  Prod: product,
  FusedBatchNorm: normalization,
  FusedBatchNormV2: normalization,
  FusedBatchNormV3: normalization,
};
