/** A custom kernel on tfjs' wasm backend that applies a function to each value. */
import type { NamedAttrMap, Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Heap } from "./requantize.ts";
import { engine, registerKernel } from "./tfjs.bundle.js";

const NAME = "MapValues";

registerKernel({
  kernelName: NAME,
  backendName: "wasm",
  kernelFunc({ inputs, attrs, backend }) {
    const { x } = inputs as { x: TfTensor };
    const { of } = attrs as unknown as { of: (value: number) => number };
    const heap = backend as Heap;
    const output = heap.makeOutput(x.shape, "float32");
    // Both views are made after the allocation, which may have moved the heap.
    const [from, to] = [heap.typedArrayFromHeap(x), heap.typedArrayFromHeap(output)];
    for (let i = 0; i < from.length; i++) to[i] = of(from[i]);
    return output;
  },
});

export const mapValues = (x: TfTensor, of: (value: number) => number): TfTensor =>
  engine().runKernel(NAME, { x }, { of: of as unknown as NamedAttrMap }) as TfTensor;
