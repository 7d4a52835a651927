/** Steps for what is computed of two values each. */
import type { Operator, Tensor } from "../../../tflite/graph.ts";
import { bytesOf, sizeOf } from "../../constants.ts";
import { type Elementwise, ElementwiseOperation } from "../layouts.ts";
import { at, type KernelStep, type Packed, type Place, packedAt } from "../step.ts";
import type { Builder } from "./builder.ts";
import { arithmetic, type Multipliers, tryInF32 } from "./byte-arithmetic.ts";
import { byteTable, type OfBytes, PAIRS } from "./byte-pairs.ts";
import { functionOfSameByte } from "./compose.ts";
import { repeatStep } from "./copies.ts";
import { timesItself } from "./functions.ts";
import { limits, refuse } from "./parts.ts";
import { type ByteValue, rangeOf, type Value } from "./value.ts";

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

/** A constant operand as the kernel reads it: f32, or uint8, for which int8 has 128 added. */
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

type Quantised = Omit<Elementwise, "a" | "b" | "output" | "size" | "period" | "run" | "operation" | keyof Limits>;
type Limits = ReturnType<typeof limits>;

/** The parameters of an f32 operation. */
const NOT_QUANTISED: Quantised = {
  aZero: 0,
  bZero: 0,
  aMultiplier: 0,
  aShift: 0,
  bMultiplier: 0,
  bShift: 0,
  outMultiplier: 0,
  outShift: 0,
  inF32: 0,
  aFactor: 0,
  bFactor: 0,
  offset: 0,
};

/** What is computed of two values. */
export interface Combination {
  readonly operation: ElementwiseOperation;
  /** The same with the operands swapped; undefined if there is none. */
  readonly swapped: ElementwiseOperation | undefined;
  /** How uint8 and int8 values are combined: by the kernel for sums and products, or by a table of all pairs; undefined if they are not. */
  readonly u8?:
    | { readonly multipliers: Multipliers }
    | { readonly table: (a: ByteValue, b: ByteValue, output: ByteValue) => OfBytes };
}

interface Operands {
  /** The first value has the output's size, the second may be smaller. */
  readonly values: readonly [Value, Value];
  readonly swapped: boolean;
  readonly spread: { readonly period: number; readonly run: number };
  /** The second, where it does not change. */
  readonly constant: Packed | undefined;
  /** What makes the first the output's size, in the output's place. */
  readonly repeat?: KernelStep;
}

const constantOf = (builder: Builder, value: Value): Packed | undefined =>
  builder.isConstant(value.tensor.index) ? constantOperand(builder, value.tensor, value) : undefined;

/** The operands, the longer one first, and of two of one size the one that changes. */
function operandsOf(builder: Builder, operator: Operator, output: Value): Operands {
  const given = operator.inputs.map((index) => builder.value(index));
  const refused = () => refuse(operator, `has shapes [${given[0].tensor.shape}] and [${given[1].tensor.shape}]`);
  if (given.some(({ kind }) => kind !== output.kind)) return refuse(operator, "mixes floats and integers");
  const swapped = given[1].size > given[0].size || builder.isConstant(operator.inputs[0]);
  const [a, b] = swapped ? [given[1], given[0]] : given;
  const constant = constantOf(builder, b);
  const spread = spreadOf(a.tensor.shape, b.tensor.shape);
  if (a.size === output.size && spread !== undefined && !builder.isConstant(a.tensor.index)) {
    return { values: [a, b], swapped, spread, constant };
  }
  // Each is smaller than the output along some dimension: the first is repeated.
  const over = spreadOf(output.tensor.shape, b.tensor.shape);
  if (over === undefined || a.tensor.shape.length > output.tensor.shape.length) return refused();
  const repeat = repeatStep(operator, { input: a, output, constant: constantOf(builder, a) });
  return { values: [a, b], swapped, spread: over, constant, repeat };
}

