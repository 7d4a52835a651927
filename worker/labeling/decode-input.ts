/** Decodes the bytes of an image to the pixels of a model's input, scheduled with other requests. */
import { type DecodedImage, decodeToInput } from "../image/decode.ts";
import type { Scale } from "../image/scale-name.ts";
import type { Precision } from "../model/precision-name.ts";
import { ByteStream } from "../runtime/byte-stream.ts";
import { atOnce } from "../runtime/execute.ts";
import { requestFor } from "./admission.ts";
import type { LabelContext } from "./context.ts";
import type { Model } from "./prepare-model.ts";
import type { ImageSource, LabelOptions } from "./types.ts";

/** The scale at which a JPEG is decoded: the precision `exact` decodes at full size, which takes longer. */
export const scaleFor = ({ scale }: Pick<LabelOptions, "scale">, precision: Precision): Scale =>
  scale ?? (precision === "exact" ? "full" : "auto");

/** The chunks of an image; records how long they were waited for and how many bytes they have. */
async function* received(stream: ByteStream, { trace }: LabelContext): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const asked = performance.now();
    const chunk = await stream.next();
    trace?.took("receive", asked);
    if (chunk === undefined) return;
    if (trace !== undefined) trace.bytes += chunk.length;
    yield chunk;
  }
}

/** Runs a part of the decoding when the scheduler allows it, and records how long it took. */
function executeDecoding<T>(units: number, work: () => T, { execute = atOnce, trace }: LabelContext): Promise<T> {
  return execute(units, () => {
    const start = performance.now();
    try {
      return work();
    } finally {
      trace?.took("decode", start);
    }
  });
}

/**
 * Decodes an image to a model's input, or to one input for each region.
 *
 * @returns Pixels [height, width, 3] of the model's input, 0..255, red first.
 * @throws LabelerError if the image is of an unsupported kind, broken or too large, or the model cannot be used.
 */
export async function pixelsOf(
  image: ImageSource,
  { entry, classifier, precision, regions }: Model,
  options: Pick<LabelOptions, "crop" | "exif" | "scale">,
  context: LabelContext,
): Promise<DecodedImage> {
  // An index entry without an input belongs to a model that cannot be used; loading it throws the reason.
  const { width, height } = entry.input ?? (await classifier()).input;
  return decodeToInput(new ByteStream(received(image.stream, context)), {
    width,
    height,
    crop: options.crop ?? entry.crop ?? "squash",
    regions: regions?.map(({ crop }) => crop),
    exif: options.exif,
    scale: scaleFor(options, precision),
    maxPixels: context.maxPixels,
    fileSize: image.size,
    execute: (units, work) => executeDecoding(units, work, context),
    request: requestFor(context, image),
  });
}
