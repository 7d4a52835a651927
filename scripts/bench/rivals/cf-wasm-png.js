// https://www.npmjs.com/package/@cf-wasm/png, made for Workers: palettes come expanded.
import { decode } from "@cf-wasm/png/workerd";
import { serve } from "./worker.js";

export default serve(() => (bytes) => {
  const { width, height, image } = decode(bytes);
  return { width, height, data: image, channels: image.length / (width * height), alpha: 3 };
});
