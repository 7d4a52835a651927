/** GET /: a page to try the labeler with. It is one file, which asks nobody but this labeler for anything. */
import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { matchesEtag } from "../http/etag.ts";
import { requires } from "../http/scopes.ts";
import { etag, html, policy } from "../page/page.bundle.js";

export const page = new Hono<AppEnv>().get("/", requires("open"), (c) => {
  c.header("etag", etag);
  c.header("content-security-policy", policy);
  c.header("permissions-policy", "camera=(self)");
  c.header("referrer-policy", "no-referrer");
  return matchesEtag(c, etag) ? c.body(null, 304) : c.html(html);
});
