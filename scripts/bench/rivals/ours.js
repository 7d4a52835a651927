// The labeler's own: from the file to the model's input, at the scale that the service picks.
import { decodeToInput } from "../../../worker/image/decode.ts";
import { ByteStream } from "../../../worker/runtime/byte-stream.ts";
import { serve } from "./worker.js";

const options = { width: 224, height: 224, crop: "squash", exif: "apply", maxPixels: 1e8 };

export const decodeAt = (scale) => async (bytes) => {
  const image = await decodeToInput(new ByteStream([bytes]), { ...options, scale, fileSize: bytes.length });
  return { width: image.sourceWidth, height: image.sourceHeight, data: image.pixels, channels: 3, alpha: -1 };
};

export default serve(() => decodeAt("auto"));
