/** Steps for what takes values from places that are not adjacent: slices, transpositions, mirrored edges. */
import type { Operator } from "../../../tflite/graph.ts";
import { integers, sizeOf } from "../../constants.ts";
import { pairsOf } from "../../pairs.ts";
import { COPY_LEVELS } from "../layouts.ts";
import { at, type KernelStep, type Packed, packedAt } from "../step.ts";
import type { Builder } from "./builder.ts";
import { mustFit, mustHold } from "./fit.ts";
import { refuse } from "./parts.ts";
import { sameScale, tensorOf, type Value } from "./value.ts";

/** What a copy is of and where it goes. */
interface Ends {
  readonly input: Value;
  readonly output: Value;
  /** The input, where it does not change. */
  readonly constant?: Packed | undefined;
}

/** Places along a dimension: which is the first, how many there are, and how far one is from the next. */
interface Places {
  readonly first: number;
  readonly count: number;
  readonly step: number;
}

/** A dimension of what is copied, its first value left out; steps in values. */
interface Level {
  readonly count: number;
  readonly inStep: number;
  readonly outStep: number;
}

/** Levels that do not count are left out, and two that are as one are made one. */
function merged(levels: readonly Level[]): Level[] {
  const result: Level[] = [];
  for (const level of levels) {
    if (level.count === 1) continue;
    const outer = result.at(-1);
    const { count, inStep, outStep } = level;
    if (outer?.inStep === count * inStep && outer.outStep === count * outStep) {
      result[result.length - 1] = { count: outer.count * count, inStep, outStep };
    } else {
      result.push(level);
    }
  }
  return result;
}

function copyStep(
  operator: Operator,
  { input, output, constant }: Ends,
  [from, to]: readonly [number, number],
  given: readonly Level[],
): KernelStep {
  const levels = merged(given);
  if (levels.length > COPY_LEVELS) return refuse(operator, `copies along ${levels.length} dimensions`);
  const none = Array.from({ length: COPY_LEVELS - levels.length }, () => ({ count: 1, inStep: 0, outStep: 0 }));
  const [a, b, c, d] = [...none, ...levels];
  return {
    kernel: input.kind === "f32" ? "x32_copy" : "x8_copy",
    ...(constant && { packed: constant }),
    parameters: {
      input: constant ? packedAt(0) : at(input.tensor.index),
      output: at(output.tensor.index),
      from,
      to,
      count: [a.count, b.count, c.count, d.count],
      inStep: [a.inStep, b.inStep, c.inStep, d.inStep],
      outStep: [a.outStep, b.outStep, c.outStep, d.outStep],
    },
  };
}

/** The values from one to the next along each dimension. */
const stepsOf = (shape: readonly number[]): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** What becomes the output's dimensions, in their order, is taken from the input's. */
function takenStep(operator: Operator, ends: Ends, taken: readonly (Places & { readonly axis: number })[]): KernelStep {
  const { input, output } = ends;
  const { shape } = input.tensor;
  const steps = stepsOf(shape);
  for (const { axis, first, count, step } of taken) {
    const last = first + (count - 1) * step;
    mustFit(operator, count > 0 && Math.min(first, last) >= 0 && Math.max(first, last) < shape[axis]);
  }
  const counts = taken.map(({ count }) => count);
  mustHold(operator, output.tensor.shape, sizeOf(counts));
  const outSteps = stepsOf(counts);
  const from = taken.reduce((sum, { first, axis }) => sum + first * steps[axis], 0);
  const levels = taken.map(({ count, step, axis }, i) => ({
    count,
    inStep: step * steps[axis],
    outStep: outSteps[i],
  }));
  return copyStep(operator, ends, [from, 0], levels);
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** Masks have a bit for each dimension, the first one's being the lowest. */
export interface StridedSliceOptions {
  /** The dimensions that start at their own beginning instead of the stated one. */
  readonly beginMask: number;
  /** The dimensions whose end is ignored. */
  readonly endMask: number;
  /** Where dimensions are left out, and where one is to be added. */
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  /** Where a single index is taken, and the dimension goes. */
  readonly shrinkMask: number;
  /** Whether ends are counted from the begins. */
  readonly offset: boolean;
}

/** As StridedSlice of tensorflow/lite/kernels/internal/strided_slice_logic.h resolves it. */
function stridedPlaces(
  { options }: Operator<StridedSliceOptions>,
  shape: readonly number[],
  [begins, ends, strides]: readonly number[][],
): Places[] {
  const { beginMask, endMask, shrinkMask, offset } = options;
  return shape.map((length, axis) => {
    if (axis >= begins.length) return { first: 0, count: length, step: 1 };
    const bit = 1 << axis;
    const step = strides[axis];
    const forward = step > 0;
    const within = (place: number) =>
      clamp(place < 0 ? place + length : place, forward ? 0 : -1, forward ? length : length - 1);
    const first = beginMask & bit ? (forward ? 0 : length - 1) : within(begins[axis]);
    if (shrinkMask & bit) return { first, count: 1, step: 1 };
    const end = endMask & bit ? (forward ? length : -1) : within(ends[axis] + (offset ? first : 0));
    return { first, count: Math.ceil((end - first) / step), step };
  });
}

function mirrorSteps(
  operator: Operator<{ readonly withEdge: boolean }>,
  ends: Ends,
  paddings: readonly (readonly [number, number])[],
): KernelStep[] {
  const { shape } = ends.input.tensor;
  const padded = shape.map((dim, axis) => dim + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0));
  mustFit(operator, paddings.length === shape.length && padded.join() === ends.output.tensor.shape.join());
  const edge = operator.options.withEdge ? 0 : 1;
  const mirrored = paddings.flat().every((count, i) => count >= 0 && count <= shape[i >> 1] - edge);
  if (!mirrored) return refuse(operator, "mirrors more than there is");
  const [steps, outSteps] = [stepsOf(shape), stepsOf(padded)];
  /** For each dimension: the mirrored part before it, the dimension itself, and the mirrored part behind it. */
  const parts = shape.map((length, axis) => {
    const [before, after] = paddings[axis];
    const all = [
      { first: before - 1 + edge, count: before, step: -1, to: 0 },
      { first: 0, count: length, step: 1, to: before },
      { first: length - 1 - edge, count: after, step: -1, to: before + length },
    ];
    return all.filter(({ count }) => count > 0);
  });
  const regions = parts.reduce<(Places & { to: number })[][]>(
    (regions, choices) => regions.flatMap((region) => choices.map((choice) => [...region, choice])),
    [[]],
  );
  return regions.map((region) => {
    const from = region.reduce((sum, { first }, axis) => sum + first * steps[axis], 0);
    const to = region.reduce((sum, part, axis) => sum + part.to * outSteps[axis], 0);
    const levels = region.map(({ count, step }, axis) => ({
      count,
      inStep: step * steps[axis],
      outStep: outSteps[axis],
    }));
    return copyStep(operator, ends, [from, to], levels);
  });
}

