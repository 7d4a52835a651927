/** Reads tensors out of a running plan, reduced to one value per channel, before later steps reuse their memory. */
import type { Taps } from "../taps.ts";
import type { PlanValue } from "./compiled-plan.ts";
import type { Builder } from "./lower/builder.ts";
import type { LoweredStep } from "./lower/lower.ts";
import { INT16_STEP, tensorOf } from "./lower/value.ts";

/** How a tensor of an image is reduced to one value per channel. */
type Reduction = "mean" | "greatest";

/** A tensor, and the step after which all its values are in memory. */
export interface Tap {
  readonly value: PlanValue;
  readonly step: number;
  readonly reduction: Reduction;
}

/** The tapped values of a run: real numbers, one per channel. Empty if the network does not have such a tensor. */
export interface Tapped {
  readonly pooled: Float32Array;
  readonly maxima: Float32Array;
  readonly late: Float32Array;
  readonly early: Float32Array;
}

export type CompiledTaps = { readonly [name in keyof Tapped]: Tap | undefined };

/** The last step of the operators up to the one that computes a tensor: after it, the values are in memory. */
function lastStepOf(builder: Builder, steps: readonly LoweredStep[], tensor: number): number {
  const { operators } = builder.graph;
  const places = new Map(operators.map((operator, place) => [operator, place]));
  const maker = operators.findIndex(({ outputs }) => outputs.includes(tensor));
  return steps.findLastIndex(({ operator }) => (places.get(operator) ?? -1) <= maker);
}

/**
 * @param taps The tensors that are tapped, or why there are none.
 * @returns Where a plan is tapped, or why it cannot be.
 */
export function compileTaps(
  builder: Builder,
  steps: readonly LoweredStep[],
  taps: Taps | string,
): CompiledTaps | string {
  if (typeof taps === "string") return taps;
  const tap = (tensor: number | undefined, reduction: Reduction): Tap | undefined => {
    if (tensor === undefined) return undefined;
    const { index, shape } = tensorOf(builder.graph, tensor);
    const value = { ...builder.value(tensor), tensor: { index, shape } } as PlanValue;
    return { value, step: lastStepOf(builder, steps, tensor), reduction };
  };
  return {
    pooled: tap(taps.pooled, "mean"),
    maxima: tap(taps.map, "greatest"),
    late: tap(taps.late, "mean"),
    early: tap(taps.early, "mean"),
  };
}

/** Where values are converted to f32 before they are read: loops over one type are several times as fast. */
let converted = new Float32Array();

/** Stored values as f32, of which those of 8 and 16 bits are exact. They are valid until the next call. */
function asFloats(stored: Uint8Array | Int16Array): Float32Array {
  if (converted.length < stored.length) converted = new Float32Array(stored.length);
  const values = converted.subarray(0, stored.length);
  values.set(stored);
  return values;
}

/** A tensor's stored values, and their conversion to real numbers: (stored − zero) · scale. */
function storedIn(value: PlanValue, buffer: ArrayBufferLike, address: number) {
  if (value.kind === "u8")
    return { values: asFloats(new Uint8Array(buffer, address, value.size)), zero: value.zero, scale: value.scale };
  if (value.int16) return { values: asFloats(new Int16Array(buffer, address, value.size)), zero: 0, scale: INT16_STEP };
  return { values: new Float32Array(buffer, address, value.size), zero: 0, scale: 1 };
}

/** The sum of each channel over all places, [places, channels]. */
function sumChannels(values: Float32Array, channels: number): Float64Array {
  const sums = new Float64Array(channels);
  for (let at = 0; at < values.length; at += channels) for (let c = 0; c < channels; c++) sums[c] += values[at + c];
  return sums;
}

/** The greatest value of each channel over all places, [places, channels]. */
function greatestOfChannels(values: Float32Array, channels: number): Float64Array {
  const greatest = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY);
  for (let at = 0; at < values.length; at += channels) {
    for (let c = 0; c < channels; c++) {
      const value = values[at + c];
      if (value > greatest[c]) greatest[c] = value;
    }
  }
  return greatest;
}

/** One value per channel of the tensor at `address`. */
export function readTap({ value, reduction }: Tap, buffer: ArrayBufferLike, address: number): Float32Array {
  const { values, zero, scale } = storedIn(value, buffer, address);
  const channels = value.tensor.shape.at(-1) ?? 1;
  const isMean = reduction === "mean";
  const found = isMean ? sumChannels(values, channels) : greatestOfChannels(values, channels);
  const share = isMean ? channels / values.length : 1;
  const result = new Float32Array(channels);
  for (let c = 0; c < channels; c++) result[c] = (found[c] * share - zero) * scale;
  return result;
}
