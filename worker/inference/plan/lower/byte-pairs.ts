/** Functions of two bytes in the arithmetic of TensorFlow Lite's kernels, as tables of all their values for lut2.c. */
import { fixedPoint, multiplyFixed } from "../../fixed-point.ts";
import { type ByteValue, rangeOf } from "./value.ts";

const { fround } = Math;

/** Less the zero points: of the operands, and of the result before it is clamped. */
export type OfBytes = (a: number, b: number) => number;

/** tensorflow/lite/kernels/internal/reference/prelu.h */
export function prelu(input: ByteValue, slope: ByteValue, output: ByteValue): OfBytes {
  const above = fixedPoint(fround(input.scale / output.scale));
  const below = fixedPoint(fround(fround(input.scale * slope.scale) / output.scale));
  return (x, by) => (x >= 0 ? multiplyFixed(x, above) : multiplyFixed(x * by, below));
}

/** tensorflow/lite/kernels/squared_difference.cc, which keeps 7 more bits. */
export function squaredDifference(a: ByteValue, b: ByteValue, output: ByteValue): OfBytes {
  const twice = 2 * Math.max(a.scale, b.scale);
  const [ofA, ofB, ofSquare] = [a.scale / twice, b.scale / twice, twice ** 2 / (2 ** 14 * output.scale)].map(
    fixedPoint,
  );
  const shared = new Map<number, number>();
  const scaled = (value: number, by: typeof ofA) => multiplyFixed(value * 128, by);
  return (x, y) => {
    const difference = scaled(x, ofA) - scaled(y, ofB);
    const known = shared.get(difference);
    if (known !== undefined) return known;
    const square = multiplyFixed(difference ** 2, ofSquare);
    shared.set(difference, square);
    return square;
  };
}

/** The number of results. */
export const PAIRS = 65536;

/** @returns [b][a]: the stored byte for each pair of stored bytes. */
export function byteTable(of: OfBytes, [a, b]: readonly [ByteValue, ByteValue], output: ByteValue): Uint8Array {
  const { zero, low, high } = rangeOf("NONE", output);
  const table = new Uint8Array(PAIRS);
  for (let y = 0; y < 256; y++) {
    for (let x = 0; x < 256; x++) {
      table[256 * y + x] = Math.min(high, Math.max(low, of(x - a.zero, y - b.zero) + zero));
    }
  }
  return table;
}
