// https://www.npmjs.com/package/@litertjs/core, its build for CPUs with relaxed SIMD, which is the fastest it has.
import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import createModule from "@litertjs/core/wasm/litert_wasm_internal.js";
import wasmModule from "@litertjs/core/wasm/litert_wasm_internal.wasm";
import { floats, inputOf, serve } from "./serve.js";

// The package adds a <script> for this; litert-script.js takes its place.
globalThis.location ??= { href: "https://bench.invalid/" };
globalThis.ModuleFactory = () =>
  createModule({
    instantiateWasm(imports, done) {
      done(new WebAssembly.Instance(wasmModule, imports), wasmModule);
      return {};
    },
  });

export default serve(async (read, { file = "model.tflite" }) => {
  const input = await inputOf(read);
  await loadLiteRt("/");
  const model = await loadAndCompile(await read(file), {
    accelerator: "wasm",
    cpuOptions: { numThreads: 1 },
  });
  const prepare = input.type === "uint8" ? (pixels) => pixels : floats(input);
  const shape = [1, input.height, input.width, 3];
  return {
    input,
    async run(pixels) {
      const tensor = new Tensor(prepare(pixels), shape);
      const [output] = await model.run(tensor);
      const values = output.toTypedArray();
      tensor.delete();
      output.delete();
      return values;
    },
  };
});
