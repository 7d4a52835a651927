/** Labels an image and shows where in it the network sees a label: a class activation map over the image, as a PNG. */
import UPNG from "upng-js";
import {
  admitted,
  type ImageSource,
  type LabelContext,
  type Labelled,
  type LabelOptions,
  pixelsOf,
  prepareModel,
} from "../label-image.ts";
import { drawHeatMap } from "./heat-map.ts";

/**
 * Of a picture, in pixels, whatever its shape. From half a megabyte on upng-js tries fewer ways to write it: a smaller
 * picture would take four times as long and be hardly fewer bytes.
 */
const AREA = 176_000;

/** Of a picture, in pixels; for shapes that are hardly more than a line. */
const LONGEST_SIDE = 4096;

const sideOf = (length: number): number => Math.min(LONGEST_SIDE, Math.max(1, Math.ceil(length)));

export interface Explained extends Labelled {
  /** A PNG. */
  readonly picture: Uint8Array<ArrayBuffer>;
}

/** Without a palette: upng-js 2.1.0 writes those wrong where a picture is small. */
const encodePng = (rgba: Uint8Array<ArrayBuffer>, width: number, height: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(UPNG.encode([rgba.buffer], width, height, 0, undefined, true));

/**
 * As labelOne(), with a picture.
 *
 * @param rank Of the label that is explained; 1 is the best.
 * @throws LabelerError as labelOne() does, and of kind no-explanation for a network that has no such maps.
 */
export async function explainOne(
  image: ImageSource,
  rank: number,
  options: LabelOptions,
  context: LabelContext,
): Promise<Explained> {
  const model = await prepareModel(options, context);
  return admitted(context, image, async (context) => {
    const decoded = await pixelsOf(image, model, options, context);
    const { pixels, missing, format } = decoded;
    context.trace?.images.push({ format, model: model.entry.name, cache: "bypass" });
    const { labels, map, input } = await model.run((classifier) => ({
      ...classifier.explain(pixels, rank, options),
      input: classifier.input,
    }));
    // What was squashed gets the image's own shape back; a square of its middle stays one.
    const whole = (options.crop ?? model.entry.crop ?? "squash") === "squash";
    const { sourceWidth, sourceHeight } = whole ? decoded : { sourceWidth: 1, sourceHeight: 1 };
    const scale = Math.sqrt(AREA / (sourceWidth * sourceHeight));
    const [wide, high] = [sideOf(sourceWidth * scale), sideOf(sourceHeight * scale)];
    const drawn = drawHeatMap({ ...input, values: pixels }, map, wide, high);
    return { labels, missing, format, model: model.entry.name, picture: encodePng(drawn, wide, high) };
  });
}
