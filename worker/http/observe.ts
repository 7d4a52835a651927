/** Reports each request: in counters, in a line of the log, and in X-Request-Id and Server-Timing of the answer. */
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { LabelerError } from "../errors.ts";
import { Counter, gauge, Histogram } from "../observability/metrics.ts";
import { Trace, WAITS } from "../observability/trace.ts";
import { parseTraceparent } from "../observability/traceparent.ts";
import { type Settings, settingsOf } from "../settings/settings.ts";
import { cut } from "../validation/quote.ts";
import type { AppEnv } from "./app-env.ts";
import { buffersOf, catalogueOf, loads, slotsOf } from "./labeler.ts";
import { waitingForThread } from "./schedule.ts";
import { wholeBodyBytes } from "./whole-body.ts";

const requests = new Counter("edge_labeler_requests_total", "Requests by route, method and status.");
const durations = new Histogram(
  "edge_labeler_request_duration_seconds",
  "From the head of a request to the head of its answer.",
);
const stages = new Histogram(
  "edge_labeler_step_duration_seconds",
  "Duration of each stage of a request, waits included.",
);
const images = new Counter("edge_labeler_images_total", "Labelled images by format, model and cache.");
const bytes = new Counter("edge_labeler_image_bytes_total", "Bytes of images that were received.");

/** The time of the first request, in milliseconds. An isolate does not have a clock before. */
let born: number | undefined;

/** The metrics of this isolate. */
export function renderMetrics(c: Context<AppEnv>): string {
  const slots = slotsOf(c);
  return [
    ...[requests, durations, stages, images, bytes, loads].map((metric) => metric.render()),
    gauge("edge_labeler_slots_in_use", "Requests that are being labelled.", slots.taken),
    gauge("edge_labeler_slots_waiting", "Requests in the queue.", slots.waiting),
    gauge("edge_labeler_thread_waiting", "Requests that wait for the thread of the isolate.", waitingForThread()),
    gauge(
      "edge_labeler_body_bytes_in_memory",
      "Bytes of forms, JSON and images in memory, or reserved for them.",
      wholeBodyBytes() + buffersOf(c).taken,
    ),
    gauge("edge_labeler_models_resident_bytes", "Weights of loaded models.", catalogueOf(c).residentBytes),
    gauge(
      "edge_labeler_isolate_age_seconds",
      "Time since the first request of this isolate.",
      (Date.now() - (born ?? 0)) / 1000,
    ),
  ].join("");
}

const ID = /^[\w.:/+=-]{1,128}$/;

/** The id that the caller gave the request, else that of Cloudflare, else a new one. */
function requestId(c: Context<AppEnv>): string {
  const given = c.req.header("x-request-id") ?? c.req.header("cf-ray");
  return given !== undefined && ID.test(given) ? given : crypto.randomUUID();
}

/** The pattern of the route and not the path, since callers may invent any number of paths. */
const routeOf = (c: Context<AppEnv>): string =>
  matchedRoutes(c).findLast(({ method }) => method !== "ALL")?.path ?? "none";

/** The settings for reports, or their defaults if the settings are invalid. */
function settingsForReports(c: Context<AppEnv>): Pick<Settings, "LOG" | "ON_CLOUDFLARE"> {
  try {
    return settingsOf(c.env);
  } catch {
    return { LOG: "requests", ON_CLOUDFLARE: false };
  }
}

/** Paths of probes, which call again and again and are not logged as long as they succeed. */
const PROBES = /^\/(healthz|readyz|v2\/health\/\w+)$/;

/** An erasure is logged whatever LOG says: it is the record of who has removed what. */
function isLogged(c: Context<AppEnv>, { erasure }: Trace, route: string, level: Settings["LOG"]): boolean {
  if (erasure !== undefined) return true;
  if (level === "off" || (level === "errors" && c.res.status < 500)) return false;
  return !(PROBES.test(route) && c.res.ok);
}

/** How many characters of a caller's text a line of the log repeats. */
const MAX_PATH = 200;
const MAX_DETAIL = 500;

const round = (milliseconds: number): number => Math.round(milliseconds * 10) / 10;

export const observe: MiddlewareHandler<AppEnv> = async (c, next) => {
  const start = performance.now();
  born ??= Date.now();
  const id = requestId(c);
  const trace = new Trace();
  c.set("trace", trace);
  await next();
  const { status } = c.res;
  const [route, total] = [routeOf(c), performance.now() - start];
  requests.add({ route, method: c.req.method, status: `${status}` });
  durations.observe({ route }, total / 1000);
  const { LOG, ON_CLOUDFLARE } = settingsForReports(c);
  const measured = [...trace.stages].filter(([stage]) => !ON_CLOUDFLARE || WAITS.has(stage));
  for (const [stage, milliseconds] of measured) stages.observe({ step: stage }, milliseconds / 1000);
  for (const image of trace.images) images.add(image);
  if (trace.bytes > 0) bytes.add({}, trace.bytes);

  // Not by c.header(), which makes a new response each time.
  const { headers } = c.res;
  headers.set("x-request-id", id);
  // A stage whose time is below the resolution of the clock is left out.
  const timings = measured.filter(([, milliseconds]) => milliseconds >= 0.05);
  if (timings.length > 0) {
    headers.set(
      "server-timing",
      timings.map(([stage, milliseconds]) => `${stage};dur=${round(milliseconds)}`).join(", "),
    );
  }

  if (!isLogged(c, trace, route, LOG)) return;
  const { error } = c;
  const ray = c.req.header("cf-ray");
  const span = parseTraceparent(c.req.header("traceparent"));
  const line = {
    time: new Date().toISOString(),
    id,
    trace_id: span?.traceId,
    parent_id: span?.parentId,
    ray: ray && cut(ray),
    method: c.req.method,
    path: cut(c.req.path, MAX_PATH),
    route,
    status,
    client: c.get("client"),
    bytes: trace.bytes || undefined,
    images: trace.images.length > 0 ? trace.images : undefined,
    erased: trace.erasure,
    ms: { total: round(total), ...Object.fromEntries(measured.map(([stage, ms]) => [stage, round(ms)])) },
    error:
      error &&
      (error instanceof LabelerError
        ? { kind: error.kind, detail: cut(error.message, MAX_DETAIL) }
        : cut(`${error}`, MAX_DETAIL)),
  };
  console.log(JSON.stringify(line));
};
