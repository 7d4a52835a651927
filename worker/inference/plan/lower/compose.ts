/** Composes functions of bytes: what several operators make of one byte is one table of 256. */
import type { Range } from "../layouts.ts";
import type { KernelStep } from "../step.ts";
import type { Builder } from "./builder.ts";
import type { OfBytes } from "./byte-pairs.ts";
import type { FunctionOfBytes, OfStored } from "./known-functions.ts";
import { lookUp } from "./parts.ts";
import type { ByteValue } from "./value.ts";

/** Whether only one operator reads a tensor, so that it is not needed if that one reads something else. */
const isReadOnce = ({ graph }: Builder, tensor: number): boolean =>
  !graph.outputs.includes(tensor) && graph.operators.filter(({ inputs }) => inputs.includes(tensor)).length === 1;

const rootOf = (builder: Builder, { tensor }: ByteValue): number => builder.root(tensor.index);

/** What a value that nothing else reads is a function of. */
const takenOver = (builder: Builder, value: ByteValue): FunctionOfBytes | undefined =>
  isReadOnce(builder, value.tensor.index) ? builder.functions.bytes(rootOf(builder, value)) : undefined;

/** The step of a function of one byte, which takes over the functions before it if nothing else reads their results. */
export function functionOfByte(builder: Builder, input: ByteValue, output: ByteValue, of: OfStored): KernelStep {
  const before = takenOver(builder, input);
  if (before === undefined) return lookUp(builder, input, output, of);
  return lookUp(builder, before.source, output, (stored) => of(before.of(stored)));
}

/** A constant of one byte, as stored. */
function constantByte(builder: Builder, { size, offset, tensor: { index, data } }: ByteValue): number | undefined {
  return size === 1 && builder.isConstant(index) && data !== undefined ? data[0] ^ offset : undefined;
}

/** Two values as functions of the same byte; undefined if they are not, or are both that byte. */
function onSameByte(builder: Builder, a: ByteValue, b: ByteValue): readonly FunctionOfBytes[] | undefined {
  if (a.tensor.shape.join() !== b.tensor.shape.join()) return undefined;
  const known = [a, b].map((value) => builder.functions.bytes(rootOf(builder, value)));
  const itself = [a, b].map((source): FunctionOfBytes => ({ source, of: (stored) => stored }));
  const pairs = [[known[0], itself[1]], [itself[0], known[1]], known];
  return pairs.find((pair): pair is FunctionOfBytes[] => {
    const [first, second] = pair.map((one) => one && rootOf(builder, one.source));
    return first !== undefined && first === second;
  });
}

/**
 * The step of a function of two bytes that depend on the same byte, as x · logistic(x) does, or of one that is a function
 * and a constant; undefined if the operands are anything else.
 *
 * @param of The function of two bytes less their zero points, before its result is clamped.
 */
export function functionOfSameByte(
  builder: Builder,
  [a, b]: readonly [ByteValue, ByteValue],
  output: ByteValue,
  { of, range }: { readonly of: OfBytes; readonly range: Range },
): KernelStep | undefined {
  const stored = (x: number, y: number) =>
    Math.min(range.high, Math.max(range.low, of(x - a.zero, y - b.zero) + range.zero));
  const constant = constantByte(builder, b);
  if (constant !== undefined) {
    const ofOne: OfStored = (x) => stored(x, constant);
    if (takenOver(builder, a)) return functionOfByte(builder, a, output, ofOne);
    // A table of its own would take longer than arithmetic, but those behind it may take it over.
    builder.functions.addBytes(rootOf(builder, output), { source: a, of: ofOne });
    return undefined;
  }
  const same = onSameByte(builder, a, b);
  return same && lookUp(builder, same[0].source, output, (x) => stored(same[0].of(x), same[1].of(x)));
}
