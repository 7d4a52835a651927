// https://www.npmjs.com/package/@tensorflow/tfjs-backend-wasm as it is, with a GraphModel as its converter makes it.
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import "@tensorflow/tfjs-backend-wasm/dist/register_all_kernels.js";
import { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";
import createWasm from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.js";
import wasmModule from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm";
import * as tf from "@tensorflow/tfjs-core";
import { floats, inputOf } from "./serve.js";

/** What the package's own init() does, which would fetch and compile the module; an isolate may not. */
async function start() {
  const wasm = await createWasm({
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(wasmModule, imports);
      done(instance, wasmModule);
      return instance.exports;
    },
  });
  wasm.tfjs = {
    init: wasm.cwrap("init", null, []),
    initWithThreadsCount: wasm.cwrap("init_with_threads_count", null, ["number"]),
    getThreadsCount: wasm.cwrap("get_threads_count", "number", []),
    registerTensor: wasm.cwrap("register_tensor", null, ["number", "number", "number"]),
    disposeData: wasm.cwrap("dispose_data", null, ["number"]),
    dispose: wasm.cwrap("dispose", null, []),
  };
  tf.registerBackend("wasm", () => new BackendWasm(wasm), 10);
  await tf.setBackend("wasm");
}

/** A model of tfjs.json and tfjs.bin. */
async function loadModel(read) {
  await start();
  const { modelTopology, weightsManifest } = JSON.parse(new TextDecoder().decode(await read("tfjs.json")));
  const weightData = (await read("tfjs.bin")).buffer;
  const weightSpecs = weightsManifest[0].weights;
  return await loadGraphModel({ load: async () => ({ modelTopology, weightSpecs, weightData }) });
}

/** What serve() wants. */
export async function loadStock(read) {
  const input = await inputOf(read);
  const model = await loadModel(read);
  const prepare = floats(input);
  const shape = [1, input.height, input.width, 3];
  return {
    input,
    run(pixels) {
      return tf.tidy(() => model.execute({ input: tf.tensor(prepare(pixels), shape) }, "output").dataSync());
    },
  };
}
