/** Bearer tokens (RFC 6750), where the secret LABELER_TOKEN is set. */
import type { MiddlewareHandler } from "hono";
import { LabelerError } from "../errors.ts";
import { type AppEnv, settingsOf } from "./settings.ts";

const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));

/** Lets a request pass if no token is set or it carries the one that is; else it is a 401, before any body is read. */
export const bearerAuth: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { LABELER_TOKEN: token } = settingsOf(c.env);
  if (token) {
    const [, given] = c.req.header("authorization")?.match(/^Bearer +([^ ]+) *$/i) ?? [];
    if (given === undefined) {
      throw new LabelerError("unauthorized", "Send the header Authorization: Bearer TOKEN, with this labeler's token.");
    }
    // Digests have one length, as the comparison in constant time needs it, and say nothing of the token's.
    const [expected, actual] = await Promise.all([digest(token), digest(given)]);
    if (!crypto.subtle.timingSafeEqual(expected, actual)) {
      throw new LabelerError("unauthorized", "The bearer token is not this labeler's.");
    }
  }
  return next();
};
