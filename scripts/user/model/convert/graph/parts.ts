/** Nodes that take parts of values or constants, and put parts together. */
import { joined } from "../layers/merging.ts";
import { sliced } from "../layers/shapes.ts";
import type { Value } from "../network.ts";
import { join, permute, take } from "./fold.ts";
import { isConstant, type NodeCall, type NodeMapper, type Operand } from "./node-call.ts";

/** No classifier has values of more dimensions. */
const MOST_DIMENSIONS = 8;
/** Of a value, also as copies. */
const MOST_PARTS = 1024;

/** The same values in another shape. @throws ConversionError if it has another number of values. */
export function reshaped(call: NodeCall, x: Operand, shape: readonly number[]): Operand {
  if (!isConstant(x)) return call.network.reshape(x, shape);
  if (shape.reduce((a, b) => a * b, 1) !== x.values.length) call.refuse(`turns shape [${x.shape}] into [${shape}]`);
  return { values: x.values, shape };
}

/** Whole numbers from one to another. */
const range = (begin: number, count: number, step = 1): number[] =>
  Array.from({ length: count }, (_, i) => begin + i * step);

/** A part of each axis: `count` indices from `begin`, `step` apart. */
interface Part {
  readonly begin: number;
  readonly count: number;
  readonly step: number;
}

function part(call: NodeCall, x: Operand, parts: readonly Part[]): Operand {
  if (isConstant(x)) {
    return take(
      call,
      x,
      parts.map(({ begin, count, step }) => range(begin, count, step)),
    );
  }
  const [begin, size] = [parts.map((each) => each.begin), parts.map((each) => each.count)];
  if (parts.every(({ step }) => step === 1)) return sliced(call.network, x, begin, size);
  const end = parts.map((each) => each.begin + each.count * each.step);
  // Before the first value lies none: −1 would be the last one.
  const endMask = end.reduce((mask, at, axis) => mask | (at < 0 ? 1 << axis : 0), 0);
  const { network } = call;
  const bounds = [begin, end, parts.map(({ step }) => step)].map((each) => network.integers(each));
  return network.add("STRIDED_SLICE", [x.tensor, ...bounds], size, { beginMask: 0, endMask });
}

/** All of each axis but one. */
const partAlong = (call: NodeCall, x: Operand, axis: number, begin: number, count: number): Operand =>
  part(
    call,
    x,
    x.shape.map((dim, i) => (i === axis ? { begin, count, step: 1 } : { begin: 0, count: dim, step: 1 })),
  );

const slice: NodeMapper = (call) => {
  const x = call.input(0);
  const [begins, sizes] = [call.integers(1, "begins"), call.integers(2, "sizes")];
  const parts = x.shape.map((dim, axis): Part => {
    const begin = begins[axis] ?? -1;
    const count = sizes[axis] === -1 ? dim - begin : (sizes[axis] ?? -1);
    if (begin < 0 || count < 0 || begin + count > dim) call.refuse(`takes [${begins}] and [${sizes}] of [${x.shape}]`);
    return { begin, count, step: 1 };
  });
  return part(call, x, parts);
};

/** One axis of a strided slice, in which negative bounds count from the end. */
function strided(dim: number, begin: number | undefined, end: number | undefined, step: number): Part {
  const [low, high] = step > 0 ? [0, dim] : [-1, dim - 1];
  const bound = (at: number) => Math.min(high, Math.max(low, at < 0 ? at + dim : at));
  const first = begin === undefined ? (step > 0 ? low : high) : bound(begin);
  const last = end === undefined ? (step > 0 ? high : low) : bound(end);
  return { begin: first, count: Math.max(0, Math.ceil((last - first) / step)), step };
}

