/** A change of size at the beginning of a network, which the labeler does itself. */
import { refuseLayer } from "../errors.ts";
import { imageOf, type Mapper, ofOne } from "./layer.ts";

/** The operator is written as Keras means it; worker/inference/rewrites/front.ts drops it where it is at the front. */
export const RESIZING: Readonly<Record<string, Mapper>> = {
  Resizing: ofOne((network, layer, x) => {
    const [, , channels] = imageOf(layer, x);
    const { config } = layer;
    const [height, width] = [config.size("height"), config.size("width")];
    if (config.boolean("crop_to_aspect_ratio", false)) {
      return refuseLayer(layer, "crops pictures", 'Leave it out, and state {"crop": "center"} in model.json.');
    }
    if (config.boolean("pad_to_aspect_ratio", false))
      return refuseLayer(layer, "adds margins to pictures", "Leave it out.");
    if (!network.isAtFront(x)) {
      return refuseLayer(
        layer,
        "changes the size in the middle of the network",
        "Only at its beginning can it be dropped.",
      );
    }
    const size = network.integers([height, width]);
    return network.add("RESIZE_BILINEAR", [x.tensor, size], [1, height, width, channels]);
  }),
};
