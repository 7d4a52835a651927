/**
 * Copies inputs into the memory of a plan, and outputs out of it. Quantised values are integers less their zero points.
 */
import { wasmHeap } from "../backend.ts";
import { CHANNELS, type Input, LEVELS } from "../input.ts";
import { addressOf, writeParameters } from "./addresses.ts";
import { allocate, type Binding } from "./bind.ts";
import type { PlanValue } from "./compiled-plan.ts";
import { INPUT_BYTES } from "./layout/memory.ts";
import type { KernelCall, Kernels } from "./layouts.ts";

/** Converts an input. All places must be addresses. */
function convert(call: KernelCall, binding: Binding, kernels: Kernels): void {
  writeParameters(new DataView(wasmHeap().memory.buffer), binding.input, call, binding);
  kernels[call.kernel](binding.input);
}

/**
 * Writes an input, given as f32 values, to its place.
 *
 * @throws LabelerError of kind model-unavailable if there is not enough memory.
 */
export function takeValues(input: PlanValue, values: Float32Array, binding: Binding, kernels: Kernels): void {
  const to = addressOf(binding, input.tensor.index);
  const { size, kind } = input;
  if (kind === "f32") {
    new Float32Array(wasmHeap().memory.buffer, to, size).set(values);
    return;
  }
  const from = allocate(4 * size);
  try {
    new Float32Array(wasmHeap().memory.buffer, from, size).set(values);
    const parameters = { input: from, output: to, size, table: 0, scale: 1, zero: input.zero, low: 0, high: 255 };
    convert({ kernel: "f32_qu8_vcvt", parameters }, binding, kernels);
  } finally {
    wasmHeap().free(from);
  }
}

/** Writes an input, given as pixels, to its place. */
export function takePixels(
  input: PlanValue,
  { pixels, levels }: Extract<Input, { pixels: unknown }>,
  binding: Binding,
  kernels: Kernels,
): void {
  const { buffer } = wasmHeap().memory;
  const to = addressOf(binding, input.tensor.index);
  const table = binding.input + INPUT_BYTES;
  // For f32 inputs, the bytes are staged at the end of the place: each is read before it is overwritten.
  const from = input.kind === "f32" ? to + 3 * input.size : to;
  new Uint8Array(buffer, from, input.size).set(pixels);
  const unchanged = input.kind === "u8" && levels.every((level, i) => level + input.zero === i % LEVELS);
  if (unchanged) return;
  if (input.kind === "f32") new Float32Array(buffer, table, levels.length).set(levels);
  else new Uint8Array(buffer, table, levels.length).set(levels.map((level) => level + input.zero));
  const parameters = { pixels: from, output: to, size: input.size / CHANNELS, levels: table };
  convert({ kernel: input.kind === "f32" ? "x8_x32_lut3" : "x8_lut3", parameters }, binding, kernels);
}

/** A copy of an output. */
export function giveValues(output: PlanValue, binding: Binding): Float32Array {
  const { buffer } = wasmHeap().memory;
  const from = addressOf(binding, output.tensor.index);
  if (output.kind === "f32") return new Float32Array(buffer, from, output.size).slice();
  const bytes = new Uint8Array(buffer, from, output.size);
  const values = new Float32Array(output.size);
  for (let i = 0; i < bytes.length; i++) values[i] = bytes[i] - output.zero;
  return values;
}
