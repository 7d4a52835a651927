/** Parts that steps of several kinds are made of. */
import type { Operator } from "../../tflite/graph.ts";
import { activationOf } from "../../tflite/options.ts";
import { at, f32, type KernelStep, type Packed, packedAt, type Word } from "./step.ts";
import { type ByteValue, clampOf, NoPlan, rangeOf, type Value } from "./value.ts";

/** @throws NoPlan that names the operator. */
export function refuse(operator: Operator, reason: string): never {
  throw new NoPlan(`operator ${operator.index} (${operator.op}) ${reason}`);
}

/** `struct Range` and the float clamp, the end of several structures. */
export const limits = (operator: Operator, output: Value): Word[] => {
  const activation = activationOf(operator);
  return [
    ...(output.kind === "u8" ? rangeOf(activation, output) : [0, 0, 0]),
    ...clampOf(activation).map((limit) => f32(limit)),
  ];
};

/** `struct Convert`. */
export const convert = (
  kernel: KernelStep["kernel"],
  [input, output]: readonly [Value, Value],
  { scale = 1, zero = 0, limits = [0, 0] }: { scale?: number; zero?: number; limits?: readonly number[] },
  packed?: Packed,
): KernelStep => ({
  kernel,
  ...(packed && { packed }),
  words: [
    at(input.tensor.index),
    at(output.tensor.index),
    output.size,
    packed ? packedAt(0) : 0,
    ...[scale, zero, ...limits].map(f32),
  ],
});

/** A function of bytes as its 256 values. */
export function lookUp(input: ByteValue, output: ByteValue, of: (stored: number) => number): KernelStep {
  const packed: Packed = {
    bytes: 256,
    write(view) {
      for (let q = 0; q < 256; q++) view.setUint8(q, Math.min(255, Math.max(0, of(q))));
    },
  };
  return convert("look_up_u8", [input, output], {}, packed);
}
