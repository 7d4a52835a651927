// https://www.npmjs.com/package/upng-js: what `decode` gives, without the conversion to RGBA that most callers need.
import UPNG from "upng-js";
import { serve } from "./worker.js";

const CHANNELS = { 2: 3, 3: 1, 6: 4 };

export default serve(() => (bytes) => {
  const { width, height, data, ctype } = UPNG.decode(bytes.buffer);
  return { width, height, data, channels: CHANNELS[ctype], alpha: 3 };
});
