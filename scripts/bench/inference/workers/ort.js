// https://www.npmjs.com/package/onnxruntime-web, its build for WebAssembly alone.

import wasmModule from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import * as ort from "onnxruntime-web/wasm";
import { bytes, floats, inputOf, serve } from "./serve.js";

// It passes on the given bytes, which an isolate may not compile: the compiled module exists already.
WebAssembly.instantiate = async (_bytes, imports) => ({
  instance: new WebAssembly.Instance(wasmModule, imports),
  module: wasmModule,
});

export default serve(async (read) => {
  const input = await inputOf(read);
  Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: new Uint8Array(1) });
  const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
  const session = await ort.InferenceSession.create(await read("model.onnx"), options);
  const shape = [1, 3, input.height, input.width];
  const [type, prepare] = input.type === "uint8" ? ["uint8", bytes(input)] : ["float32", floats(input, true)];
  const [inputName, outputName] = [session.inputNames[0], session.outputNames[0]];
  return {
    input,
    async run(pixels) {
      const outputs = await session.run({ [inputName]: new ort.Tensor(type, prepare(pixels), shape) });
      return outputs[outputName].data;
    },
  };
});
