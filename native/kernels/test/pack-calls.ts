/** Records what the packing functions are called with and what they write, to have them called natively as well. */
import type { Kernels } from "../../../worker/inference/plan/layouts.ts";
import { type Call, type NativeWord, PARAMETERS, type Region } from "./native.ts";

interface Recorded {
  readonly call: Call;
  readonly result: number;
  readonly outputs: readonly Uint8Array[];
}

/** Bytes behind weights that packing may read: those of the staging memory. */
const SLACK = 64;

/** Memory up to which packing is recorded. */
const MOST_BYTES = 1 << 18;

const bits = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;

/**
 * The kernels, with packing functions that record their calls.
 *
 * All memory is one region, since the functions are told addresses and no sizes: a sanitizer sees undefined behaviour and
 * what leaves the memory, and the comparison sees what is written to wrong places.
 *
 * @param used Bytes of the memory that are in use.
 * @param recorded Gets the calls.
 */
export function packCalls(kernels: Kernels, memory: ArrayBuffer, used: number, recorded: Recorded[]): Kernels {
  // A copy for each call takes too long for large models.
  if (used > MOST_BYTES) return kernels;
  const wrapped = Object.entries(kernels).map(([name, call]) => {
    const kinds = PARAMETERS.get(name);
    if (kinds === undefined) return [name, call];
    const record = (...values: number[]): number => {
      const before = new Uint8Array(memory.slice(0, used));
      const result = Number((call as (...values: number[]) => unknown)(...values) ?? 0);
      const words = values.map((value, i): NativeWord => {
        if (kinds[i] === "pointer") return value === 0 ? 0 : { region: 0, offset: value };
        return kinds[i] === "float" ? bits(value) : value;
      });
      const regions: Region[] = [{ bytes: before, slack: SLACK, isOutput: true }];
      recorded.push({ call: { name, words, regions }, result, outputs: [new Uint8Array(memory.slice(0, used))] });
      return result;
    };
    return [name, record];
  });
  return Object.fromEntries(wrapped);
}
