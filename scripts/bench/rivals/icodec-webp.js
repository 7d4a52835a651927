// libwebp of icodec.
import factory from "../node_modules/icodec/dist/webp-dec.js";
import module from "../node_modules/icodec/dist/webp-dec.wasm";
import { serveIcodec } from "./icodec.js";

export default serveIcodec(factory, module);
