/** From a request to the features of its image. */
import type { Context } from "hono";
import { type Featured, featuresOfOne } from "../labeling/features-of-image.ts";
import type { AppEnv } from "./app-env.ts";
import { onlyImage, withImages } from "./label-request.ts";
import { parseStrictly } from "./parse-query.ts";
import { type FeaturesQuery, featuresQuery } from "./query.ts";

const NAMES = Object.keys(featuresQuery.shape);

export interface FeaturesAnswer extends Featured {
  readonly parts: FeaturesQuery["parts"];
}

/**
 * Computes the features of the image in the request's body as its parameters say.
 *
 * @throws LabelerError for every mistake in parameters, body or image; several images are one. Of kind no-features where the
 *   network has none.
 */
export function featuresRequest(c: Context<AppEnv>): Promise<FeaturesAnswer> {
  const advice = "This call takes one image. Send several one by one.";
  const parse = (queries: Record<string, string[]>) => parseStrictly(featuresQuery, queries);
  return withImages(c, { queries: c.req.queries(), parse, names: NAMES }, (images, { parts, ...options }, context) =>
    onlyImage(images, advice, async (image) => ({ ...(await featuresOfOne(image, options, context)), parts })),
  );
}
