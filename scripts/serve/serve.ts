/** The labeler on workerd: watched over, started anew where its models change, and alone with its state folder. */
import { mkdirSync } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { hasToken, type Secrets } from "../../worker/http/token-settings.ts";
import type { IndexEntry } from "../../worker/model/index-entry.ts";
import { CommandError } from "../lib/command.ts";
import { isLoopback } from "../lib/loopback.ts";
import { indexAloud, watchModels } from "../lib/models-folder.ts";
import { whenOrphaned } from "../lib/orphan.ts";
import { whyNotListen } from "../lib/ports.ts";
import { configIn, readSecrets, type ServedWorker } from "./configure.ts";
import { StateLock } from "./lock.ts";
import type { ServeOptions } from "./options.ts";
import { Supervisor } from "./supervisor.ts";

/** As it stands in a URL. */
const host = (address: string) => (isIP(address) === 6 ? `[${address}]` : address);

/** Where this machine itself reaches what listens there. */
const near = (ip: string) => (ip === "0.0.0.0" ? "127.0.0.1" : ip === "::" ? "::1" : ip);

const namesOf = (entries: readonly IndexEntry[]) => new Set(entries.map(({ name }) => name));

function warnWithoutToken(ip: string, secrets: Secrets): void {
  if (hasToken(secrets) || isLoopback(ip)) return;
  console.warn("It has no token: whoever reaches this machine may use it. Set LABELER_TOKEN in the environment.");
}

/** Where the labeler comes from. */
export interface Release {
  /** The program. */
  readonly workerd: string;
  /** Makes a Worker with its configuration. @returns An exit code: 0, or why it cannot be made was said. */
  makeWorker(served: ServedWorker): Promise<number>;
}

/**
 * Runs the labeler until it is asked to end.
 *
 * @returns An exit code.
 * @throws CommandError if it cannot run like that.
 */
export async function serve(
  { port, ip, settings, drain, watchdog, ...folders }: ServeOptions,
  { workerd, makeWorker }: Release,
): Promise<number> {
  const secrets = readSecrets(); // at every start, while the other settings are checked when the Worker is bundled
  const [state, models] = [resolve(folders.state), resolve(folders.models)];
  const [folder, results] = [join(state, "worker"), join(state, "results")];
  mkdirSync(results, { recursive: true, mode: 0o700 });
  const lock = StateLock.take(state);
  process.once("exit", () => lock.release());
  // Else what listens there would answer in the place of a labeler that is started again and again.
  const refusal = await whyNotListen(port, ip);
  if (refusal !== undefined) throw new CommandError(`${refusal}. Choose another --port or --ip.`, 1);

  let known = namesOf(await indexAloud(models));
  const code = await makeWorker({ folder, models, results, settings });
  if (code !== 0) return code;

  const supervisor = new Supervisor({
    workerd,
    config: configIn(folder),
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
    warnWithoutToken(ip, secrets);
  });
  return 0;
}
