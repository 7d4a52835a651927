/** What the supervisor of several workers asks each of them. Clients do not reach these routes. */
import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { renderMetrics } from "../http/observe.ts";
import { giveBackFormMemory } from "../http/whole-body.ts";

export const internal = new Hono<AppEnv>()
  .get("/metrics", (c) => c.text(renderMetrics(c)))
  .post("/form-memory", (c) => c.json(giveBackFormMemory()));
