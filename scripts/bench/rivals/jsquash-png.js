// https://www.npmjs.com/package/@jsquash/png

import module from "@jsquash/png/codec/pkg/squoosh_png_bg.wasm";
import decode, { init } from "@jsquash/png/decode.js";
import { once, rgba, serve } from "./worker.js";

export default serve(
  once(async () => {
    await init(module);
    return async (bytes) => rgba(await decode(bytes));
  }),
);
