// https://www.npmjs.com/package/@cornerstonejs/codec-libjpeg-turbo-8bit: the output stays in its memory, without a copy.
import module from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm";
import factory from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs";
import { instantiating, once, serve } from "./worker.js";

// Its glue asks a worker where it is, and workerd has no answer.
self.location ??= { href: "" };

export default serve(
  once(async () => {
    const { JPEGDecoder } = await factory({ instantiateWasm: instantiating(module) });
    const decoder = new JPEGDecoder();
    return (bytes) => {
      decoder.getEncodedBuffer(bytes.length).set(bytes);
      decoder.decode();
      const { width, height, componentCount } = decoder.getFrameInfo();
      return { width, height, data: decoder.getDecodedBuffer(), channels: componentCount, alpha: 3 };
    };
  }),
);
