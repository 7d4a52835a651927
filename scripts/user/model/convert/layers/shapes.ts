/** Layers that move values: shapes, margins, and enlargement. */
import { sizeOf } from "../../../../../worker/inference/constants.ts";
import { refuseLayer } from "../errors.ts";
import type { Network, Value } from "../network.ts";
import { imageOf, type Layer, type Mapper, ofOne, requireChannelsLast } from "./layer.ts";

function reshape(network: Network, layer: Layer, x: Value): Value {
  const target = layer.config.numbers("target_shape");
  const known = target.filter((dim) => dim !== -1);
  const rest = sizeOf(x.shape) / sizeOf(known);
  const shape = [1, ...target.map((dim) => (dim === -1 ? rest : dim))];
  if (target.length - known.length > 1 || !shape.every((dim) => Number.isInteger(dim) && dim > 0)) {
    return refuseLayer(layer, `turns shape [${x.shape}] into [${target}], which does not fit`);
  }
  return network.reshape(x, shape);
}

function permute(network: Network, layer: Layer, x: Value): Value {
  const order = [0, ...layer.config.numbers("dims")];
  if (order.toSorted((a, b) => a - b).join() !== [...x.shape.keys()].join()) {
    return refuseLayer(layer, `reorders ${x.shape.length} dimensions by [${order.slice(1)}]`);
  }
  const shape = order.map((axis) => x.shape[axis] ?? 0);
  return network.add("TRANSPOSE", [x.tensor, network.integers(order)], shape);
}

function pad(network: Network, layer: Layer, x: Value): Value {
  imageOf(layer, x);
  return padded(network, x, [[0, 0], ...layer.config.margins("padding"), [0, 0]]);
}

/** How many values are added along a dimension. */
export type Margins = readonly [before: number, after: number];

/** @param op And its further operands and options, where the margins are not of zeros. */
export function padded(
  network: Network,
  x: Value,
  margins: readonly Margins[],
  [op, more = [], options]: readonly [op: string, more?: readonly number[], options?: unknown] = ["PAD"],
): Value {
  if (margins.every(([before, after]) => before === 0 && after === 0)) return x;
  const shape = x.shape.map((dim, axis) => dim + (margins[axis]?.[0] ?? 0) + (margins[axis]?.[1] ?? 0));
  const paddings = network.integers(margins.flat(), [margins.length, 2]);
  return network.add(op, [x.tensor, paddings, ...more], shape, options);
}

/** A part of a value. */
export function sliced(network: Network, x: Value, begin: readonly number[], size: readonly number[]): Value {
  if (size.join() === x.shape.join()) return x;
  return network.add("SLICE", [x.tensor, network.integers(begin), network.integers(size)], size);
}

function crop(network: Network, layer: Layer, x: Value): Value {
  imageOf(layer, x);
  const margins = [[0, 0], ...layer.config.margins("cropping"), [0, 0]] as const;
  const size = x.shape.map((dim, axis) => dim - (margins[axis]?.[0] ?? 0) - (margins[axis]?.[1] ?? 0));
  if (size.some((dim) => dim < 1)) return refuseLayer(layer, `takes more than all of its input [${x.shape}]`);
  return sliced(
    network,
    x,
    margins.map(([before]) => before),
    size,
  );
}

/** Repeats each value `times` times along an axis, by joining copies along a dimension that is added behind it. */
export function repeat(network: Network, x: Value, axis: number, times: number): Value {
  if (times === 1) return x;
  const [outer, length, inner] = [sizeOf(x.shape.slice(0, axis)), x.shape[axis] ?? 1, sizeOf(x.shape.slice(axis + 1))];
  const rows = network.reshape(x, [1, outer * length, inner]);
  const joined = network.add(
    "CONCATENATION",
    Array.from({ length: times }, () => rows.tensor),
    [1, outer * length, inner * times],
    { axis: 2, activation: "NONE" },
  );
  return network.reshape(
    joined,
    x.shape.map((dim, i) => (i === axis ? dim * times : dim)),
  );
}

/** The most copies that are joined; larger factors are no classifier's. */
export const MOST_COPIES = 32;

function upSample(network: Network, layer: Layer, x: Value): Value {
  imageOf(layer, x);
  const interpolation = layer.config.string("interpolation", "nearest");
  if (interpolation !== "nearest")
    return refuseLayer(layer, `has interpolation "${interpolation}"; only "nearest" is supported`);
  const [vertical, horizontal] = layer.config.pair("size", [2, 2]);
  if (Math.max(vertical, horizontal) > MOST_COPIES)
    return refuseLayer(layer, `enlarges by ${vertical} × ${horizontal}`);
  return repeat(network, repeat(network, x, 2, horizontal), 1, vertical);
}

export const SHAPES: Readonly<Record<string, Mapper>> = {
  Flatten: ofOne((network, layer, x) => {
    requireChannelsLast(layer);
    return network.reshape(x, [1, sizeOf(x.shape)]);
  }),
  Reshape: ofOne(reshape),
  Permute: ofOne(permute),
  ZeroPadding2D: ofOne(pad),
  Cropping2D: ofOne(crop),
  UpSampling2D: ofOne(upSample),
};
