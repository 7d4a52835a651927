/** Lays out the memory of a plan: packed constants, parameters, scratch, and the arena with all tensors. */
import { CHANNELS, LEVELS } from "../../input.ts";
import type { MemoryLayout, PlanTensor } from "../compiled-plan.ts";
import { CONVERT_BYTES, PIXELS_BYTES, parameterWords } from "../layouts.ts";
import type { Builder } from "../lower/builder.ts";
import { tensorsOf } from "../lower/unread.ts";
import { align, SLACK, type Step } from "../step.ts";
import { type ArenaLayout, layOut } from "./arena.ts";

/** The bytes of the parameters with which inputs are converted; the levels of pixels follow them. */
export const INPUT_BYTES = Math.max(CONVERT_BYTES, PIXELS_BYTES);

const parameterBytes = (step: Step): number => ("kernel" in step ? 4 * parameterWords(step).length : 0);
const packedBytes = (step: Step): number => ("kernel" in step ? (step.packed?.bytes ?? 0) : 0);
const scratchBytes = (step: Step): number => ("kernel" in step ? (step.scratch ?? 0) : 0);

/** @param kept Tensors, besides the outputs, that must still be in memory after the run. */
export function layOutTensors(
  builder: Builder,
  steps: readonly Step[],
  kept: readonly number[],
): { tensors: readonly PlanTensor[]; arena: ArenaLayout } {
  const { inputs, outputs } = builder.graph;
  const root = (tensor: number) => builder.root(tensor);
  const uses = steps.map(tensorsOf);
  const ends = { first: inputs.map(root), last: [...outputs, ...kept].map(root) };
  const arena = layOut(
    uses.map((tensors) => tensors.map(root)),
    ends,
    (tensor) => builder.bytesOf(tensor),
  );
  const used = new Set([...inputs, ...uses.flat(), ...outputs, ...kept]);
  const tensors = [...used].map((index): PlanTensor => {
    const { tensor, ...value } = builder.value(index);
    const { name, shape } = tensor;
    const offset = arena.offsets.get(root(index));
    if (offset === undefined) throw new Error(`tensor ${index} has no place in the plan`);
    const type = value.kind === "f32" && value.int16 ? "i16" : value.kind;
    return { index, name, shape, type, bytes: builder.bytesOf(index), offset };
  });
  return { tensors, arena };
}

export function layOutMemory(steps: readonly Step[], arena: ArenaLayout): MemoryLayout {
  let bytes = 0;
  const reserve = (size: number): number => {
    const start = bytes;
    bytes += align(size);
    return start;
  };
  const scratch = Math.max(0, ...steps.map(scratchBytes));
  const places = {
    packed: steps.map((step) => reserve(packedBytes(step))),
    parameters: steps.map((step) => reserve(parameterBytes(step))),
    input: reserve(INPUT_BYTES + 4 * CHANNELS * LEVELS),
    scratch: reserve(scratch),
    arena: reserve(arena.bytes + SLACK),
  };
  return { bytes, ...places, scratchBytes: scratch, arenaBytes: arena.bytes };
}
