/** Sets up TensorFlow.js on its WebAssembly backend inside an isolate. It does not depend on graphs or models. */

import wasmModule from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm";
import {
  BackendWasm,
  createWasm,
  kernels,
  registerBackend,
  registerKernel,
  setBackend,
  tensor,
} from "./tfjs.bundle.js";

let ready: Promise<void> | undefined;

/**
 * The memory of tfjs' wasm module, in which our kernels work. Views of `memory.buffer` do not outlive an allocation.
 */
export interface WasmHeap {
  readonly memory: WebAssembly.Memory;
  /** @returns An address, or 0 if there is not enough memory. */
  malloc(bytes: number): number;
  free(address: number): void;
}

let heap: WasmHeap | undefined;

/** The heap of the backend that initBackend() has started. */
export function wasmHeap(): WasmHeap {
  if (heap === undefined) throw new Error("initBackend() has to come first");
  return heap;
}

/**
 * Makes tfjs usable: instantiates its wasm module and registers the backend and kernels. Call it before any tfjs op;
 * later calls are free. It does no I/O, so that any request may await what another one has started.
 */
export function initBackend(): Promise<void> {
  ready ??= start().catch((error: unknown) => {
    ready = undefined;
    throw error;
  });
  return ready;
}

async function start(): Promise<void> {
  // An isolate may not compile bytes, so the module is imported and only its instance is made here.
  let memory: WebAssembly.Memory | undefined;
  const wasm = await createWasm({
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(wasmModule, imports);
      memory = instance.exports.memory as WebAssembly.Memory;
      done(instance, wasmModule);
      return instance.exports;
    },
  });
  if (memory === undefined) throw new Error("tfjs did not instantiate its wasm module");
  // From 2 GiB on, addresses arrive as negative numbers.
  heap = { memory, malloc: (bytes) => wasm._malloc(bytes) >>> 0, free: (address) => wasm._free(address) };
  // The bridge that tfjs-backend-wasm makes in its own init(), which would try to fetch the module.
  wasm.tfjs = {
    init: wasm.cwrap("init", null, []),
    initWithThreadsCount: wasm.cwrap("init_with_threads_count", null, ["number"]),
    getThreadsCount: wasm.cwrap("get_threads_count", "number", []),
    registerTensor: wasm.cwrap("register_tensor", null, ["number", "number", "number"]),
    disposeData: wasm.cwrap("dispose_data", null, ["number"]),
    dispose: wasm.cwrap("dispose", null, []),
  };
  registerBackend("wasm", () => new BackendWasm(wasm));
  for (const kernel of kernels) registerKernel(kernel);
  if (!(await setBackend("wasm"))) throw new Error("tfjs did not accept its wasm backend");
  // Triggers tfjs' allocations for its first tensor, so that they lie below the models and do not split their memory.
  tensor([0], [1], "float32").dispose();
}
