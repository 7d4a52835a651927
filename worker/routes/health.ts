/** Probes: GET /healthz says that the isolate lives, GET /readyz that it can label, loading the default model if need be. */
import { Hono } from "hono";
import { labelContext } from "../http/label-request.ts";
import { requires } from "../http/scopes.ts";
import type { AppEnv } from "../http/settings.ts";
import { prepareModel } from "../label-image.ts";

export const health = new Hono<AppEnv>()
  .get("/healthz", requires("open"), (c) => c.json({ status: "ok" }))
  .get("/readyz", requires("open"), async (c) => {
    const model = await prepareModel({}, labelContext(c));
    await model.run((classifier) => classifier.warm());
    return c.json({ status: "ready", model: model.entry.name });
  });
