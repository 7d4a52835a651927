/**
 * A compiled plan: which kernels run in which order with which parameters, and where everything lies. It is plain data,
 * without addresses, functions or weights, so that it can be printed and compared; instance.ts makes it run.
 */
import type { HostCall } from "./host.ts";
import type { KernelCall } from "./layouts.ts";
import type { ByteValue, FloatValue } from "./lower/value.ts";

/** A value whose tensor is known by its place in the plan. */
type Planned<Value> = Omit<Value, "tensor"> & { readonly tensor: Pick<PlanTensor, "index" | "shape"> };
export type PlanValue = Planned<FloatValue> | Planned<ByteValue>;

/** A tensor of the graph that steps read or write. */
export interface PlanTensor {
  /** In the graph. */
  readonly index: number;
  readonly name: string;
  readonly shape: readonly number[];
  /** i16: int16 activations of a fast plan. u8 stands for int8 as well, which is stored with 128 added. */
  readonly type: "f32" | "i16" | "u8";
  readonly bytes: number;
  /** Bytes from the start of the arena. Tensors that live at different times share places, and so do those of one content. */
  readonly offset: number;
}

/** A call of a kernel or of the host. */
export type PlanStep = (KernelCall | HostCall) & {
  /** The operator of the graph that it computes, or a part of. */
  readonly operator: { readonly index: number; readonly op: string };
  /** Bytes of its packed constants. */
  readonly packedBytes: number;
  /** Bytes of scratch memory, which all steps share. */
  readonly scratchBytes: number;
};

/** Where everything lies: bytes from the start of the plan's memory. */
export interface MemoryLayout {
  readonly bytes: number;
  /** The packed constants of each step. */
  readonly packed: readonly number[];
  /** The parameters of each step. */
  readonly parameters: readonly number[];
  /** The parameters with which inputs are converted, and behind them the levels of pixels. */
  readonly input: number;
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly arena: number;
  readonly arenaBytes: number;
}

/** The end of a classifier. */
export interface PlanHead {
  /** The step that computes the scores. */
  readonly step: number;
  /** What the scores are computed of; it is still there after a run. */
  readonly features: PlanValue;
  /** What a step of a quantised weight is worth: once, or for each class. 1 for floats. */
  readonly weightScales: readonly number[];
  /** What a step of the classifier's input is worth. */
  readonly inputScale: number;
}

export interface CompiledPlan {
  readonly steps: readonly PlanStep[];
  readonly inputs: readonly PlanValue[];
  readonly outputs: readonly PlanValue[];
  readonly tensors: readonly PlanTensor[];
  readonly memory: MemoryLayout;
  /** The end of a classifier, or why it has none. */
  readonly head: PlanHead | string;
}

/** The kernel that a step calls, or the function of the host. */
export const nameOf = (step: PlanStep): string => ("kernel" in step ? step.kernel : step.host);

/**
 * A plan as JSON, to be printed and compared: not to be read again, since without the weights it is of no use to anything
 * that runs. Infinities, which JSON does not have, become strings.
 */
export const serialisePlan = (plan: CompiledPlan, indent?: number): string =>
  JSON.stringify(
    plan,
    (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value),
    indent,
  );
