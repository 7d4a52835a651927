/**
 * A compiled plan: which kernels run in which order with which parameters, and the layout of its memory. It is plain
 * data, without addresses, functions or weights, so that it can be printed and compared; instance.ts runs it.
 */
import type { HostCall } from "./host.ts";
import type { KernelCall } from "./layouts.ts";
import type { ByteValue, FloatValue } from "./lower/value.ts";

/** A value that refers to its tensor by the index in the plan. */
type Planned<Value> = Omit<Value, "tensor"> & { readonly tensor: Pick<PlanTensor, "index" | "shape"> };
export type PlanValue = Planned<FloatValue> | Planned<ByteValue>;

/** A tensor of the graph that steps read or write. */
export interface PlanTensor {
  /** The index in the graph. */
  readonly index: number;
  readonly name: string;
  readonly shape: readonly number[];
  /** i16: int16 activations of a fast plan. u8 stands for int8 as well, which is stored with 128 added. */
  readonly type: "f32" | "i16" | "u8";
  readonly bytes: number;
  /** Bytes from the start of the arena. Tensors that live at different times, or share their content, share memory. */
  readonly offset: number;
}

/** A call of a kernel or of the host. */
export type PlanStep = (KernelCall | HostCall) & {
  /** The operator of the graph that the step computes, completely or in part. */
  readonly operator: { readonly index: number; readonly op: string };
  /** The bytes of its packed constants. */
  readonly packedBytes: number;
  /** The bytes of scratch memory, which all steps share. */
  readonly scratchBytes: number;
};

/** The layout of a plan's memory: bytes from its start. */
export interface MemoryLayout {
  readonly bytes: number;
  /** The packed constants of each step. */
  readonly packed: readonly number[];
  /** The parameters of each step. */
  readonly parameters: readonly number[];
  /** The parameters with which inputs are converted, followed by the levels of pixels. */
  readonly input: number;
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly arena: number;
  readonly arenaBytes: number;
}

/** The classifier head of a network. */
export interface PlanHead {
  /** The index of the step that computes the scores. */
  readonly step: number;
  /** The input of the scores; it is still in memory after a run. */
  readonly features: PlanValue;
  /** The scale of quantised weights: one, or one for each class. 1 for f32. */
  readonly weightScales: readonly number[];
  /** The scale of the classifier's input. */
  readonly inputScale: number;
}

export interface CompiledPlan {
  readonly steps: readonly PlanStep[];
  readonly inputs: readonly PlanValue[];
  readonly outputs: readonly PlanValue[];
  readonly tensors: readonly PlanTensor[];
  readonly memory: MemoryLayout;
  /** The classifier head, or why the plan does not have one. */
  readonly head: PlanHead | string;
}

/** The kernel of a step, or its host function. */
export const nameOf = (step: PlanStep): string => ("kernel" in step ? step.kernel : step.host);

/**
 * A plan as JSON, to be printed and compared. It is not meant to be read back, since a plan cannot run without the
 * weights. Infinities, which JSON does not have, become strings.
 */
export const serialisePlan = (plan: CompiledPlan, indent?: number): string =>
  JSON.stringify(
    plan,
    (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value),
    indent,
  );
