// MozJPEG of icodec.
import factory from "../node_modules/icodec/dist/mozjpeg.js";
import module from "../node_modules/icodec/dist/mozjpeg.wasm";
import { serveIcodec } from "./icodec.js";

export default serveIcodec(factory, module);
