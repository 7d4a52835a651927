/**
 * POST /ekuiper/…: the calls of an eKuiper external service. eKuiper drops the row of any call that is not answered with
 * a 2xx, so an image that cannot be read is an answer here and no error: the rule sees the reason.
 */
import { Hono } from "hono";
import { type ErrorKind, LabelerError } from "../errors.ts";
import { labelRequest } from "../http/label-request.ts";
import type { AppEnv } from "../http/settings.ts";
import type { Labelled } from "../label-image.ts";
import type { Label } from "../model/top-k.ts";

/** What is the image's fault: the next row may well be fine. Everything else is the rule's or the service's. */
const IMAGE_FAULTS: ReadonlySet<ErrorKind> = new Set([
  "bad-body",
  "body-too-large",
  "image-too-large",
  "unsupported-image",
  "broken-image",
]);

interface Reply {
  results: Label[];
  label: string;
  confidence: number;
  error?: string;
}

async function reply(labelled: Promise<Labelled>): Promise<Reply> {
  try {
    const { labels: results, missing } = await labelled;
    const best = { label: results[0]?.label ?? "", confidence: results[0]?.confidence ?? 0 };
    if (missing === 0) return { results, ...best };
    return { results, ...best, error: `The image ends early: ${Math.ceil(missing * 100)} % of it is not there.` };
  } catch (error) {
    if (!(error instanceof LabelerError) || !IMAGE_FAULTS.has(error.kind)) throw error;
    return { results: [], label: "", confidence: 0, error: error.message };
  }
}

/** An object on top, since eKuiper takes no array there; its fields are those of ekuiper/service/schemas/labeler.proto. */
export const ekuiper = new Hono<AppEnv>()
  .post("/labelImage", async (c) => c.json(await reply(labelRequest(c))))
  .post("/labelText", async (c) => c.text((await reply(labelRequest(c))).label));
