/** npm run serve: the labeler on workerd itself, for a machine of your own; docs/self-host.md. */
import { existsSync, mkdirSync, readFileSync, watch } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, runCommand, type Values } from "./lib/command.ts";
import { indexModels } from "./lib/model-index.ts";
import { whyNotListen } from "./lib/ports.ts";
import { node } from "./lib/run.ts";
import { fingerprint } from "./serve/fingerprint.ts";
import { StateLock } from "./serve/lock.ts";
import { SERVE, serveOptions } from "./serve/options.ts";
import type { PrepareOptions } from "./serve/prepare.ts";
import { Supervisor } from "./serve/supervisor.ts";

async function serve(values: Values<typeof SERVE.options>): Promise<number> {
  const { port, ip, models, settings, drain, watchdog, ...rest } = serveOptions(values);
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
  const lock = StateLock.take(state);
  process.once("exit", () => lock.release());
  // Else what listens there would answer in the place of a labeler that is started again and again.
  const refusal = await whyNotListen(port, ip);
  if (refusal !== undefined) throw new CommandError(`${refusal}. Choose another --port or --ip.`, 1);

  let known = await index();
  const folder = join(state, "worker");

  /** Bundles the Worker, unless that was done before and nothing has changed. @returns An exit code. */
  async function prepare(): Promise<number> {
    const wanted: PrepareOptions = { folder, models: resolve(models), results: join(state, "results"), settings };
    const made = fingerprint(wanted);
    if (existsSync(join(folder, "made")) && readFileSync(join(folder, "made"), "utf8") === made) return 0;
    console.log("Bundling the Worker …");
    const script = fileURLToPath(new URL("./serve/prepare.ts", import.meta.url));
    return node(["--import", "tsx", script, JSON.stringify(wanted), made]);
  }
  const code = await prepare();
  if (code !== 0) return code;

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

  await supervisor
    .run(() => {
      console.log(`Edge Labeler at http://${host(ip)}:${port}, results in ${state}`);
      const { LABELER_TOKEN, LABELER_TOKENS } = process.env;
      if (!LABELER_TOKEN && !LABELER_TOKENS && !/^127\.|^::1$|^localhost$/.test(ip)) {
        console.warn("It has no token: whoever reaches this machine may use it. Set LABELER_TOKEN in the environment.");
      }
    })
    .finally(() => {
      clearInterval(watchParent);
      watcher.close();
      clearTimeout(pending);
    });
  return 0;
}

await runCommand(SERVE, serve);
