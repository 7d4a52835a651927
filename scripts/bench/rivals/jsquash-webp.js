// https://www.npmjs.com/package/@jsquash/webp
import module from "@jsquash/webp/codec/dec/webp_dec.wasm";
import decode, { init } from "@jsquash/webp/decode.js";
import { once, rgba, serve } from "./worker.js";

export default serve(
  once(async () => {
    await init(module);
    return async (bytes) => rgba(await decode(bytes));
  }),
);
