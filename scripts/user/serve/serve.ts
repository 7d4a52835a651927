/**
 * Runs the labeler on workerd: supervised, with an index of its models that is kept up to date, and as the only owner of its state folder.
 */
import { mkdirSync } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { hasToken, type Secrets } from "../../../worker/settings/token-settings.ts";
import { CommandError } from "../../command-line/command.ts";
import { isLoopback } from "../../system/loopback.ts";
import { whenOrphaned } from "../../system/orphan.ts";
import { whyNotListen } from "../../system/ports.ts";
import { indexAloud, keepIndexed } from "../models-folder.ts";
import { readSecrets } from "../secrets.ts";
import { configIn, type ServedWorker } from "./configure.ts";
import { fileError } from "./file-errors.ts";
import { indexFolder } from "./index-folder.ts";
import { StateLock } from "./lock.ts";
import type { ServeOptions } from "./options.ts";
import { ResultsFolder } from "./results-folder.ts";
import { Supervisor } from "./supervisor.ts";

/** An address in the form of a URL's host. */
const host = (address: string) => (isIP(address) === 6 ? `[${address}]` : address);

/** The address at which this machine itself reaches a server that listens there. */
const near = (ip: string) => (ip === "0.0.0.0" ? "127.0.0.1" : ip === "::" ? "::1" : ip);

function warnWithoutToken(ip: string, secrets: Secrets): void {
  if (hasToken(secrets) || isLoopback(ip)) return;
  console.warn("It has no token: whoever reaches this machine may use it. Set LABELER_TOKEN in the environment.");
}

/** The program and the Worker of a labeler: from a checkout or a package. */
export interface Release {
  /** The path of workerd. */
  readonly workerd: string;
  /** Makes a Worker with its configuration. @returns An exit code: 0, or another one if an error was printed. */
  makeWorker(served: ServedWorker): Promise<number>;
}

/** Ensures that workerd ends before this process does, and that the lock is released only then. */
function endTogether(lock: StateLock, supervisor: Supervisor): void {
  process.once("exit", () => {
    const wasRunning = supervisor.running;
    supervisor.kill();
    if (!wasRunning) lock.release(); // Otherwise the record names the process to wait for.
  });
  const fail = (error: unknown) => {
    console.error(error);
    process.exit(1);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  // The reader of the log may go away, which is not a reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}

/**
 * Runs the labeler until it is asked to end.
 *
 * @returns An exit code.
 * @throws CommandError if it cannot run like that.
 */
export async function serve(options: ServeOptions, release: Release): Promise<number> {
  try {
    return await serveFrom(options, release);
  } catch (error) {
    throw fileError(error, resolve(options.state));
  }
}

async function serveFrom(
  { port, ip, settings, drain, watchdog, ...folders }: ServeOptions,
  { workerd, makeWorker }: Release,
): Promise<number> {
  const secrets = readSecrets(); // Checked at every start, while the other settings are checked when the Worker is bundled.
  const [state, models] = [resolve(folders.state), resolve(folders.models)];
  const [folder, results] = [join(state, "worker"), join(state, "results")];
  const makeResults = () => mkdirSync(results, { recursive: true, mode: 0o700 });
  makeResults();
  const lock = StateLock.take(state);
  const files = new ResultsFolder(results);
  const supervisor = new Supervisor({
    workerd,
    config: configIn(folder),
    address: `${host(ip)}:${port}`,
    url: `http://${host(near(ip))}:${port}`,
    results,
    drain,
    watchdog,
    descriptor: lock.descriptor,
    starting: () => {
      makeResults();
      files.reset();
    },
    started: (pid) => lock.note(pid),
    whyRestart: () => (files.isReplaced() ? `The results in ${results} were removed or replaced.` : undefined),
  });
  endTogether(lock, supervisor);
  // Otherwise another server on this port would answer while the labeler is restarted again and again.
  const refusal = await whyNotListen(port, ip);
  if (refusal !== undefined) throw new CommandError(`${refusal}. Choose another --port or --ip.`, 1);

  const index = indexFolder(models, join(state, "index"));
  await indexAloud(models, { index });
  const code = await makeWorker({ folder, models, index, results, settings });
  if (code !== 0) return code;

  let stopped = false;
  const stop = (why: string) => {
    if (stopped) return;
    stopped = true;
    console.log(`${why}: requests may end for ${drain / 1000} s.`);
    supervisor.end().catch(console.error);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => stop(signal));
  whenOrphaned("serve", () => stop("npm has ended"));
  // The Worker reads the index again every second, and loads what it names.
  keepIndexed(models, { index, onChange: (names) => console.log(`Changed: ${names.join(", ")}.`) });
  await supervisor.run(() => {
    console.log(`Edge Labeler at http://${host(ip)}:${port}, results in ${state}`);
    warnWithoutToken(ip, secrets);
  });
  return 0;
}
