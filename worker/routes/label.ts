/** POST /label: an image in, its labels out. */
import { Hono } from "hono";
import { accepts } from "hono/accepts";
import { labelRequest } from "../http/label-request.ts";
import type { AppEnv } from "../http/settings.ts";

/**
 * `[{"confidence":0.9994,"label":"85:peacock"},…]`, or with `Accept: text/plain` the best label alone.
 * An image whose file ends early has the header X-Image-Missing: how much of it, 0..1, is not there.
 */
export const label = new Hono<AppEnv>().post("/", async (c) => {
  const { labels, missing } = await labelRequest(c);
  if (missing > 0) c.header("x-image-missing", missing.toFixed(3));
  const type = accepts(c, {
    header: "Accept",
    supports: ["application/json", "text/plain"],
    default: "application/json",
  });
  c.header("vary", "Accept");
  return type === "text/plain" ? c.text(labels[0]?.label ?? "") : c.json(labels);
});
