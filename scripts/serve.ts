/** npm run serve: the labeler on workerd itself, for a machine of your own; docs/self-host.md. */
import { existsSync, mkdirSync, readFileSync, watch } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { indexModels } from "./lib/model-index.ts";
import { node } from "./lib/run.ts";
import { fingerprint } from "./serve/fingerprint.ts";
import { StateLock } from "./serve/lock.ts";
import { parseOptions, type ServeOptions, USAGE, UsageError } from "./serve/options.ts";
import type { PrepareOptions } from "./serve/prepare.ts";
import { Supervisor } from "./serve/supervisor.ts";

function options(): ServeOptions {
  try {
    const parsed = parseOptions(process.argv.slice(2));
    if (parsed !== undefined) return parsed;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const { port, ip, models, settings, drain, watchdog, ...rest } = options();
const state = resolve(rest.state);
const host = (address: string) => (isIP(address) === 6 ? `[${address}]` : address);
/** Where this process itself reaches it. */
const near = ip === "0.0.0.0" ? "127.0.0.1" : ip === "::" ? "::1" : ip;

/** @returns What is known of each model, in JSON. */
async function index(): Promise<Map<string, string>> {
  const entries = await indexModels(models);
  for (const { error } of entries) if (error !== undefined) console.error(`Not usable: ${error}`);
  return new Map(entries.map((entry) => [entry.name, JSON.stringify(entry)]));
}

mkdirSync(join(state, "results"), { recursive: true, mode: 0o700 });
function takeLock(): StateLock {
  try {
    return StateLock.take(state);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
const lock = takeLock();
process.once("exit", () => lock.release());

let known = await index();
const folder = join(state, "worker");

/** Bundles the Worker, unless that was done before and nothing has changed. */
async function prepare(): Promise<void> {
  const wanted: PrepareOptions = { folder, models: resolve(models), results: join(state, "results"), settings };
  const made = fingerprint(wanted);
  if (existsSync(join(folder, "made")) && readFileSync(join(folder, "made"), "utf8") === made) return;
  console.log("Bundling the Worker …");
  const script = fileURLToPath(new URL("./serve/prepare.ts", import.meta.url));
  const code = await node(["--import", "tsx", script, JSON.stringify(wanted), made]);
  if (code !== 0) process.exit(code);
}
await prepare();

const supervisor = new Supervisor({
  config: join(folder, "config.capnp"),
  address: `${host(ip)}:${port}`,
  url: `http://${host(near)}:${port}`,
  drain,
  watchdog,
  started: (pid) => lock.note(pid),
});

let stopped = false;
function stop(why: string): void {
  if (stopped) return;
  stopped = true;
  console.log(`${why}: requests may end for ${drain / 1000} s.`);
  supervisor.end().catch(console.error);
}
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => stop(signal));
// npm gives its signals to a shell, which ends without passing them on.
const parent = process.ppid;
const orphaned = () => process.ppid !== parent && stop("npm has ended");
const watchParent = process.env.npm_lifecycle_event === "serve" ? setInterval(orphaned, 250) : undefined;

// A new model is there for the next request that names it; one that changed may be in memory already.
const touched = new Set<string>();
let pending: NodeJS.Timeout | undefined;
async function modelsChanged(): Promise<void> {
  const names = [...touched];
  touched.clear();
  const before = known;
  known = await index();
  const changed = names.filter((name) => before.has(name));
  if (changed.length === 0 || stopped) return;
  console.log(`Changed: ${changed.join(", ")}. The labeler starts anew.`);
  await supervisor.restart();
}
const watcher = watch(models, { recursive: true }, (_, file) => {
  const name = file?.split(/[\\/]/)[0];
  if (name === undefined || name === "index.json") return;
  touched.add(name);
  clearTimeout(pending);
  pending = setTimeout(() => modelsChanged().catch(console.error), 500);
});

try {
  await supervisor.run(() => {
    console.log(`Edge Labeler at http://${host(ip)}:${port}, results in ${state}`);
    const { LABELER_TOKEN, LABELER_TOKENS } = process.env;
    if (!LABELER_TOKEN && !LABELER_TOKENS && !/^127\.|^::1$|^localhost$/.test(ip)) {
      console.warn("It has no token: whoever reaches this machine may use it. Set LABELER_TOKEN in the environment.");
    }
  });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
clearInterval(watchParent);
watcher.close();
clearTimeout(pending);
process.exit();
