// https://www.npmjs.com/package/@jsquash/jpeg
import module from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm";
import decode, { init } from "@jsquash/jpeg/decode.js";
import { once, rgba, serve } from "./worker.js";

export default serve(
  once(async () => {
    await init(module);
    return async (bytes) => rgba(await decode(bytes));
  }),
);
