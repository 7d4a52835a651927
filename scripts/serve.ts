/** npm run serve: the labeler on workerd itself, for a machine of your own; docs/self-host.md. */
import { mkdirSync } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import type { IndexEntry } from "../worker/model/index-entry.ts";
import { CommandError, runCommand, type Values } from "./lib/command.ts";
import { indexAloud, watchModels } from "./lib/models-folder.ts";
import { whenOrphaned } from "./lib/orphan.ts";
import { whyNotListen } from "./lib/ports.ts";
import { bundle } from "./serve/bundle.ts";
import { StateLock } from "./serve/lock.ts";
import { SERVE, serveOptions } from "./serve/options.ts";
import { Supervisor } from "./serve/supervisor.ts";

/** As it stands in a URL. */
const host = (address: string) => (isIP(address) === 6 ? `[${address}]` : address);

/** Where this machine itself reaches what listens there. */
const near = (ip: string) => (ip === "0.0.0.0" ? "127.0.0.1" : ip === "::" ? "::1" : ip);

const namesOf = (entries: readonly IndexEntry[]) => new Set(entries.map(({ name }) => name));

function warnWithoutToken(ip: string): void {
  const { LABELER_TOKEN, LABELER_TOKENS } = process.env;
  if (LABELER_TOKEN || LABELER_TOKENS || /^127\.|^::1$|^localhost$/.test(ip)) return;
  console.warn("It has no token: whoever reaches this machine may use it. Set LABELER_TOKEN in the environment.");
}

async function serve(values: Values<typeof SERVE.options>): Promise<number> {
  const { port, ip, settings, drain, watchdog, ...folders } = serveOptions(values);
  const [state, models] = [resolve(folders.state), resolve(folders.models)];
  const [folder, results] = [join(state, "worker"), join(state, "results")];
  mkdirSync(results, { recursive: true, mode: 0o700 });
  const lock = StateLock.take(state);
  process.once("exit", () => lock.release());
  // Else what listens there would answer in the place of a labeler that is started again and again.
  const refusal = await whyNotListen(port, ip);
  if (refusal !== undefined) throw new CommandError(`${refusal}. Choose another --port or --ip.`, 1);

  let known = namesOf(await indexAloud(models));
  const code = await bundle({ folder, models, results, settings });
  if (code !== 0) return code;

  const supervisor = new Supervisor({
    config: join(folder, "config.capnp"),
    address: `${host(ip)}:${port}`,
    url: `http://${host(near(ip))}:${port}`,
    drain,
    watchdog,
    started: (pid) => lock.note(pid),
  });
  let stopped = false;
  const stop = (why: string) => {
    if (stopped) return;
    stopped = true;
    console.log(`${why}: requests may end for ${drain / 1000} s.`);
    supervisor.end().catch(console.error);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => stop(signal));
  whenOrphaned("serve", () => stop("npm has ended"));
  // A new model is there for the next request that names it; one that changed may be in memory already.
  watchModels(models, async (names) => {
    const changed = names.filter((name) => known.has(name));
    known = namesOf(await indexAloud(models));
    if (changed.length === 0 || stopped) return;
    console.log(`Changed: ${changed.join(", ")}. The labeler starts anew.`);
    await supervisor.restart();
  });
  await supervisor.run(() => {
    console.log(`Edge Labeler at http://${host(ip)}:${port}, results in ${state}`);
    warnWithoutToken(ip);
  });
  return 0;
}

await runCommand(SERVE, serve);
