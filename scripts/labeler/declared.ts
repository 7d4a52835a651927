/** Reads the configuration of wrangler, and what it declares about the Worker. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { addFile } from "./fingerprint.ts";
import type { Declared } from "./workerd-config.ts";

const CONFIG = "wrangler.toml";
const CACHE = ".cache/declared";

/** What is used of a configuration of wrangler. */
export interface Configuration {
  readonly compatibilityDate?: string | undefined;
  readonly compatibilityFlags: readonly string[];
  readonly vars: Readonly<Record<string, unknown>>;
  /** The addresses of `wrangler dev` and of its inspector. */
  readonly dev: { readonly ip?: string | undefined; readonly inspectorIp?: string | undefined };
  /** The period of Cloudflare's rate limiter, in seconds. */
  readonly rateLimiterPeriod?: number | undefined;
}

export interface ConfigurationOptions {
  /** The path of the file; wrangler.toml unless set. */
  readonly config?: string | undefined;
  /** The name of an environment in it. */
  readonly env?: string | undefined;
}

/** Reads it by wrangler itself, which takes a second to load. */
async function readByWrangler(config: string, env: string | undefined): Promise<Configuration> {
  const { unstable_readConfig } = await import("wrangler");
  const { compatibility_date, compatibility_flags, vars, dev, ratelimits } = unstable_readConfig(
    { config, ...(env !== undefined && { env }) },
    { hideWarnings: true },
  );
  const limits: readonly { name: string; simple: { period: number } }[] = ratelimits;
  return {
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    vars,
    dev: { ip: dev.ip, inspectorIp: dev.inspector_ip },
    rateLimiterPeriod: limits.find(({ name }) => name === "RATE_LIMITER")?.simple.period,
  };
}

/**
 * Whatever decides what is read: the file, this code, wrangler's version and the environment of the deployment.
 *
 * @returns Undefined if the file cannot be read.
 */
function digestOfInputs(config: string, env: string | undefined): string | undefined {
  const hash = createHash("sha256").update(JSON.stringify([process.env.CLOUDFLARE_ENV, env]));
  try {
    addFile(hash, config, "");
    for (const file of ["scripts/labeler/declared.ts", "node_modules/wrangler/package.json"]) addFile(hash, file);
  } catch {
    return undefined;
  }
  return hash.digest("hex").slice(0, 16);
}

/** Keeps a text in a file of the cache, whole or not at all; in a read-only checkout it is read again each time. */
function keep(file: string, text: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(aside, text);
    renameSync(aside, file);
  } catch {
    rmSync(aside, { force: true });
  }
}

/**
 * Reads a configuration, by wrangler only if it was not read before in this state.
 *
 * @throws Error if it cannot be read.
 */
export async function readConfiguration({ config = CONFIG, env }: ConfigurationOptions = {}): Promise<Configuration> {
  const digest = digestOfInputs(config, env);
  if (digest === undefined) return readByWrangler(config, env); // which says what is wrong with the file
  const file = `${CACHE}/${digest}.json`;
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // It was not read before, or was not written to its end.
  }
  const configuration = await readByWrangler(config, env);
  keep(file, JSON.stringify(configuration));
  return configuration;
}

/** @throws Error if wrangler.toml cannot be read. */
export async function readDeclared(): Promise<Declared> {
  const { compatibilityDate, compatibilityFlags, vars } = await readConfiguration();
  if (compatibilityDate === undefined) throw new Error(`${CONFIG} has no compatibility_date`);
  const texts = Object.entries(vars).map(([name, value]) => [name, String(value)]);
  return { compatibilityDate, compatibilityFlags, vars: Object.fromEntries(texts) };
}
