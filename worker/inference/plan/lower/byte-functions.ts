/**
 * Functions of one byte in the arithmetic of TensorFlow Lite's kernels, from which tables of 256 are made. Bytes are as
 * stored: int8 has 128 added.
 */
import { type FixedPoint, fixedPoint, multiplyFixed } from "../../fixed-point.ts";
import { type ByteValue, rangeOf } from "./value.ts";

const { fround } = Math;

/** Halves go away from zero. */
export const roundAway = (value: number): number => Math.sign(value) * Math.floor(Math.abs(value) + 0.5);

/** A byte of the input less its zero point → one of the output less its zero point, before it is clamped. */
export type OfByte = (value: number) => number;

/** Evaluates a real function in float32: LUTPopulate of tensorflow/lite/kernels/internal/common.h. */
export function inF32(input: ByteValue, output: ByteValue, of: (x: number) => number): OfByte {
  const inverse = fround(1 / output.scale);
  return (value) => roundAway(fround(fround(of(fround(input.scale * value))) * inverse));
}

/** SaturatingRoundingDoublingHighMul of gemmlowp, for 16 bits. */
const highProduct = (a: number, b: number): number =>
  Math.trunc((a * b + (a * b < 0 ? 1 - 2 ** 14 : 2 ** 14)) / 2 ** 15);

const saturate16 = (value: number): number => Math.min(32767, Math.max(-32768, value));

/** RoundingDivideByPOT of gemmlowp: halves away from zero. */
const divideByPower = (value: number, exponent: number): number => roundAway(value / 2 ** exponent);

/** A multiplier's upper 16 bits, and the power of two that belongs to it. */
function in16Bits(real: number): { multiplier: number; exponent: number } {
  const { multiplier, shift } = fixedPoint(fround(real));
  return { multiplier: Math.min(32767, (multiplier + 2 ** 15) >> 16), exponent: 0 - shift };
}

/** tensorflow/lite/kernels/internal/reference/hard_swish.h, with 16 bits. */
export function hardSwish(input: ByteValue, output: ByteValue): OfByte {
  const fine = fround(input.scale / 128);
  const scaled = in16Bits(fine / output.scale);
  const gate = in16Bits(fine / fround(3 / 32768));
  return (value) => {
    const x = value * 128;
    let open = gate.exponent > 0 ? saturate16(x * 2 ** (gate.exponent - 1)) : x;
    open = highProduct(open, gate.multiplier);
    if (gate.exponent > 0) open = saturate16(2 * open);
    if (gate.exponent < 0) open = divideByPower(open, -gate.exponent);
    const product = Math.trunc((((open + 32768) >> 1) * highProduct(x, scaled.multiplier)) / 2 ** 15);
    return divideByPower(product, -scaled.exponent);
  };
}

/** GetInvSqrtQuantizedMultiplierExp and its use in tensorflow/lite/kernels/elementwise.cc keep 20 bits in between. */
export function inverseRoot(input: ByteValue, output: ByteValue): OfByte {
  const multiplier = fixedPoint(1 / (fround(Math.sqrt(input.scale)) * output.scale));
  const smaller: FixedPoint = { multiplier: multiplier.multiplier, shift: multiplier.shift + 20 };
  return (value) => (value <= 0 ? 255 : multiplyFixed(Math.round(2 ** 20 / Math.sqrt(value)), smaller));
}

const ratioOf = (input: ByteValue, output: ByteValue): FixedPoint => fixedPoint(fround(input.scale / output.scale));

/** The same value at another scale. */
export function rescaled(input: ByteValue, output: ByteValue): OfByte {
  const ratio = ratioOf(input, output);
  return (value) => multiplyFixed(value, ratio);
}

/** tensorflow/lite/kernels/elementwise.cc: at one scale nothing is multiplied. */
export function magnitude(input: ByteValue, output: ByteValue): OfByte {
  const ratio = ratioOf(input, output);
  return (value) => (input.scale === output.scale ? Math.abs(value) : multiplyFixed(Math.abs(value), ratio));
}

/** tensorflow/lite/kernels/internal/reference/leaky_relu.h: negative values are multiplied by `alpha`. */
export function leaky(input: ByteValue, output: ByteValue, alpha: number): OfByte {
  const ratio = ratioOf(input, output);
  const below = fixedPoint(fround(fround(input.scale * Math.abs(alpha)) / output.scale));
  const sign = alpha < 0 ? -1 : 1;
  return (value) => (value >= 0 ? multiplyFixed(value, ratio) : sign * multiplyFixed(value, below));
}

/** tensorflow/lite/kernels/elementwise.cc, which cuts the result off and does not round it. */
export const root = (input: ByteValue, output: ByteValue): OfByte => {
  return (value) => Math.trunc(fround(fround(Math.sqrt(Math.max(0, fround(input.scale * value)))) / output.scale));
};

/** The least and the greatest stored byte of an output. */
export type ByteRange = (output: ByteValue) => readonly [low: number, high: number];

/** What its type can hold. */
export const wholeRange: ByteRange = (output) => {
  const { low, high } = rangeOf("NONE", output);
  return [low, high];
};

/** The stored byte that a stored byte becomes. */
export function byteFunction(
  of: OfByte,
  input: ByteValue,
  output: ByteValue,
  range: ByteRange,
): (stored: number) => number {
  const [low, high] = range(output);
  return (stored) => Math.min(high, Math.max(low, of(stored - input.zero) + output.zero));
}
