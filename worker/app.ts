/** The Hono app: middleware and routes in the order in which a request meets them. */
import { Hono } from "hono";
import { access } from "./http/access.ts";
import type { AppEnv } from "./http/app-env.ts";
import { guardBrowsers } from "./http/browsers.ts";
import { drainAfterAnswer } from "./http/drain-body.ts";
import { cors, secureHeaders } from "./http/headers.ts";
import { checkHost } from "./http/host.ts";
import { observe } from "./http/observe.ts";
import { answerNoRoute, answerProblem } from "./http/problem.ts";
import { schedule } from "./http/schedule.ts";
import { ekuiper } from "./routes/ekuiper.ts";
import { features } from "./routes/features.ts";
import { health } from "./routes/health.ts";
import { huggingFace } from "./routes/hugging-face.ts";
import { label } from "./routes/label.ts";
import { metrics } from "./routes/metrics.ts";
import { models } from "./routes/models.ts";
import { openInference, openInferenceHealth } from "./routes/open-inference.ts";
import { openapi } from "./routes/openapi.ts";
import { page } from "./routes/page.ts";
import { push, results } from "./routes/results.ts";

// A slash at the end of a path makes no other address of it.
export const app = new Hono<AppEnv>({ strict: false });

app.onError(answerProblem);
app.notFound((c) => answerNoRoute(c, app.routes));

/** All routes with their types, for worker/client.ts. */
export type Api = typeof api;

const api = app
  .use(observe)
  .use(schedule)
  .use(secureHeaders)
  .use(checkHost)
  .route("/", health) // before the token: probes carry none
  .route("/v2", openInferenceHealth)
  .use(cors) // a preflight carries none either
  .route("/", page) // it asks for the token itself
  .route("/", openapi)
  .use(guardBrowsers)
  .use(access) // without a token not a byte of the body is taken in
  .use(drainAfterAnswer)
  .route("/metrics", metrics)
  .route("/label", label)
  .route("/features", features)
  .route("/ekuiper", ekuiper)
  .route("/models", models)
  .route("/models", huggingFace)
  .route("/v2", openInference)
  .route("/results", results)
  .route("/push", push);
