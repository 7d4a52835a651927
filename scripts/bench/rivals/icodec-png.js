// https://www.npmjs.com/package/icodec
import factory, { png_to_rgba } from "../node_modules/icodec/dist/pngquant.js";
import module from "../node_modules/icodec/dist/pngquant_bg.wasm";
import { once, rgba, serve } from "./worker.js";

export default serve(
  once(async () => {
    await factory({ module_or_path: module });
    return (bytes) => {
      const [data, width] = png_to_rgba(bytes);
      return rgba({ data, width, height: data.length / width / 4 });
    };
  }),
);
