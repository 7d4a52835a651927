/**
 * Probes: GET /healthz says that the isolate lives, GET /readyz that all works: the default model, which is loaded if need
 * be, and the storage of the results. Who uses no results probes /v2/health/ready, which asks for the model alone.
 */
import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { labelContext } from "../http/labeler.ts";
import { resultsOf } from "../http/results-object.ts";
import { requires } from "../http/scopes.ts";
import { prepareModel } from "../labeling/prepare-model.ts";

export const health = new Hono<AppEnv>()
  .get("/healthz", requires("open"), (c) => c.json({ status: "ok" }))
  .get("/readyz", requires("open"), async (c) => {
    const model = await prepareModel({}, labelContext(c));
    await model.run((classifier) => classifier.warm());
    await resultsOf(c.env).check();
    return c.json({ status: "ready", model: model.entry.name });
  });
