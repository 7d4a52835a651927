/** Sends one image to a labeler and retries while it is busy; reports why one image, or every image, is refused. */
import { CommandError } from "../../command-line/command.ts";
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

async function detailOf(response: Response): Promise<{ detail: string; type: string }> {
  const text = await response.text();
  try {
    const { detail, type } = JSON.parse(text) as { detail?: unknown; type?: unknown };
    if (typeof detail === "string") return { detail, type: String(type) };
  } catch {
    // The response is not problem details: it comes from another server in between.
  }
  return { detail: `${response.status} ${response.statusText}: ${text.slice(0, 200)}`, type: "" };
}

/** The bytes of an image file, or why it cannot be read. */
export async function readImage(image: Image): Promise<{ body: Uint8Array<ArrayBuffer> } | { error: string }> {
  try {
    return { body: await image.read() };
  } catch (error) {
    return { error: `It cannot be read: ${(error as Error).message}` };
  }
}

/**
 * @param path The path and query, such as "/label?top=1".
 * @returns The response if it is a success, or why this image was refused.
 * @throws CommandError if the labeler refuses every image alike, so that asking for another image is pointless.
 */
export async function postImage(
  { url, token }: Server,
  path: string,
  body: Uint8Array<ArrayBuffer>,
  accept: string,
): Promise<{ response: Response } | { error: string }> {
  for (let attempt = 1; ; attempt++) {
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        method: "POST",
        body,
        headers: { accept, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      const { message, cause } = error as Error;
      throw new CommandError(`${url} cannot be reached: ${cause instanceof Error ? cause.message : message}`);
    }
    if (response.ok) return { response };
    const { detail, type } = await detailOf(response);
    const later = Number(response.headers.get("retry-after") ?? Number.NaN);
    if ((response.status === 429 || response.status === 503) && attempt < ATTEMPTS) {
      await wait(Number.isFinite(later) ? Math.min(later, 30) : attempt);
      continue;
    }
    if (ALIKE.has(response.status) && !type.endsWith(":bad-body")) throw new CommandError(detail);
    return { error: detail };
  }
}
