/** Gateways for a test file: the real eKuiper, a broker and the labeler. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { type BuildOptions, whyNoEngine } from "../../scripts/ekuiper-engine/build.ts";
import { type Engine, startEngine } from "../../scripts/ekuiper-engine/engine.ts";
import { DEFAULT_VERSION, PROXIED_VERSIONS } from "../../scripts/ekuiper-engine/engine-source.ts";
import { startLoadedLabeler } from "../../scripts/ekuiper-engine/labeler.ts";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { EkuiperApi } from "../../scripts/user/ekuiper/api.ts";
import { type Broker, startBroker } from "../../scripts/user/ekuiper/broker.ts";
import { install } from "../../scripts/user/ekuiper/install.ts";
import type { Loop } from "../../scripts/user/ekuiper/parts.ts";
import type { GatewayOptions } from "../../scripts/user/ekuiper/wanted.ts";

/** The oldest and the newest release. */
const ENDS = [PROXIED_VERSIONS[0], PROXIED_VERSIONS[PROXIED_VERSIONS.length - 1]];

/**
 * The releases of eKuiper that the tests run: of those that Go fetches by itself all in CI and two elsewhere, and by hand
 * others: `EKUIPER_CLONE=/path/to/ekuiper EKUIPER_VERSIONS=2.2.5,2.3.1 npx vitest run test/ekuiper/loops.test.ts`.
 */
export const VERSIONS = process.env.EKUIPER_VERSIONS?.split(",") ?? (process.env.CI ? PROXIED_VERSIONS : ENDS);

const missing = await Promise.all([...VERSIONS, DEFAULT_VERSION].map((version) => whyNoEngine({ version })));
const noEngine = missing.find((reason) => reason !== undefined);
/** Without the engine, and no way to build it. In CI that shall fail, in beforeAll. */
export const skip = noEngine !== undefined && !process.env.CI;
if (skip) console.warn(`Tests with eKuiper are skipped. ${noEngine}`);

/** Whether a test has to be left out for want of a program; in CI it shall fail instead. */
export function lacks(...programs: string[]): boolean {
  const missing = programs.filter((program) => spawnSync(program, ["-h"], { stdio: "ignore" }).error !== undefined);
  if (missing.length > 0) console.warn(`Not all is tested: ${missing.join(", ")} was not found.`);
  return missing.length > 0 && !process.env.CI;
}

export const token = "a-token-of-this-test";

/** The six fixtures with their top-1 labels. */
export async function fixtures(): Promise<{ name: string; image: Uint8Array; label: string }[]> {
  const golden: Record<string, { label: string }[]> = JSON.parse(await readFile("test/fixtures/golden.json", "utf8"));
  return Promise.all(
    Object.entries(golden).map(async ([name, [best]]) => {
      return { name: basename(name), image: await readFile(`test/fixtures/${name}`), label: best?.label ?? "" };
    }),
  );
}

export interface BareGateway {
  readonly broker: Broker;
  readonly engine: Engine;
  readonly labeler: RunningWorkerd;
  readonly api: EkuiperApi;
  stop(): Promise<void>;
}

/**
 * A gateway on which nothing is installed, whose engine knows the broker.
 *
 * @param environment The engine's.
 * @param version The release of eKuiper.
 * @param build What else is special about the engine.
 */
export async function startBareGateway(
  environment: Record<string, string> = {},
  version = DEFAULT_VERSION,
  build: Pick<BuildOptions, "compression"> = {},
): Promise<BareGateway> {
  const broker = await startBroker();
  const engine = await startEngine({ broker: broker.url, environment, version, ...build });
  const labeler = await startLoadedLabeler(token);
  return {
    broker,
    engine,
    labeler,
    api: new EkuiperApi(engine.url),
    async stop() {
      await labeler.stop();
      await engine.stop();
      await broker.stop();
    },
  };
}

export interface Gateway extends BareGateway {
  readonly labeler: RunningWorkerd;
  /** `METHOD /path` of each call, the oldest first; emptied by the reader. */
  readonly calls: string[];
  /** Installs a loop and waits until it listens to its images. */
  install(
    loop: Loop,
    options?: Partial<GatewayOptions> & { force?: boolean },
  ): Promise<Awaited<ReturnType<typeof install>>>;
  options(loop: Loop): GatewayOptions;
  /** GET of the labeler. */
  ask<T>(path: string): Promise<T>;
}

export interface GatewaySettings {
  /** The labeler's, besides its token and push target. */
  readonly labeler?: Readonly<Record<string, string>>;
  /** The labeler's folder of models; those of this repository if absent. */
  readonly models?: string;
  /** Of the engine. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A gateway whose engine has to be told of the broker, and which `npm run ekuiper` installs loops on. */
export async function startGateway(
  version = DEFAULT_VERSION,
  { labeler: settings, models, environment }: GatewaySettings = {},
): Promise<Gateway> {
  const broker = await startBroker();
  const calls: string[] = [];
  // The engine's own default broker answers no one: what works has been told of this one.
  const engine = await startEngine({
    broker: "tcp://127.0.0.1:1",
    version,
    environment: { KUIPER__PORTABLE__PYTHONBIN: "python3", ...environment },
  });
  const labeler = await startWorkerd({
    ...(models !== undefined && { models }),
    settings: { LABELER_TOKEN: token, PUSH_TARGETS: `${engine.pushUrl}/labeler/results`, ...settings },
  });
  const ready = await fetch(`${labeler.url}/readyz`);
  if (!ready.ok) throw new Error(`The labeler is not ready: ${await ready.text()}`);
  const api = new EkuiperApi(engine.url, (method, path) => calls.push(`${method} ${path}`));
  const options = (loop: Loop) => ({ api, labeler: labeler.url, token, loop, broker: broker.url });
  return {
    broker,
    engine,
    labeler,
    api,
    calls,
    options,
    async install(loop, { force = false, ...differing } = {}) {
      const done = await install({ ...options(loop), ...differing }, { dryRun: false, force });
      const deadline = performance.now() + 10_000;
      while (broker.subscribers("tfdemo") === 0) {
        if (performance.now() > deadline) throw new Error(`No rule of loop ${loop} listens:\n${engine.log()}`);
        await new Promise((wake) => setTimeout(wake, 20));
      }
      return done;
    },
    async ask(path) {
      const response = await fetch(labeler.url + path, { headers: { authorization: `Bearer ${token}` } });
      if (!response.ok) throw new Error(`GET ${path} is ${response.status}: ${await response.text()}`);
      return response.json();
    },
    async stop() {
      await labeler.stop();
      await engine.stop();
      await broker.stop();
    },
  };
}
