/** POST /features: an image in; out what the network has of it before its scores. */
import { Hono } from "hono";
import { accepts } from "hono/accepts";
import type { AppEnv } from "../http/app-env.ts";
import { featuresRequest } from "../http/features-request.ts";
import { setImageHeaders } from "../http/image-notes.ts";
import { requires } from "../http/scopes.ts";
import { FEATURE_NAMES, normalise } from "../teaching/features.ts";

const BINARY = "application/octet-stream";

/** Values behind each other, little endian as all machines are that the labeler runs on. */
function bytesOf(parts: readonly Float32Array[]): Uint8Array<ArrayBuffer> {
  const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return new Uint8Array(values.buffer);
}

/**
 * `[0.012, 0, 0.041, …]`, a vector of length 1; with `Accept: application/octet-stream` the same as 32-bit floats. With
 * `parts=all` the parts of which heads are taught, as they are, with their lengths in X-Features.
 */
export const features = new Hono<AppEnv>().post("/", requires("label"), async (c) => {
  c.header("vary", "Accept");
  const { features: found, parts, ...image } = await featuresRequest(c);
  setImageHeaders(c, image);
  const shown = parts === "all" ? found : { pooled: normalise(found.pooled) };
  const names = FEATURE_NAMES.filter((name) => name in shown);
  const values = names.map((name) => found[name]);
  c.header("x-features", names.map((name, i) => `${name}=${values[i].length}`).join(","));
  const type = accepts(c, { header: "Accept", supports: ["application/json", BINARY], default: "application/json" });
  if (type === BINARY) return c.body(bytesOf(values), 200, { "content-type": BINARY });
  if (parts === "pooled") return c.json([...found.pooled]);
  return c.json(Object.fromEntries(names.map((name, i) => [name, [...values[i]]])));
});
