/**
 * GET /metrics: what this isolate has done, for Prometheus, or all workers of a labeler. On Cloudflare there are other
 * isolates, each with its own numbers.
 */
import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { renderMetrics } from "../http/observe.ts";
import { isOneOfSeveral, metricsOfAll } from "../http/other-workers.ts";
import { requires } from "../http/scopes.ts";

export const metrics = new Hono<AppEnv>().get("/", requires("results"), async (c) =>
  c.body(isOneOfSeveral(c.env) ? await metricsOfAll(c.env) : renderMetrics(c), 200, {
    "content-type": "text/plain; version=0.0.4; charset=utf-8",
  }),
);
