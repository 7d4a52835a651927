/** Steps for what moves values in runs: padding and joining. */
import type { Operator } from "../../../tflite/graph.ts";
import type { Activated } from "../../../tflite/options.ts";
import { bytesOf, sizeOf } from "../../constants.ts";
import type { Move } from "../layouts.ts";
import { at, type KernelStep, type Packed, packedAt } from "../step.ts";
import type { Builder } from "./builder.ts";
import { constantOperand } from "./elementwise.ts";
import { mustFit } from "./fit.ts";
import { isTakenOver, paddingsOf } from "./int16.ts";
import { refuse } from "./parts.ts";
import { type ByteValue, rangeOf, sameScale, tensorOf, type Value } from "./value.ts";

const elementOf = ({ kind }: Value): number => (kind === "f32" ? 4 : 1);

type Levels = Move["count"];

interface Runs {
  /** Bytes. */
  readonly start: number;
  readonly run: number;
  /** [outer, middle, inner] numbers of runs, and the bytes from one to the next. */
  readonly count: Levels;
  readonly inStep: Levels;
  readonly outStep: Levels;
}

const move = (
  [input, output]: readonly [Value, Value],
  runs: Runs,
  more: { fill?: number; source?: Packed; table?: Packed },
): KernelStep => {
  const packed = more.source ?? more.table;
  return {
    kernel: "x8_move",
    ...(packed && { packed }),
    parameters: {
      input: more.source ? packedAt(0) : at(input.tensor.index),
      output: at(output.tensor.index),
      table: more.table ? packedAt(0) : 0,
      ...runs,
      fillBytes: more.fill === undefined ? 0 : output.size * elementOf(output),
      fill: more.fill ?? 0,
    },
  };
};

/** What is padded with, as the four bytes with which move.c fills. */
function fillOf(builder: Builder, operator: Operator, input: Value, fill: number | undefined): number {
  const bytes = (stored: number) => Math.imul(stored, 0x01010101);
  if (fill === undefined) return input.kind === "u8" ? bytes(input.zero) : 0;
  const tensor = tensorOf(builder.graph, operator.inputs[fill]);
  if (!builder.isConstant(tensor.index) || sizeOf(tensor.shape) !== 1) {
    return refuse(operator, "pads with a value that is not a constant");
  }
  if (input.kind === "u8") return bytes(bytesOf(tensor).view.getUint8(0) ^ input.offset);
  const [value] = builder.real(tensor)();
  return new Int32Array(Float32Array.of(value).buffer)[0];
}

/**
 * A padding of height and width with zeros before a convolution is left to it, since it pads anyway; any other is a step.
 *
 * @param fill The position of the input that it pads with, if not with zeros.
 */
export function padSteps(builder: Builder, operator: Operator, fill?: number): readonly KernelStep[] {
  const [input, output] = [builder.input(operator, 0), builder.output(operator)];
  const { shape } = input.tensor;
  const paddings = paddingsOf(builder.graph, operator);
  const padded = shape.map((dim, axis) => dim + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0));
  mustFit(operator, paddings.length === shape.length && padded.join() === output.tensor.shape.join());
  mustFit(
    operator,
    paddings.flat().every((count) => count >= 0),
  );
  if (fill === undefined && isTakenOver(builder.graph, operator)) {
    builder.pad(operator.outputs[0], operator.inputs[0], [paddings[1][0], paddings[2][0]]);
    return [];
  }
  if (shape.length > 4) return refuse(operator, `pads [${shape}]`);
  if (input.kind !== output.kind || (input.kind === "u8" && output.kind === "u8" && !sameScale(input, output))) {
    return refuse(operator, "changes the kind or the scale");
  }
  const four = <T>(dims: readonly T[], one: T): T[] => [...Array.from({ length: 4 - dims.length }, () => one), ...dims];
  const [from, to] = [four(shape, 1), four(output.tensor.shape, 1)];
  const before = four(
    paddings.map(([first]) => first),
    0,
  );
  const element = elementOf(input);
  const step = (dims: readonly number[], axis: number) => sizeOf(dims.slice(axis)) * element;
  const steps = (dims: readonly number[]): Levels => [step(dims, 1), step(dims, 2), step(dims, 3)];
  const outStep = steps(to);
  const start = before.slice(0, 3).reduce((sum, count, axis) => sum + count * outStep[axis], before[3] * element);
  const count: Levels = [from[0], from[1], from[2]];
  const runs = { start, run: from[3] * element, count, inStep: steps(from), outStep };
  return [move([input, output], runs, { fill: fillOf(builder, operator, input, fill) })];
}

/** Bytes at one scale → bytes at another, as ConcatenationWithScaling of TFLite's reference kernels. */
function rescaling(operator: Operator, input: ByteValue, output: ByteValue): Packed {
  const scale = Math.fround(input.scale * Math.fround(1 / output.scale));
  const bias = Math.fround(-(input.zero - input.offset) * scale);
  const { low, high } = rangeOf("NONE", output);
  if (output.offset !== 0) return refuse(operator, "joins int8 of different scales");
  return {
    bytes: 256,
    write(view) {
      for (let q = 0; q < 256; q++) {
        const real = Math.fround(Math.fround((q - input.offset) * scale) + bias);
        const rounded = Math.sign(real) * Math.floor(Math.abs(real) + 0.5);
        view.setUint8(q, Math.min(high, Math.max(low, rounded + output.zero)));
      }
    },
  };
}

/** A step for each of the tensors that are joined. */
export function concatenationSteps(
  builder: Builder,
  operator: Operator<Activated & { readonly axis: number }>,
): readonly KernelStep[] {
  const output = builder.output(operator);
  const { shape } = output.tensor;
  const axis = (operator.options.axis + shape.length) % shape.length;
  if (operator.options.activation !== "NONE") {
    return refuse(operator, `has the activation ${operator.options.activation}`);
  }
  const outStep = sizeOf(shape.slice(axis)) * elementOf(output);
  let start = 0;
  const steps = operator.inputs.map((index) => {
    const input = builder.value(index);
    const own = input.tensor.shape;
    mustFit(
      operator,
      own.length === shape.length && own.every((dim, i) => i === axis || dim === shape[i]) && index !== -1,
    );
    if (input.kind !== output.kind) {
      return refuse(operator, "mixes kinds of tensors");
    }
    const source = builder.isConstant(index) ? constantOperand(builder, input.tensor, input) : undefined;
    const run = sizeOf(own.slice(axis)) * elementOf(input);
    const count = sizeOf(own.slice(0, axis));
    const runs: Runs = { start, run, count: [1, 1, count], inStep: [0, 0, run], outStep: [0, 0, outStep] };
    start += run;
    const bytes = input.kind === "u8" && output.kind === "u8";
    if (!bytes || sameScale(input, output)) return move([input, output], runs, source ? { source } : {});
    if (source) return refuse(operator, "has a constant of another scale");
    return move([input, output], runs, { table: rescaling(operator, input, output) });
  });
  mustFit(operator, start === outStep);
  return steps;
}
