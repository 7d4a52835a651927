// The labeler's own with JPEGs at full scale, as Pillow decodes them.
import { decodeAt } from "./ours.js";
import { serve } from "./worker.js";

export default serve(() => decodeAt("full"));
