/** Asks a labeler over HTTP for the labels of one image. */
import type { Answer, Label } from "./answers.ts";
import type { Image } from "./images.ts";
import { postImage, readImage, type Server } from "./post-image.ts";

export type { Server } from "./post-image.ts";

/**
 * @param query The parameters of POST /label.
 * @throws CommandError if the labeler refuses every image alike, so that asking for another image is pointless.
 */
export async function ask(server: Server, query: URLSearchParams, image: Image): Promise<Answer> {
  const file = image.name;
  const read = await readImage(image);
  if ("error" in read) return { file, error: read.error };
  const answer = await postImage(server, `/label?${query}`, read.body, "application/json");
  if ("error" in answer) return { file, error: answer.error };
  const missing = answer.response.headers.get("x-image-missing");
  const warnings = answer.response.headers.get("x-image-warnings");
  const found = (await answer.response.json()) as Label[] | Pick<Answer, "regions">;
  return {
    file,
    ...(Array.isArray(found) ? { labels: found } : found),
    ...(missing === null ? {} : { missing: Number(missing) }),
    ...(warnings === null ? {} : { warnings: Number(warnings) }),
  };
}
