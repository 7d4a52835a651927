/** POST /label: an image in, its labels out; or several in, and for each its labels or its error. */
import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import type { AppEnv } from "../http/app-env.ts";
import { cacheStatus, etagOf, matchesEtag, NotModified } from "../http/etag.ts";
import { imageNotes, setImageHeaders } from "../http/image-notes.ts";
import { type LabelAnswer, labelRequests } from "../http/label-request.ts";
import { problemOf } from "../http/problem.ts";
import { requires } from "../http/scopes.ts";
import type { Explained } from "../labeling/explain/explain-image.ts";
import type { Outcome } from "../labeling/label-many.ts";
import { type Labelled, labelsByRegion } from "../labeling/types.ts";

const best = (labelled: Labelled | undefined): string => labelled?.labels[0]?.label ?? "";

/** The labels of an image as JSON: a list, or one for each of its regions. */
const labelsOf = ({ labels, regions }: Labelled) =>
  regions === undefined ? labels : { regions: labelsByRegion(regions) };

/** An image among several, as JSON: fields without a value are left out. */
function shown({ name, labelled, error }: Outcome) {
  if (error !== undefined) return { name, error: problemOf(error) };
  const { labels, regions } = labelled;
  const found = regions === undefined ? { labels } : { regions: labelsByRegion(regions) };
  return { name, ...found, ...imageNotes(labelled) };
}

/** What the caller would rather have of these types; JSON if it does not say. */
const preferred = (c: Context<AppEnv>, ...others: string[]): string =>
  accepts(c, { header: "Accept", supports: ["application/json", ...others], default: "application/json" });

const wantsText = (c: Context<AppEnv>): boolean => preferred(c, "text/plain") === "text/plain";

/** A picture of where the label of this rank is seen; in JSON it stands beside the label, as base64. */
function explanation(c: Context<AppEnv>, rank: number, { labels, picture, ...image }: Explained): Response {
  setImageHeaders(c, image);
  if (preferred(c, "image/png") === "image/png") return c.body(picture, 200, { "content-type": "image/png" });
  return c.json(labels.map((label, i) => (i === rank - 1 ? { ...label, explanation: picture.toBase64() } : label)));
}

/**
 * `[{"confidence":0.9994,"label":"85:peacock"},…]`, or with `Accept: text/plain` the top-1 label alone.
 * An image whose file is not whole, is damaged or was decoded at a smaller scale has headers that say so: see
 * image-notes.ts.
 *
 * With `explain=1` the top-1 label has a PNG of where it is seen, in base64; `Accept: image/png` gives only that.
 *
 * A picture that is labelled by regions gives `{"regions":{"bay1":[…],"bay2":[…]}}`.
 *
 * Several images give `[{"name":"a.jpg","labels":[…]},{"name":"b.jpg","error":{…}},…]` in their order, or a line each.
 *
 * The answer to a single image has an ETag, and a 304 in its place if the request brings that. RFC 9110 has 412 for
 * methods other than GET and HEAD, thinking of those that change something; this one is a question, which is a POST only
 * since a GET has no body, and 304 is what curl --etag-compare and other clients that kept an answer understand.
 */
export const label = new Hono<AppEnv>().post("/", requires("label"), async (c) => {
  const text = wantsText(c);
  c.header("vary", "Accept");
  let found: LabelAnswer;
  try {
    found = await labelRequests(c, {
      onKey(key) {
        if (matchesEtag(c, etagOf(key, text))) throw new NotModified(etagOf(key, text));
      },
      oneAnswer: text,
    });
  } catch (error) {
    if (!(error instanceof NotModified)) throw error;
    c.header("etag", error.etag);
    c.header("cache-status", "edge-labeler; hit; detail=not-modified");
    return c.body(null, 304);
  }
  if (found.explained !== undefined) return explanation(c, found.rank, found.explained);
  const answer = found.labelled;
  if (Array.isArray(answer)) {
    if (text) return c.text(answer.map(({ labelled }) => `${best(labelled)}\n`).join(""));
    return c.json(answer.map(shown));
  }
  if (answer.key !== undefined) c.header("etag", etagOf(answer.key, text));
  c.header("cache-status", cacheStatus(answer));
  setImageHeaders(c, answer);
  return text ? c.text(best(answer)) : c.json(labelsOf(answer));
});
