// https://www.npmjs.com/package/@cf-wasm/photon, made for Workers: Rust's image crate, which takes any of the formats.
import { PhotonImage } from "@cf-wasm/photon/workerd";
import { rgba, serve } from "./worker.js";

export default serve(() => (bytes) => {
  const image = PhotonImage.new_from_byteslice(bytes);
  const output = rgba({ data: image.get_raw_pixels(), width: image.get_width(), height: image.get_height() });
  image.free();
  return output;
});
