/** Gets the features of photos from a labeler. */
import { FEATURE_NAMES, type Features } from "../../../worker/teaching/features.ts";
import { postImage, type Server } from "../label/post-image.ts";

/** How a photo becomes features: the parameters of POST /features. */
export interface FeatureQuery {
  readonly model: string;
  readonly precision: string;
  readonly crop: string;
}

/** Splits an answer into its features. @param parts The header X-Features: "pooled=1280,maxima=1280,…". */
function partsIn(values: Float32Array, parts: string): Features {
  let at = 0;
  const found = parts.split(",").map((part) => {
    const [name = "", count] = part.split("=");
    at += Number(count);
    return [name, values.slice(at - Number(count), at)] as const;
  });
  const names = found.map(([name]) => name).join();
  if (names !== FEATURE_NAMES.join() || at !== values.length) throw new Error(`the labeler answered with ${parts}`);
  return Object.fromEntries(found) as unknown as Features;
}

/** @returns The features, or why this photo has none. @throws CommandError if the labeler refuses every photo alike. */
export async function featuresOf(
  server: Server,
  query: FeatureQuery,
  body: Uint8Array<ArrayBuffer>,
): Promise<{ features: Features } | { error: string }> {
  const parameters = new URLSearchParams({ ...query, parts: "all" });
  const posted = await postImage(server, `/features?${parameters}`, body, "application/octet-stream");
  if ("error" in posted) return posted;
  const { answer } = posted;
  return { features: partsIn(new Float32Array(answer.body.buffer), answer.header("x-features") ?? "") };
}
