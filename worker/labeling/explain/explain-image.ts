/** Labels an image and draws where in it the network sees a label: a class activation map over the image, as a PNG. */

import type { DecodedImage } from "../../image/decode.ts";
import { boxIn } from "../../image/fractions.ts";
import type { Size } from "../../image/geometry.ts";
import type { Crop } from "../../model/crop.ts";
import { atOnce } from "../../runtime/execute.ts";
import { admitted, withBeginning } from "../admission.ts";
import type { LabelContext } from "../context.ts";
import { pixelsOf } from "../decode-input.ts";
import { type Model, prepareModel } from "../prepare-model.ts";
import type { ImageSource, Labelled, LabelOptions } from "../types.ts";
import { HeatMap } from "./heat-map.ts";
import { encodePng } from "./png.ts";

/** The area of a picture, in pixels, whatever its shape. */
const AREA = 176_000;

/** The longest side of a picture, in pixels, for shapes that are hardly more than a line. */
const LONGEST_SIDE = 4096;

const sideOf = (length: number): number => Math.min(LONGEST_SIDE, Math.max(1, Math.ceil(length)));

/**
 * The shape of the picture, or of the rectangle in it, before it was squashed to the input; a central crop is square.
 */
function shapeOf({ sourceWidth: width, sourceHeight: height }: DecodedImage, crop: Crop): Size {
  if (crop === "squash") return { width, height };
  return crop === "center" ? { width: 1, height: 1 } : boxIn({ width, height }, crop);
}

export interface Explained extends Labelled {
  /** A PNG file. */
  readonly picture: Uint8Array<ArrayBuffer>;
}

/**
 * Like labelOne(), with a picture of the explanation.
 *
 * @param rank The rank of the label that is explained; 1 is the top-1 label.
 * @throws LabelerError as labelOne() does, and of kind no-explanation for a network that does not have such maps.
 */
export async function explainOne(
  image: ImageSource,
  rank: number,
  options: LabelOptions,
  context: LabelContext,
): Promise<Explained> {
  const model = await prepareModel(options, context);
  return withBeginning(image, context, (image) =>
    admitted(context, image, (context) => explain(image, rank, model, options, context)),
  );
}

async function explain(
  image: ImageSource,
  rank: number,
  model: Model,
  options: LabelOptions,
  context: LabelContext,
): Promise<Explained> {
  const decoded = await pixelsOf(image, model, options, context);
  const { pixels, missing, warnings, eighths, format } = decoded;
  context.trace?.images.push({ format, model: model.entry.name, cache: "bypass" });
  const { labels, map, input } = await model.run(function* (classifier) {
    return { ...(yield* classifier.explain(pixels, rank, options)), input: classifier.input };
  });
  const crop = model.regions?.[0]?.crop ?? options.crop ?? model.entry.crop ?? "squash";
  const shape = shapeOf(decoded, crop);
  const scale = Math.sqrt(AREA / (shape.width * shape.height));
  const [wide, high] = [sideOf(shape.width * scale), sideOf(shape.height * scale)];
  const drawing = new HeatMap({ ...input, values: pixels }, map, wide, high);
  const picture = await encodePng(drawing, context.execute ?? atOnce);
  return { labels, missing, warnings, eighths, format, model: model.entry.name, picture };
}
