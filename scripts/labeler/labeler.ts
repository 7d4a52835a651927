/** Runs the labeler on a free port for as long as a script or a test needs it; `npm start` is scripts/user/start.ts. */
import { resolve } from "node:path";
import { makeBundles } from "../build/bundles.ts";
import { indexModels, MODELS } from "../build/model-index.ts";
import { WITHOUT_EXPLORER } from "./wrangler-dev.ts";

export interface LabelerOptions {
  /** Settings that differ from wrangler.toml's, and the secrets LABELER_TOKEN and PUSH_TOKEN. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A folder of models to use instead of model-assets/. */
  readonly models?: string;
  /** The folder of the results; without it, they are deleted with the labeler. */
  readonly state?: string;
}

export interface WranglerOptions extends LabelerOptions {
  /** Cloudflare's rate limiter, as wrangler imitates it: calls in a period of 10 or 60 seconds. */
  readonly rateLimiter?: { readonly limit: number; readonly period: 10 | 60 };
}

export interface RunningLabeler {
  /** Its address without a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the labeler of this checkout in wrangler's workerd and waits until it answers; models are loaded by the first request. */
export async function startLabeler({
  settings = {},
  models = MODELS,
  state,
  rateLimiter,
}: WranglerOptions = {}): Promise<RunningLabeler> {
  await Promise.all([indexModels(models), makeBundles()]);
  process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false"; // Otherwise wrangler asks Cloudflare for this machine's location.
  Object.assign(process.env, WITHOUT_EXPLORER);
  // Whatever .dev.vars contains, a token is set only if the caller asks for one.
  const bindings = Object.entries({ LABELER_TOKEN: null, ...settings }).flatMap(([name, value]) => {
    return value === null ? [] : [[name, { type: "plain_text", value }] as const];
  });
  // Imported here, since loading wrangler takes a second, for which a usage error need not wait.
  const { unstable_startWorker } = await import("wrangler");
  const worker = await unstable_startWorker({
    config: resolve("wrangler.toml"),
    bindings: {
      ...Object.fromEntries(bindings),
      ...(rateLimiter && { RATE_LIMITER: { type: "ratelimit", namespace_id: "1001", simple: rateLimiter } }),
    },
    assets: resolve(models),
    envFiles: [],
    dev: {
      server: { hostname: "127.0.0.1", port: 0 },
      inspector: false,
      logLevel: "error",
      persist: state === undefined ? false : resolve(state),
      watch: false,
    },
  });
  // wrangler would wait for an edit that builds.
  const broken = new Promise<never>((_, reject) => {
    worker.raw.once("buildFailed", () => reject(new Error("The labeler does not build; wrangler's message is above.")));
  });
  try {
    const { origin: url } = await Promise.race([worker.url, broken]);
    await Promise.race([fetch(`${url}/healthz`), broken]);
    return { url, stop: () => worker.dispose() };
  } catch (error) {
    await worker.dispose();
    throw error;
  }
}
