// Decoders of https://www.npmjs.com/package/icodec whose module is passed in compiled: as published, it would compile bytes.
import { instantiating, once, rgba, serve } from "./worker.js";

// What its entry defines for its wasm.
globalThis._icodec_ImageData = (data, width, height, depth) => ({ data, width, height, depth });

export const serveIcodec = (factory, module) =>
  serve(
    once(async () => {
      const { decode } = await factory({ instantiateWasm: instantiating(module) });
      return (bytes) => rgba(decode(bytes));
    }),
  );
