/**
 * POST /ekuiper/…: the calls of an eKuiper external service. eKuiper drops the row of any call that is not answered with
 * a 2xx, so an image that cannot be read is an answer here and no error: the rule sees the reason.
 */
import { type Context, Hono } from "hono";
import { isImageFault, LabelerError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { openBody } from "../http/body.ts";
import { faultOf } from "../http/image-notes.ts";
import { headerAndQuery } from "../http/label-query-header.ts";
import { labelRequest } from "../http/label-request.ts";
import { labelContext } from "../http/labeler.ts";
import { parseQuery } from "../http/query.ts";
import { resultsOf } from "../http/results-object.ts";
import { requires } from "../http/scopes.ts";
import { readSubmission } from "../http/submission.ts";
import { prepareModel } from "../labeling/prepare-model.ts";
import type { Labelled } from "../labeling/types.ts";
import type { Label } from "../model/probabilities.ts";
import { RecentIds } from "../results/recent-ids.ts";
import { Digest } from "../runtime/digest.ts";
import { settingsOf } from "../settings/settings.ts";
import { quote } from "../validation/quote.ts";

/** The labels of a region, or of the picture. */
interface Found {
  results: Label[];
  label: string;
  confidence: number;
}

interface Reply extends Found {
  /** The regions in the order of model.json; absent if the picture is labelled as one. */
  regions?: (Found & { name: string })[];
  error?: string;
  /** The name of the model that labelled, or would have. */
  model: string;
}

const foundIn = (results: Label[]): Found => ({
  results,
  label: results[0]?.label ?? "",
  confidence: results[0]?.confidence ?? 0,
});

/** @param asked The model that was asked for. */
async function reply(labelled: Promise<Labelled>, asked: () => string): Promise<Reply> {
  try {
    const { labels, regions, model, ...image } = await labelled;
    const error = faultOf(image);
    return {
      ...foundIn(labels),
      ...(regions && { regions: regions.map(({ name, labels }) => ({ name, ...foundIn(labels) })) }),
      model,
      ...(error !== undefined && { error }),
    };
  } catch (error) {
    if (!(error instanceof LabelerError) || !isImageFault(error)) throw error;
    return { results: [], label: "", confidence: 0, error: error.message, model: asked() };
  }
}

const modelOf = (c: Context<AppEnv>, { model }: Record<string, string[]>) =>
  model?.[0] ?? settingsOf(c.env).DEFAULT_MODEL;

/**
 * Labels the request's image as query and header say. An image that cannot be read has all regions of its model with empty
 * labels: eKuiper would drop the row of a rule that reads one that is not there.
 *
 * @param oneAnswer Whether there is room for one region alone.
 */
async function labelOfBody(c: Context<AppEnv>, oneAnswer = false): Promise<Reply> {
  const queries = headerAndQuery(c);
  const parse = (all: Record<string, string[]>) => ({ ...parseQuery(all), oneAnswer });
  const answer = await reply(labelRequest(c, { queries, parse }), () => modelOf(c, queries));
  if (answer.regions !== undefined || answer.error === undefined) return answer;
  const { regions } = await prepareModel(parse(queries), labelContext(c));
  return { ...answer, ...(regions && { regions: regions.map(({ name }) => ({ name, ...foundIn([]) })) }) };
}

/** The regions for which the schema of a function has fields, as `npm run ekuiper -- install` notes them. */
const REGIONS_HEADER = "x-label-regions";

/**
 * As labelImage, with a field for each region in place of the list, for a function whose schema has their names. A region
 * that the model does not have any more has an empty label, so that its rule keeps the row and reads the reason.
 */
async function labelRegions(c: Context<AppEnv>) {
  const { regions = [], ...answer } = await labelOfBody(c);
  const found = new Map(regions.map(({ name, ...region }) => [name, region]));
  const names = c.req.header(REGIONS_HEADER)?.split(",") ?? [...found.keys()];
  const missing = names.filter((name) => !found.has(name));
  const error =
    missing.length > 0 && answer.error === undefined ? renamed(answer.model, missing, [...found.keys()]) : {};
  return {
    ...answer,
    ...error,
    regions: Object.fromEntries(names.map((name) => [name, found.get(name) ?? foundIn([])])),
  };
}

const renamed = (model: string, missing: readonly string[], names: readonly string[]) => ({
  error:
    `The model ${quote(model)} does not have the region ${missing.join(", ")}, but ${names.join(", ") || "none"}. After a change of ` +
    "its regions run npm run ekuiper -- install.",
});

const recentIds = new RecentIds();

/**
 * Labels an image and keeps the result. Whatever is the image's fault is kept, too: the sender could only send it again.
 * Everything else is an error, so that a relay tries again.
 *
 * The object with the results is called once, since Cloudflare bills its calls and limits their rate. It is asked for an id
 * beforehand only if this isolate has stored a result of that id, since then a second labelling can be saved.
 */
async function keep(c: Context<AppEnv>): Promise<void> {
  const parameters = headerAndQuery(c);
  let submission = readSubmission(c, parameters);
  const store = resultsOf(c.env);
  if (submission.id !== undefined && recentIds.has(submission.id) && (await store.has(submission.id))) return;
  const digest = submission.id === undefined ? new Digest() : undefined;
  const { results, regions, error, model } = await reply(
    labelRequest(c, {
      queries: parameters,
      parse(queries) {
        submission = readSubmission(c, queries);
        return parseQuery(submission.queries);
      },
      observe: digest && ((chunk) => digest.add(chunk)),
    }),
    () => modelOf(c, submission.queries),
  );
  const { id: given, queries: _, ...rest } = submission;
  // What was refused before its first byte has no digest of its own.
  const id = given ?? (digest?.length ? await digest.hex() : crypto.randomUUID());
  await store.put({
    id,
    ...rest,
    model,
    results,
    regions: regions?.map(({ name, results: labels }) => ({ name, labels })),
    error,
  });
  recentIds.add(id);
}

interface FoundResult {
  found: boolean;
  label: string;
  confidence: number;
  time: string;
  device: string;
  error: string;
}

/** The result of the image whose id is the body. Nothing in it is null: eKuiper would drop the row. */
async function labelOf(c: Context<AppEnv>): Promise<FoundResult> {
  const body = await openBody(c).stream.all({ limit: 4096 });
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
  .post("/labelImage", requires("label"), async (c) => c.json(await labelOfBody(c)))
  .post("/labelRegions", requires("label"), async (c) => c.json(await labelRegions(c)))
  .post("/labelText", requires("label"), async (c) => c.text((await labelOfBody(c, true)).label))
  .post("/labelOf", requires("results"), async (c) => c.json(await labelOf(c)))
  .post("/sink", requires("submit"), async (c) => {
    await keep(c);
    // Empty, or eKuiper's sink would open a connection for each image.
    return c.body(null, 204);
  });
