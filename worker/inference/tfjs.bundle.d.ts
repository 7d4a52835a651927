/** Types of the generated tfjs.bundle.js (entry: tfjs.entry.ts). */
import type { KernelBackend, KernelConfig } from "@tensorflow/tfjs-core";

export {
  add,
  avgPool,
  clipByValue,
  concat,
  div,
  engine,
  fused,
  keep,
  max,
  maximum,
  maxPool,
  mean,
  memory,
  minimum,
  mirrorPad,
  mul,
  pad,
  registerBackend,
  registerKernel,
  relu,
  relu6,
  reshape,
  setBackend,
  sigmoid,
  slice,
  softmax,
  stridedSlice,
  sub,
  sum,
  tensor,
  tidy,
  transpose,
} from "@tensorflow/tfjs-core";

/** The emscripten module of the wasm backend, as far as the Worker touches it. */
export interface TfjsWasm {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
  cwrap(name: string, returns: "number" | null, parameters: "number"[] | null): (...values: number[]) => number;
  tfjs: Record<string, (...values: number[]) => number>;
}

export const createWasm: (options: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): WebAssembly.Exports;
}) => Promise<TfjsWasm>;

export const BackendWasm: new (wasm: TfjsWasm) => KernelBackend;

/** The kernels of the wasm backend that the executor needs. */
export const kernels: KernelConfig[];
