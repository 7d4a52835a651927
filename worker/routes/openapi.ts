/** GET /openapi.json: the description of the interface, OpenAPI 3.1. GET /docs: the same for people. */
import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { requires } from "../http/scopes.ts";
import { docs, openapi as document, policy } from "../openapi/openapi.bundle.js";

export const openapi = new Hono<AppEnv>()
  .get("/openapi.json", requires("open"), (c) => c.body(document, 200, { "content-type": "application/json" }))
  .get("/docs", requires("open"), (c) => {
    c.header("content-security-policy", policy);
    c.header("referrer-policy", "no-referrer");
    return c.html(docs);
  });