const stridedSlice: NodeMapper = (call) => {
  const x = call.input(0);
  const [begins, ends, steps] = [call.integers(1, "begins"), call.integers(2, "ends"), call.integers(3, "steps")];
  const mask = (name: string) => call.attributes.integer(`${name}_mask`, 0);
  const [beginMask, endMask, ellipsis, added, shrink] = ["begin", "end", "ellipsis", "new_axis", "shrink_axis"].map(
    mask,
  );
  const places = placesOf(call, begins.length, x.shape.length, ellipsis ?? 0, added ?? 0);
  const parts = x.shape.map((dim, axis): Part => {
    const place = places.indexOf(axis);
    const [has, step] = [(bits = 0) => ((bits >> place) & 1) === 1, steps[place] ?? 1];
    if (place < 0) return { begin: 0, count: dim, step: 1 };
    if (has(shrink))
      return strided(dim, begins[place], (begins[place] ?? 0) === -1 ? undefined : (begins[place] ?? 0) + 1, 1);
    if (step === 0) return call.refuse("has a step of 0");
    return strided(dim, has(beginMask) ? undefined : begins[place], has(endMask) ? undefined : ends[place], step);
  });
  if (parts.some(({ count }) => count < 1) && !isConstant(x)) call.refuse(`takes nothing of [${x.shape}]`);
  const kept = parts.flatMap(({ count }, axis) => {
    const place = places.indexOf(axis);
    return place >= 0 && (((shrink ?? 0) >> place) & 1) === 1 ? [] : [count];
  });
  return reshaped(call, part(call, x, parts), kept);
};

/** The axis that each place of a strided slice is about; −1 for an ellipsis. */
function placesOf(call: NodeCall, count: number, rank: number, ellipsis: number, added: number): readonly number[] {
  if (count > MOST_DIMENSIONS || rank > MOST_DIMENSIONS) call.refuse(`takes a part of ${rank} dimensions`);
  if (added !== 0) call.refuse("adds dimensions to a part");
  const places: number[] = [];
  let axis = 0;
  for (let place = 0; place < count; place++) {
    if ((ellipsis >> place) & 1) {
      places.push(-1);
      axis += rank - (count - 1);
    } else places.push(axis++);
  }
  if (axis > rank) call.refuse(`takes a part of ${axis} of ${rank} dimensions`);
  return places;
}

/** The parts of a value along an axis, one for each output. */
function split(call: NodeCall, x: Operand, axis: number, sizes: readonly number[]): readonly Operand[] {
  if (sizes.length > MOST_PARTS || sizes.some((size) => size < 1))
    call.refuse(`splits into parts of [${sizes.slice(0, 9)}]`);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== x.shape[axis]) call.refuse(`splits [${x.shape}] into parts of [${sizes.slice(0, 9)}]`);
  let begin = 0;
  return sizes.map((size) => {
    begin += size;
    return partAlong(call, x, axis, begin - size, size);
  });
}

const equalParts: NodeMapper = (call) => {
  const x = call.input(1);
  const axis = call.axis(call.integer(0, "axes"), x.shape.length);
  const count = call.attributes.integer("num_split", 1);
  if (count < 1 || count > MOST_PARTS) call.refuse(`splits into ${count} parts`);
  return split(call, x, axis, Array<number>(count).fill((x.shape[axis] ?? 0) / count));
};

const statedParts: NodeMapper = (call) => {
  const x = call.input(0);
  const axis = call.axis(call.integer(2, "axes"), x.shape.length);
  const sizes = call.integers(1, "sizes");
  const known = sizes.filter((size) => size !== -1).reduce((a, b) => a + b, 0);
  return split(
    call,
    x,
    axis,
    sizes.map((size) => (size === -1 ? (x.shape[axis] ?? 0) - known : size)),
  );
};

const unpack: NodeMapper = (call) => {
  const x = call.input(0);
  const axis = call.axis(call.attributes.integer("axis", 0), x.shape.length);
  const rest = x.shape.filter((_, i) => i !== axis);
  const count = x.shape[axis] ?? 0;
  if (count > MOST_PARTS) call.refuse(`gives ${count} values`);
  return split(call, x, axis, Array<number>(count).fill(1)).map((each) => reshaped(call, each, rest));
};

