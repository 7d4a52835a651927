/** The Hono app: middleware and routes in the order in which a request meets them. */
import { Hono } from "hono";
import { access } from "./http/access.ts";
import { cors, secureHeaders } from "./http/headers.ts";
import { noRoute, problem } from "./http/problem.ts";
import { takeInRest } from "./http/rest-of-body.ts";
import type { AppEnv } from "./http/settings.ts";
import { ekuiper } from "./routes/ekuiper.ts";
import { health } from "./routes/health.ts";
import { huggingFace } from "./routes/hugging-face.ts";
import { label } from "./routes/label.ts";
import { models } from "./routes/models.ts";
import { openInference, openInferenceHealth } from "./routes/open-inference.ts";
import { openapi } from "./routes/openapi.ts";
import { page } from "./routes/page.ts";
import { push, results } from "./routes/results.ts";

export const app = new Hono<AppEnv>();

app.onError(problem);
app.notFound((c) => noRoute(c, app.routes));

app.use(secureHeaders);
app.route("/", health); // before the token: probes carry none
app.route("/v2", openInferenceHealth);
app.use(cors); // a preflight carries none either
app.route("/", page); // it asks for the token itself
app.route("/", openapi);
app.use(access); // without a token not a byte of the body is taken in
app.use(takeInRest);
app.route("/label", label);
app.route("/ekuiper", ekuiper);
app.route("/models", models);
app.route("/models", huggingFace);
app.route("/v2", openInference);
app.route("/results", results);
app.route("/push", push);
