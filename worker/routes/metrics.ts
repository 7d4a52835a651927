/** GET /metrics: what this isolate has done, for Prometheus. There may be other isolates, each with its own numbers. */
import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { renderMetrics } from "../http/observe.ts";
import { requires } from "../http/scopes.ts";

export const metrics = new Hono<AppEnv>().get("/", requires("results"), (c) =>
  c.body(renderMetrics(c), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
);
