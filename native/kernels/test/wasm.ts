/** kernels.wasm in Node, in a memory of its own, and compiled plans laid out in it. */
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { type Addresses, addressOf, writeParameters } from "../../../worker/inference/plan/addresses.ts";
import type { Compilation } from "../../../worker/inference/plan/compile.ts";
import type { CompiledPlan } from "../../../worker/inference/plan/compiled-plan.ts";
import { runOnHost } from "../../../worker/inference/plan/host.ts";
import type { Kernels } from "../../../worker/inference/plan/layouts.ts";

const PAGE = 65536;
/** Nothing lies at address 0. */
const BASE = 1024;

/** The module; older engines have relaxed SIMD behind a flag. */
function compileModule(): WebAssembly.Module {
  const bytes = readFileSync(new URL("../kernels.wasm", import.meta.url));
  if (!WebAssembly.validate(bytes)) setFlagsFromString("--experimental-wasm-relaxed-simd");
  return new WebAssembly.Module(bytes);
}

const module = compileModule();
const memory = new WebAssembly.Memory({ initial: 1 });
export const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;

/** The memory, which has at least so many bytes. Earlier views are of no use afterwards. */
export function bufferOf(bytes: number): ArrayBuffer {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  return memory.buffer;
}

/** A plan in the memory, and where things lie in it. */
export interface Placed extends Addresses {
  readonly plan: CompiledPlan;
  readonly parameters: readonly number[];
  readonly buffer: ArrayBuffer;
}

/**
 * Lays a plan out and packs its constants.
 *
 * @param wrap Gets the kernels and how many bytes of the memory are in use, and gives what constants are packed with.
 */
export function place({ plan, constants }: Compilation, wrap = (own: Kernels, _used: number) => own): Placed {
  const { memory: layout, tensors, steps } = plan;
  const staging = BASE + layout.bytes + 64;
  const used = staging + Math.max(0, ...constants.map((packed) => packed?.staging ?? 0)) + 64;
  const buffer = bufferOf(used);
  new Uint8Array(buffer).fill(0);
  const at = (offset: number) => BASE + offset;
  const placed: Placed = {
    plan,
    buffer,
    packed: layout.packed.map(at),
    parameters: layout.parameters.map(at),
    scratch: at(layout.scratch),
    tensors: new Map(tensors.map(({ index, offset }) => [index, at(layout.arena + offset)])),
  };
  const view = new DataView(buffer);
  for (const [i, step] of steps.entries()) {
    const packed = constants[i];
    const to = placed.packed[i] ?? 0;
    packed?.write(new DataView(buffer, to, packed.bytes), {
      kernels: wrap(kernels, used),
      buffer,
      staging: (staging + 15) & ~15,
    });
    if ("kernel" in step) writeParameters(view, placed.parameters[i] ?? 0, step, placed, i);
  }
  return placed;
}

/** Runs a step of a plan. */
export function runStep({ plan, buffer, parameters, ...addresses }: Placed, index: number): void {
  const step = plan.steps[index];
  if (step === undefined) throw new Error(`there is no step ${index}`);
  if ("kernel" in step) kernels[step.kernel](parameters[index] ?? 0);
  else runOnHost(step, buffer, addressOf(addresses, step.from), addressOf(addresses, step.to));
}

/** The bytes of a tensor, as a copy. */
export function tensorBytes({ plan, buffer, tensors }: Placed, index: number): Uint8Array<ArrayBuffer> {
  const { bytes = 0 } = plan.tensors.find((tensor) => tensor.index === index) ?? {};
  return new Uint8Array(buffer, tensors.get(index), bytes).slice();
}
