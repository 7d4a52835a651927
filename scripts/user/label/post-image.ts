/** Sends one image to a labeler, again where it is busy; says why an image is refused, or that all are. */
import { CommandError } from "../../command-line/command.ts";
import type { Image } from "./images.ts";

export interface Server {
  /** Its address without a slash at the end. */
  readonly url: string;
  readonly token: string | undefined;
}

/** Statuses that another image would get too. */
const ALIKE = new Set([400, 401, 403, 404, 405]);

/** A labeler that is busy says when to come again; how often one does, and how long a request may take. */
const ATTEMPTS = 5;
const TIMEOUT_MS = 120_000;

const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function detailOf(response: Response): Promise<{ detail: string; type: string }> {
  const text = await response.text();
  try {
    const { detail, type } = JSON.parse(text) as { detail?: unknown; type?: unknown };
    if (typeof detail === "string") return { detail, type: String(type) };
  } catch {
    // No problem details: some other server in between.
  }
  return { detail: `${response.status} ${response.statusText}: ${text.slice(0, 200)}`, type: "" };
}

/** The bytes of an image that was read, or why it cannot be. */
export async function readImage(image: Image): Promise<{ body: Uint8Array<ArrayBuffer> } | { error: string }> {
  try {
    return { body: await image.read() };
  } catch (error) {
    return { error: `It cannot be read: ${(error as Error).message}` };
  }
}

/**
 * @param path With its query, such as "/label?top=1".
 * @returns The answer if it is a success, or why this image has none.
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
