/** Parts that steps of several kinds are made of. */
import type { Operator } from "../../../tflite/graph.ts";
import { activationOf } from "../../../tflite/options.ts";
import type { ConvertKernel, Range } from "../layouts.ts";
import { at, type KernelStep, type Packed, packedAt } from "../step.ts";
import type { Builder } from "./builder.ts";
import type { OfStored } from "./known-functions.ts";
import { type ByteValue, clampOf, NoPlan, rangeOf, type Value } from "./value.ts";

/** @throws NoPlan that names the operator. */
export function refuse(operator: Operator, reason: string): never {
  throw new NoPlan(`operator ${operator.index} (${operator.op}) ${reason}`);
}

/** The range of an f32 output. */
export const NO_RANGE: Range = { zero: 0, low: 0, high: 0 };

/** How an operator limits its output: the end of several structures. */
export const limits = (operator: Operator, output: Value): { range: Range; low: number; high: number } => {
  const activation = activationOf(operator);
  const [low, high] = clampOf(activation);
  return { range: output.kind === "u8" ? rangeOf(activation, output) : NO_RANGE, low, high };
};

export const convert = (
  kernel: ConvertKernel,
  [input, output]: readonly [Value, Value],
  { scale = 1, zero = 0, limits: [low, high] = [0, 0] }: { scale?: number; zero?: number; limits?: readonly number[] },
  packed?: Packed,
): KernelStep => ({
  kernel,
  ...(packed && { packed }),
  parameters: {
    input: at(input.tensor.index),
    output: at(output.tensor.index),
    size: output.size,
    table: packed ? packedAt(0) : 0,
    scale,
    zero,
    low,
    high,
  },
});

/** A function of bytes as its 256 values. */
export function lookUp(builder: Builder, source: ByteValue, output: ByteValue, of: OfStored): KernelStep {
  builder.functions.addBytes(builder.root(output.tensor.index), { source, of });
  const packed: Packed = {
    bytes: 256,
    write(view) {
      for (let q = 0; q < 256; q++) view.setUint8(q, of(q));
    },
  };
  return convert("x8_lut", [source, output], {}, packed);
}
