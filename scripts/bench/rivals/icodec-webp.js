// https://www.npmjs.com/package/icodec, whose module is handed over compiled: as published it would compile bytes.
import factory from "../node_modules/icodec/dist/webp-dec.js";
import module from "../node_modules/icodec/dist/webp-dec.wasm";
import { once, rgba, serve } from "./worker.js";

// What its entry defines for its wasm.
globalThis._icodec_ImageData = (data, width, height, depth) => ({ data, width, height, depth });

const instantiateWasm = (imports, done) => {
  const instance = new WebAssembly.Instance(module, imports);
  done(instance);
  return instance.exports;
};

export default serve(
  once(async () => {
    const { decode } = await factory({ instantiateWasm });
    return (bytes) => rgba(decode(bytes));
  }),
);
