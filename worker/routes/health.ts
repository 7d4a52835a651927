/** Probes: GET /healthz says that the isolate lives, GET /readyz that it can label, loading the default model if need be. */
import { Hono } from "hono";
import { catalogueOf, sourceOf } from "../http/label-request.ts";
import { type AppEnv, settingsOf } from "../http/settings.ts";

export const health = new Hono<AppEnv>()
  .get("/healthz", (c) => c.json({ status: "ok" }))
  .get("/readyz", async (c) => {
    const { DEFAULT_MODEL } = settingsOf(c.env);
    await catalogueOf(c).get(DEFAULT_MODEL, sourceOf(c));
    return c.json({ status: "ready", model: DEFAULT_MODEL });
  });
