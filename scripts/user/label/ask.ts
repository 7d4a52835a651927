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
  const posted = await postImage(server, `/label?${query}`, read.body, "application/json");
  if ("error" in posted) return { file, error: posted.error };
  const { answer } = posted;
  const missing = answer.header("x-image-missing");
  const warnings = answer.header("x-image-warnings");
  const found = JSON.parse(new TextDecoder().decode(answer.body)) as Label[] | Pick<Answer, "regions">;
  return {
    file,
    ...(Array.isArray(found) ? { labels: found } : found),
    ...(missing === undefined ? {} : { missing: Number(missing) }),
    ...(warnings === undefined ? {} : { warnings: Number(warnings) }),
  };
}