/** Where the first operand is read. */
const firstOf = ({ values: [a], repeat }: Operands, output: Value): Place =>
  at(repeat ? output.tensor.index : a.tensor.index);

/** @param quantised If the operands are. */
function arithmeticStep(
  operator: Operator,
  operands: Operands,
  output: Value,
  operation: ElementwiseOperation,
  quantised?: Quantised,
): KernelStep {
  const { constant, spread } = operands;
  const [, b] = operands.values;
  return {
    kernel: quantised ? "qu8_vbinary" : "f32_vbinary",
    ...(constant && { packed: constant }),
    parameters: {
      a: firstOf(operands, output),
      b: constant ? packedAt(0) : at(b.tensor.index),
      output: at(output.tensor.index),
      size: output.size,
      ...spread,
      operation,
      ...(quantised ?? NOT_QUANTISED),
      ...limits(operator, output),
    },
  };
}

/** The constant operand lies behind the table. */
function tableStep(operands: Operands, output: Value, makeTable: () => Uint8Array): KernelStep {
  const { constant, spread } = operands;
  const [, b] = operands.values;
  const packed: Packed = {
    bytes: PAIRS + (constant?.bytes ?? 0),
    write(view, packing) {
      new Uint8Array(view.buffer, view.byteOffset, PAIRS).set(makeTable());
      constant?.write(new DataView(view.buffer, view.byteOffset + PAIRS, constant.bytes), packing);
    },
  };
  return {
    kernel: "x8_lut2",
    packed,
    parameters: {
      a: firstOf(operands, output),
      b: constant ? packedAt(PAIRS) : at(b.tensor.index),
      output: at(output.tensor.index),
      size: output.size,
      ...spread,
      table: packedAt(0),
    },
  };
}

/** @throws NoPlan if the shapes are not such as the kernels take. */
export function elementwiseSteps(
  builder: Builder,
  operator: Operator,
  combination: Combination,
): readonly KernelStep[] {
  const output = builder.output(operator);
  const operands = operandsOf(builder, operator, output);
  const step = combiningStep(builder, operator, combination, operands, output);
  return operands.repeat ? [operands.repeat, step] : [step];
}

function combiningStep(
  builder: Builder,
  operator: Operator,
  combination: Combination,
  operands: Operands,
  output: Value,
): KernelStep {
  const [a, b] = operands.values;
  const operation = operands.swapped ? combination.swapped : combination.operation;
  if (operation === undefined) return refuse(operator, "has slopes that are more than its values");
  if (a.kind !== "u8" || b.kind !== "u8" || output.kind !== "u8") {
    const step = arithmeticStep(operator, operands, output, operation);
    return (operation === ElementwiseOperation.multiply && timesItself(builder, operator, [a, b], output)) || step;
  }
  const how = combination.u8;
  if (how === undefined) return refuse(operator, "has no kernel for bytes");
  if ("table" in how) {
    const of = how.table(a, b, output);
    const one = functionOfSameByte(builder, [a, b], output, { of, range: rangeOf("NONE", output) });
    return one ?? tableStep(operands, output, () => byteTable(of, [a, b], output));
  }
  const multipliers = how.multipliers(a, b, output);
  const of = arithmetic(operation, multipliers);
  const one = functionOfSameByte(builder, [a, b], output, { of, range: limits(operator, output).range });
  if (one !== undefined) return one;
  const [ofA, ofB, ofOutput] = multipliers;
  return arithmeticStep(operator, operands, output, operation, {
    aZero: a.zero,
    bZero: b.zero,
    aMultiplier: ofA.multiplier,
    aShift: ofA.shift,
    bMultiplier: ofB.multiplier,
    bShift: ofB.shift,
    outMultiplier: ofOutput.multiplier,
    outShift: ofOutput.shift,
    ...tryInF32(operation, [a.zero, b.zero], output, multipliers),
  });
}
