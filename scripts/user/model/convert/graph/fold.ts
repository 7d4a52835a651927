/** Constants that are selected from, joined or reordered: mostly the arithmetic by which graphs compute shapes. */
import { sizeOf } from "../../../../../worker/inference/constants.ts";
import type { Constant, NodeCall } from "./node-call.ts";

/** The steps in memory from one index to the next along each axis. */
const stepsOf = (shape: readonly number[]): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** The index along each axis of a place in memory. */
const indexOf = (place: number, shape: readonly number[]): number[] =>
  stepsOf(shape).map((step, axis) => Math.floor(place / step) % (shape[axis] ?? 1));

/** @param indices For each axis those that are taken, in order. */
export function take(call: NodeCall, { values, shape }: Constant, indices: readonly (readonly number[])[]): Constant {
  const steps = stepsOf(shape);
  const made = indices.map(({ length }) => length);
  return call.made(made, (place) => {
    const from = indexOf(place, made).reduce((sum, i, axis) => sum + (indices[axis]?.[i] ?? 0) * (steps[axis] ?? 0), 0);
    return values[from] ?? 0;
  });
}

/** Joins constants along an axis; all their other dimensions are alike. */
export function join(call: NodeCall, parts: readonly Constant[], axis: number): Constant {
  const length = parts.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
  const shape = parts[0]?.shape.map((dim, i) => (i === axis ? length : dim)) ?? [];
  const made = call.made(shape, () => 0);
  const [outer, step] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
  let offset = 0;
  for (const { values } of parts) {
    const own = values.length / outer;
    for (let i = 0; i < outer; i++) made.values.set(values.subarray(i * own, (i + 1) * own), i * step + offset);
    offset += own;
  }
  return made;
}

/** @param order The axis of the constant that becomes each one of the result. */
export function permute(call: NodeCall, { values, shape }: Constant, order: readonly number[]): Constant {
  const steps = stepsOf(shape);
  const made = order.map((axis) => shape[axis] ?? 0);
  return call.made(
    made,
    (place) => values[indexOf(place, made).reduce((sum, i, axis) => sum + i * (steps[order[axis] ?? 0] ?? 0), 0)] ?? 0,
  );
}
