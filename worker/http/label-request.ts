/** From a request to its labels: what the routes that label have in common. */
import type { Context } from "hono";
import { LabelerError } from "../errors.ts";
import type { LabelContext } from "../labeling/context.ts";
import { type Explained, explainOne } from "../labeling/explain/explain-image.ts";
import { labelOne } from "../labeling/label-image.ts";
import { labelMany, type Outcome, outcomeOf } from "../labeling/label-many.ts";
import { prepareModel } from "../labeling/prepare-model.ts";
import type { ImageSource, Labelled, LabelOptions } from "../labeling/types.ts";
import type { ByteStream } from "../runtime/byte-stream.ts";
import { MemoryUse } from "../runtime/memory-use.ts";
import { settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { openBody } from "./body.ts";
import { callerOf } from "./client-address.ts";
import type { FormSource } from "./form.ts";
import { mayHaveParameters, readBody } from "./image-body.ts";
import type { Images, OneImage } from "./images.ts";
import { buffersOf, labelContext } from "./labeler.ts";
import { withBodyParameters } from "./parameters.ts";
import { type ExplainQuery, explainQuery, labelQuery, parseExplainQuery, parseQuery } from "./query.ts";
import { formBody, freeWhenAnswered, keepUntilAnswered, wholeBody, wholeBodyMemory } from "./whole-body.ts";

type Queries = Record<string, string[]>;

/** A body as a form, and what bounds it. */
function formOf(c: Context<AppEnv>, body: ImageSource): FormSource {
  const { MAX_FORM_BYTES, MAX_IMAGES } = settingsOf(c.env);
  const { reception } = body;
  const request = { signal: c.req.raw.signal, client: callerOf(c), reception };
  const beginning = keepUntilAnswered(c, new MemoryUse(buffersOf(c), request));
  const whole = wholeBodyMemory(c, reception);
  return {
    source: formBody(c, body),
    options: {
      maxImages: MAX_IMAGES,
      maxBytes: MAX_FORM_BYTES,
      execute: c.get("execute"),
      reserveBeginning: (bytes) => beginning.reserve(bytes),
      releaseBeginning: () => beginning.release(),
      reserveWhole: (bytes) => whole.reserve(bytes),
      freeWhenAnswered: (buffer) => freeWhenAnswered(c, buffer),
    },
  };
}

interface Reading<Q extends Pick<LabelOptions, "model" | "precision">> {
  /** The parameters that are known before the body. */
  readonly queries: Queries;
  /**
   * Reads the parameters; called with those of the query first, and with those of the body, too, where it has any.
   *
   * @throws LabelerError of kind bad-parameter.
   */
  readonly parse: (queries: Queries) => Q;
  /** The names of parameters that JSON may have beside its images. */
  readonly names: readonly string[];
  /** Whether JSON is a record of a stream: see JsonOptions. */
  readonly record?: boolean;
}

/**
 * Finds the images and the parameters of a request and has them labelled.
 *
 * @throws LabelerError for every mistake in parameters, body or image; and whatever `label` throws.
 */
export async function withImages<Q extends Pick<LabelOptions, "model" | "precision">, T>(
  c: Context<AppEnv>,
  { queries, parse, names, record }: Reading<Q>,
  label: (images: Images, options: Q, context: LabelContext) => Promise<T>,
): Promise<T> {
  const { MAX_IMAGES } = settingsOf(c.env);
  const asked = parse(queries);
  const context = labelContext(c);
  const contentType = c.req.header("content-type") ?? "";
  // Before the body: an unknown model is said at once, and a cold one loads while the image is still coming.
  if (asked.model !== undefined || !mayHaveParameters(contentType)) await prepareModel(asked, context);
  const source = openBody(c);
  const { images, parameters, place } = await readBody(source, contentType, {
    whole: () => wholeBody(c, source),
    form: () => formOf(c, source),
    maxImages: MAX_IMAGES,
    execute: c.get("execute"),
    parameters: names,
    record,
  });
  const options = parse(withBodyParameters(queries, parameters, place));
  return label(images, options, context);
}

async function exhaust(stream: ByteStream): Promise<void> {
  while ((await stream.next()) !== undefined);
}

/** Labels the only image of a request. @throws LabelerError of kind bad-body if there are several. */
export async function onlyImage<T>(
  { one, behind }: Images,
  advice: string,
  label: (image: ImageSource) => Promise<T>,
): Promise<T> {
  if (one === undefined) throw new LabelerError("bad-body", advice);
  const labelled = await label(one);
  if (behind !== undefined && (await behind()).length > 0) throw new LabelerError("bad-body", advice);
  return labelled;
}

/** Labels an image as it comes, and then those behind it, if there are any. */
async function labelFirst(
  { one, name, behind = async () => [] }: OneImage,
  options: LabelOptions,
  context: LabelContext,
): Promise<Labelled | Outcome[]> {
  // Whether the answer is this image's alone, and may be compared with what the caller has, is not known before the end.
  const first = await outcomeOf(name, () => labelOne(one, options, { ...context, onKey: undefined }));
  const others = await behind();
  if (others.length > 0) return [first, ...(await labelMany(others, options, { ...context, onKey: undefined }))];
  if (first.error !== undefined) throw first.error;
  if (first.labelled.key !== undefined) context.onKey?.(first.labelled.key);
  return first.labelled;
}

async function labelAll(images: Images, options: LabelOptions, context: LabelContext): Promise<Labelled | Outcome[]> {
  if (images.one === undefined) return labelMany(images.many, options, { ...context, onKey: undefined });
  if (images.behind === undefined) return labelOne(images.one, options, context);
  return labelFirst(images, options, context);
}

const LABEL_NAMES = Object.keys(labelQuery.shape);
const EXPLAIN_NAMES = Object.keys(explainQuery.shape);

export interface LabelRequestOptions {
  /** The parameters that are known before the body; the request's query if absent. */
  readonly queries?: Queries;
  /** Reads the parameters; parseQuery() if absent. */
  readonly parse?: (queries: Queries) => LabelOptions;
  /** Gets the image's bytes as they are labelled, and then those behind its end. A chunk holds until the promise does. */
  readonly observe?: ((chunk: Uint8Array) => Promise<void>) | undefined;
}

/**
 * Labels the image in the request's body as its parameters say. JSON may be a record of a stream.
 *
 * @throws LabelerError for every mistake in parameters, body or image; several images are one.
 */
export function labelRequest(
  c: Context<AppEnv>,
  { queries = c.req.queries(), parse = parseQuery, observe }: LabelRequestOptions = {},
): Promise<Labelled> {
  const advice = "This call takes one image. Send several to /label.";
  return withImages(c, { queries, parse, names: LABEL_NAMES, record: true }, (images, options, context) =>
    onlyImage(images, advice, async (image) => {
      if (observe === undefined) return labelOne(image, options, context);
      const watched = image.stream.tap(observe);
      try {
        return await labelOne({ ...image, stream: watched }, options, context);
      } finally {
        await exhaust(watched);
      }
    }),
  );
}

/** What /label answers: labels of one image, or of several, or a label and where it is seen. */
export type LabelAnswer =
  | { readonly labelled: Labelled | Outcome[]; readonly explained?: undefined }
  | { readonly explained: Explained; readonly rank: number };

export interface LabelRequestsOptions {
  /** See LabelContext; for a single image alone. */
  readonly onKey: (key: string) => void;
  /** Whether the answer has room for one region alone, as a text has. */
  readonly oneAnswer: boolean;
}

/**
 * Labels the image, or the several images, in the request's body as its parameters say; or shows where a label is seen.
 *
 * @throws LabelerError for every mistake in parameters or body, and for a single image's; of several, each has its own
 *   error. Of kind no-explanation where the network has none.
 */
export function labelRequests(c: Context<AppEnv>, { onKey, oneAnswer }: LabelRequestsOptions): Promise<LabelAnswer> {
  const parse = (queries: Queries) => {
    const query = parseExplainQuery(queries);
    return { ...query, oneAnswer: oneAnswer || query.explain !== undefined };
  };
  return withImages<ExplainQuery & LabelOptions, LabelAnswer>(
    c,
    { queries: c.req.queries(), parse, names: EXPLAIN_NAMES },
    async (images, { explain: rank, ...options }, context) => {
      if (rank === undefined) return { labelled: await labelAll(images, options, { ...context, onKey }) };
      const advice = "explain takes one image. Send several one by one.";
      return { explained: await onlyImage(images, advice, (one) => explainOne(one, rank, options, context)), rank };
    },
  );
}
