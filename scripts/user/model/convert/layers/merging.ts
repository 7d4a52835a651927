/** Layers that combine several values. */
import { refuseLayer } from "../errors.ts";
import type { Network, Value } from "../network.ts";
import { axisOf, type Mapper } from "./layer.ts";

/** Combines the first two values, then the result with the third, and so on. */
const chain =
  (op: string, least = 1): Mapper =>
  (network, layer, [first, ...others]) => {
    if (first === undefined || others.length + 1 < least) return refuseLayer(layer, "has too few inputs");
    return others.reduce((result, value) => network.binary(op, result, value), first);
  };

const average: Mapper = (network, layer, inputs) => {
  const sum = chain("ADD")(network, layer, inputs);
  return network.withConstant("MUL", sum, 1 / inputs.length);
};

const concatenate: Mapper = (network, layer, inputs) => {
  const [first, ...others] = inputs;
  if (first === undefined) return refuseLayer(layer, "has no inputs");
  if (others.length === 0) return first;
  const axis = axisOf(layer, "axis", -1, first.shape.length);
  const fits = ({ shape }: Value) =>
    shape.length === first.shape.length && shape.every((dim, i) => i === axis || dim === first.shape[i]);
  if (!others.every(fits)) {
    return refuseLayer(layer, `joins values of shapes ${inputs.map(({ shape }) => `[${shape}]`).join(", ")}`);
  }
  return joined(network, inputs, axis);
};

/** Joins values along an axis; all their other dimensions are alike. */
export function joined(network: Network, inputs: readonly Value[], axis: number): Value {
  const length = inputs.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
  const shape = inputs[0]?.shape.map((dim, i) => (i === axis ? length : dim)) ?? [];
  return network.add(
    "CONCATENATION",
    inputs.map(({ tensor }) => tensor),
    shape,
    { axis, activation: "NONE" },
  );
}

export const MERGING: Readonly<Record<string, Mapper>> = {
  Add: chain("ADD"),
  Subtract: chain("SUB", 2),
  Multiply: chain("MUL"),
  Maximum: chain("MAXIMUM"),
  Minimum: chain("MINIMUM"),
  Average: average,
  Concatenate: concatenate,
};