/** Joins operands, of which all are constants or all values. */
function concatenated(call: NodeCall, inputs: readonly Operand[], axis: number): Operand {
  const [first, ...others] = inputs;
  if (first === undefined) return call.refuse("joins nothing");
  const fits = ({ shape }: Operand) =>
    shape.length === first.shape.length && shape.every((dim, i) => i === axis || dim === first.shape[i]);
  if (!others.every(fits)) call.refuse(`joins values of shapes ${inputs.map(({ shape }) => `[${shape}]`).join(", ")}`);
  const constants = inputs.filter(isConstant);
  if (constants.length === inputs.length) return join(call, constants, axis);
  const values = inputs.map((each): Value => {
    if (!isConstant(each)) return each;
    return { tensor: call.network.constant(each.values, each.shape), shape: each.shape };
  });
  return values.length === 1 ? (values[0] ?? first) : joined(call.network, values, axis);
}

const concat: NodeMapper = (call) => {
  const axis = call.axis(call.integer(call.inputs.length - 1, "axes"), call.input(0).shape.length);
  return concatenated(call, call.inputs.slice(0, -1), axis);
};

const pack: NodeMapper = (call) => {
  const { shape } = call.input(0);
  const axis = call.axis(call.attributes.integer("axis", 0), shape.length + 1);
  const parts = call.inputs.map((each) => reshaped(call, each, each.shape.toSpliced(axis, 0, 1)));
  return concatenated(call, parts, axis);
};

const gather: NodeMapper = (call) => {
  const batch = call.attributes.integer("batch_dims", 0);
  if (batch !== 0) call.refuse(`has batch_dims ${batch}, which is not supported`);
  const x = call.constant(0, "values to choose from");
  const indices = call.integers(1, "indices");
  const axis = call.axis(call.inputs.length > 2 ? call.integer(2, "axes") : 0, x.shape.length);
  if (indices.some((index) => index < 0 || index >= (x.shape[axis] ?? 0)))
    call.refuse(`takes [${indices}] of [${x.shape}]`);
  const taken = x.shape.map((dim, i) => (i === axis ? indices : range(0, dim)));
  return reshaped(call, take(call, x, taken), x.shape.toSpliced(axis, 1, ...call.input(1).shape));
};

const transpose: NodeMapper = (call) => {
  const x = call.input(0);
  const order = call.integers(1, "axes");
  if (order.toSorted((a, b) => a - b).join() !== [...x.shape.keys()].join()) {
    call.refuse(`reorders ${x.shape.length} dimensions by [${order}]`);
  }
  if (isConstant(x)) return permute(call, x, order);
  const shape = order.map((axis) => x.shape[axis] ?? 0);
  return call.network.add("TRANSPOSE", [x.tensor, call.network.integers(order)], shape);
};

/** Repeats values along some axes, by joining copies. */
const tile: NodeMapper = (call) => {
  const x = call.input(0);
  const times = call.integers(1, "multiples");
  const copies = times.reduce((a, b) => a * b, 1);
  if (times.length !== x.shape.length || times.some((n) => n < 1) || copies > MOST_PARTS) {
    call.refuse(`repeats [${x.shape}] [${times}] times`);
  }
  return times.reduce<Operand>(
    (value, n, axis) => (n === 1 ? value : concatenated(call, Array<Operand>(n).fill(value), axis)),
    x,
  );
};

export const PARTS: Readonly<Record<string, NodeMapper>> = {
  Slice: slice,
  StridedSlice: stridedSlice,
  Split: equalParts,
  SplitV: statedParts,
  Unpack: unpack,
  ConcatV2: concat,
  Pack: pack,
  Gather: gather,
  GatherV2: gather,
  Transpose: transpose,
  Tile: tile,
};
