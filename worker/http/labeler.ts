/** The singletons of an isolate: its models, its cached results and its limits. */
import type { Context } from "hono";
import type { LabelContext } from "../labeling/context.ts";
import { ResultCache } from "../labeling/result-cache.ts";
import { Catalogue, type ModelSource } from "../model/catalogue.ts";
import { Counter } from "../observability/metrics.ts";
import { readWhole } from "../runtime/read-whole.ts";
import { Semaphore } from "../runtime/semaphore.ts";
import { settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { callerOf } from "./client-address.ts";
import { shareOf } from "./other-workers.ts";

/** Counts the loads of models, for /metrics. */
export const loads = new Counter("edge_labeler_model_loads_total", "Loads of models by name and outcome.");

/** How old the index of the models may be where models can be replaced, in milliseconds. */
const INDEX_AGE = 1000;

let shared: Catalogue | undefined;

/** The catalogue of the isolate, whose weights outlive the requests. */
export function catalogueOf(c: Context<AppEnv>): Catalogue {
  shared ??= new Catalogue({
    cacheBytes: settingsOf(c.env).MODEL_CACHE_BYTES,
    // The files of a deployment never change, and wrangler starts the Worker anew when its files do.
    indexAge: c.env.CF_VERSION_METADATA === undefined ? INDEX_AGE : undefined,
    onLoad: (model, outcome) => loads.add({ model, outcome }),
  });
  return shared;
}

const resultCache = new ResultCache();

let slots: Semaphore | undefined;

/** How many small images are labelled beyond MAX_CONCURRENT. */
const EXPRESS = 2;

/** Limits how many images the isolate labels at once, since its memory is limited and it has one processor. */
export function slotsOf(c: Context<AppEnv>): Semaphore {
  const { MAX_CONCURRENT: capacity, MAX_WAITING: queueLimit, MAX_WAIT_MS: patience } = settingsOf(c.env);
  slots ??= new Semaphore({
    capacity: shareOf(c.env, capacity),
    express: shareOf(c.env, EXPRESS),
    queueLimit: shareOf(c.env, queueLimit),
    patience,
    resource: "slots for labelling",
    fair: true,
  });
  return slots;
}

/** Memory for images that are read before they are admitted, in bytes: some 100 images of network cameras. */
const BUFFER_BYTES = 8 << 20;

let buffers: Semaphore | undefined;

/** The memory budget of images that are read before they are admitted. */
export function buffersOf(c: Context<AppEnv>): Semaphore {
  const { MAX_WAIT_MS: patience } = settingsOf(c.env);
  buffers ??= new Semaphore({ capacity: BUFFER_BYTES, patience, resource: "memory for images" });
  return buffers;
}

/** The folder of models, which the ASSETS binding serves. */
export function sourceOf(c: Context<AppEnv>): ModelSource {
  return {
    async read(path, size) {
      const response = await c.env.ASSETS.fetch(`http://assets/${path}`);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`reading ${path} gave status ${response.status}`);
      if (size !== undefined && response.body !== null) return readWhole(response.body, size);
      return new Uint8Array(await response.arrayBuffer());
    },
    keepAlive: (work) => c.executionCtx.waitUntil(work),
  };
}

/**
 * The origin under which Cloudflare caches what a Worker stores: that of the request. A foreign one would cost a look-up of
 * its name, and workers.dev does not have a cache for Workers.
 */
export function cacheOriginOf(url: string): string | undefined {
  const { hostname, origin } = new URL(url);
  return hostname.endsWith(".workers.dev") ? undefined : origin;
}

/** The context of this request for labelOne() and labelMany(). */
export function labelContext(c: Context<AppEnv>): LabelContext {
  const { DEFAULT_MODEL, MAX_PIXELS, CACHE_ANSWERS } = settingsOf(c.env);
  return {
    catalogue: catalogueOf(c),
    source: sourceOf(c),
    defaultModel: DEFAULT_MODEL,
    maxPixels: MAX_PIXELS,
    slots: slotsOf(c),
    buffers: buffersOf(c),
    execute: c.get("execute"),
    executeInParts: c.get("executeInParts"),
    onMuchWork: c.get("onMuchWork"),
    client: callerOf(c),
    resultCache: CACHE_ANSWERS ? resultCache : undefined,
    cacheOrigin: cacheOriginOf(c.req.url),
    revision: c.env.CF_VERSION_METADATA?.id,
    trace: c.get("trace"),
    signal: c.req.raw.signal,
  };
}