/** Repeats the values of an input until they have the shape of the output, with which they were found to be compatible. */
export function repeatStep(operator: Operator, ends: Ends): KernelStep {
  const { shape } = ends.output.tensor;
  const own = ends.input.tensor.shape;
  const filled = [...Array.from({ length: shape.length - own.length }, () => 1), ...own];
  mustFit(operator, filled.length === shape.length && filled.every((dim, axis) => dim === 1 || dim === shape[axis]));
  const [steps, outSteps] = [stepsOf(filled), stepsOf(shape)];
  const levels = shape.map((count, axis) => {
    return { count, inStep: filled[axis] === 1 ? 0 : steps[axis], outStep: outSteps[axis] };
  });
  return copyStep(operator, ends, [0, 0], levels);
}

/** @throws NoPlan if it changes more than places. */
function endsOf(builder: Builder, operator: Operator): Ends {
  const [input, output] = [builder.input(operator, 0), builder.output(operator)];
  if (input.kind !== output.kind || (input.kind === "u8" && output.kind === "u8" && !sameScale(input, output))) {
    return refuse(operator, "changes the kind or the scale");
  }
  return { input, output };
}

const integersIn = (builder: Builder, operator: Operator, position: number): number[] =>
  integers(tensorOf(builder.graph, operator.inputs[position]));

/**
 * Copies a part that starts at `begins` and has `sizes`.
 *
 * @throws NoPlan if the shapes do not fit each other, or too many dimensions are left, as all functions here do.
 */
export function sliceSteps(builder: Builder, operator: Operator): readonly KernelStep[] {
  const ends = endsOf(builder, operator);
  const { shape } = ends.input.tensor;
  const [begins, sizes] = [integersIn(builder, operator, 1), integersIn(builder, operator, 2)];
  mustFit(operator, begins.length === shape.length && sizes.length === shape.length);
  const taken = shape.map((length, axis) => {
    const [first, size] = [begins[axis], sizes[axis]];
    return { axis, first, count: size === -1 ? length - first : size, step: 1 };
  });
  return [takenStep(operator, ends, taken)];
}

/** Copies every n-th value between `begins` and `ends`. */
export function stridedSliceSteps(builder: Builder, operator: Operator<StridedSliceOptions>): readonly KernelStep[] {
  const ends = endsOf(builder, operator);
  const { shape } = ends.input.tensor;
  const bounds = [1, 2, 3].map((position) => integersIn(builder, operator, position));
  mustFit(
    operator,
    bounds.every(({ length }) => length === bounds[0].length && length <= shape.length),
  );
  const taken = stridedPlaces(operator, shape, bounds).map((places, axis) => ({ ...places, axis }));
  return [takenStep(operator, ends, taken)];
}

/** Copies with the dimensions in another order. */
export function transposeSteps(builder: Builder, operator: Operator): readonly KernelStep[] {
  const ends = endsOf(builder, operator);
  const { shape } = ends.input.tensor;
  const order = integersIn(builder, operator, 1).map((axis) => (axis + shape.length) % shape.length);
  mustFit(operator, [...order].sort((a, b) => a - b).join() === shape.map((_, axis) => axis).join());
  const taken = order.map((axis) => ({ axis, first: 0, count: shape[axis], step: 1 }));
  return [takenStep(operator, ends, taken)];
}

/** Copies with mirrored edges, whose lengths are given before and after each dimension. */
export function mirrorPadSteps(
  builder: Builder,
  operator: Operator<{ readonly withEdge: boolean }>,
): readonly KernelStep[] {
  const ends = endsOf(builder, operator);
  return mirrorSteps(operator, ends, pairsOf(integersIn(builder, operator, 1)));
}
