/**
 * POST /ekuiper/…: the calls of an eKuiper external service. eKuiper drops the row of any call that is not answered with
 * a 2xx, so an image that cannot be read is an answer here and no error: the rule sees the reason.
 */
import { type Context, Hono } from "hono";
import { isImageFault, LabelerError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { openBody } from "../http/body.ts";
import { handedOver } from "../http/handed-over.ts";
import { faultOf } from "../http/image-notes.ts";
import { labelRequest } from "../http/label-request.ts";
import { resultsOf } from "../http/results-object.ts";
import { requires } from "../http/scopes.ts";
import type { Labelled } from "../labeling/types.ts";
import type { Label } from "../model/top-k.ts";
import { ByteStream } from "../runtime/byte-stream.ts";
import { Digest } from "../runtime/digest.ts";
import { settingsOf } from "../settings/settings.ts";

interface Reply {
  results: Label[];
  label: string;
  confidence: number;
  error?: string;
}

async function reply(labelled: Promise<Labelled>): Promise<Reply> {
  try {
    const { labels: results, ...image } = await labelled;
    const best = { label: results[0]?.label ?? "", confidence: results[0]?.confidence ?? 0 };
    const error = faultOf(image);
    return { results, ...best, ...(error !== undefined && { error }) };
  } catch (error) {
    if (!(error instanceof LabelerError) || !isImageFault(error)) throw error;
    return { results: [], label: "", confidence: 0, error: error.message };
  }
}

/**
 * Labels an image and keeps the result. Whatever is the image's fault is kept, too: the sender could only send it again.
 * Everything else is an error, so that a relay tries again.
 */
async function keep(c: Context<AppEnv>): Promise<void> {
  const { id: given, queries, ...rest } = handedOver(c);
  const store = resultsOf(c.env);
  if (given !== undefined && (await store.has(given))) return;
  const digest = given === undefined ? new Digest() : undefined;
  const { results, error } = await reply(
    labelRequest(c, { queries, observe: digest && ((piece) => digest.add(piece)) }),
  );
  // What was refused before its first byte has no digest of its own.
  const id = given ?? (digest?.length ? await digest.hex() : crypto.randomUUID());
  await store.put({
    id,
    ...rest,
    model: queries.model?.[0] ?? settingsOf(c.env).DEFAULT_MODEL,
    results,
    error,
  });
}

interface Found {
  found: boolean;
  label: string;
  confidence: number;
  time: string;
  device: string;
  error: string;
}

/** The result of the image whose id is the body. Nothing in it is null: eKuiper would drop the row. */
async function labelOf(c: Context<AppEnv>): Promise<Found> {
  const body = await new ByteStream(openBody(c.req.raw, settingsOf(c.env).MAX_BODY_BYTES).pieces).all({ limit: 4096 });
  const result = body && (await resultsOf(c.env).get(new TextDecoder().decode(body).trim()));
  return {
    found: result != null,
    label: result?.label ?? "",
    confidence: result?.confidence ?? 0,
    time: result?.time ?? "",
    device: result?.device ?? "",
    error: result?.error ?? "",
  };
}

/** An object on top, since eKuiper takes no array there; its fields are those of ekuiper/service/schemas/labeler.proto. */
export const ekuiper = new Hono<AppEnv>()
  .post("/labelImage", requires("label"), async (c) => c.json(await reply(labelRequest(c))))
  .post("/labelText", requires("label"), async (c) => c.text((await reply(labelRequest(c))).label))
  .post("/labelOf", requires("results"), async (c) => c.json(await labelOf(c)))
  .post("/sink", requires("submit"), async (c) => {
    await keep(c);
    // Empty, or eKuiper's sink would open a connection for each image.
    return c.body(null, 204);
  });
