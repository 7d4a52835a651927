/** Sends one image to a labeler and retries while it is busy; reports why one image, or every image, is refused. */
import { CommandError } from "../../command-line/command.ts";
import { type Answer, post } from "../../system/post.ts";
import type { Image } from "./images.ts";

export interface Server {
  /** The address of the labeler, without a slash at the end. */
  readonly url: string;
  readonly token: string | undefined;
}

/** Statuses that do not depend on the image. */
const ALIKE = new Set([400, 401, 403, 404, 405]);

/** How often a busy labeler is asked, at the intervals that it states, and how long a request may take. */
const ATTEMPTS = 5;
const TIMEOUT_MS = 120_000;

const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

const textOf = ({ body }: Answer): string => new TextDecoder().decode(body);

function detailOf(answer: Answer): { detail: string; type: string } {
  const text = textOf(answer);
  try {
    const { detail, type } = JSON.parse(text) as { detail?: unknown; type?: unknown };
    if (typeof detail === "string") return { detail, type: String(type) };
  } catch {
    // The answer is not problem details: it comes from another server in between.
  }
  return { detail: `${answer.status}: ${text.slice(0, 200)}`, type: "" };
}

/** The bytes of an image file, or why it cannot be read. */
export async function readImage(image: Image): Promise<{ body: Uint8Array<ArrayBuffer> } | { error: string }> {
  try {
    const body = await image.read();
    return body.length > 0 ? { body } : { error: "The file is empty." };
  } catch (error) {
    return { error: `It cannot be read: ${(error as Error).message}` };
  }
}

/**
 * @param path The path and query, such as "/label?top=1".
 * @returns The answer if it is a success, or why this image was refused.
 * @throws CommandError if the labeler refuses every image alike, so that asking for another image is pointless.
 */
export async function postImage(
  { url, token }: Server,
  path: string,
  body: Uint8Array<ArrayBuffer>,
  accept: string,
): Promise<{ answer: Answer } | { error: string }> {
  const headers = { accept, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  for (let attempt = 1; ; attempt++) {
    let answer: Answer;
    try {
      answer = await post(`${url}${path}`, { body, headers, timeout: TIMEOUT_MS });
    } catch (error) {
      throw new CommandError(
        `${url} cannot be reached: ${(error as Error).message}. Start the labeler there, or give its address with --url.`,
      );
    }
    const { status } = answer;
    if (status >= 200 && status < 300) return { answer };
    const elsewhere = answer.header("location");
    if (status >= 300 && status < 400 && elsewhere !== undefined) {
      throw new CommandError(`${url} refers to ${elsewhere}. Give the address of the labeler itself.`);
    }
    const { detail, type } = detailOf(answer);
    const later = Number(answer.header("retry-after") ?? Number.NaN);
    if ((status === 429 || status === 503) && attempt < ATTEMPTS) {
      await wait(Number.isFinite(later) ? Math.min(later, 30) : attempt);
      continue;
    }
    if (status === 401) {
      throw new CommandError(
        token === undefined
          ? `${url} requires a token. Set LABELER_TOKEN in the environment.`
          : `${url} does not accept the token in LABELER_TOKEN: ${detail}`,
      );
    }
    if (ALIKE.has(status) && !type.endsWith(":bad-body")) throw new CommandError(detail);
    return { error: detail };
  }
}
