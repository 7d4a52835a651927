/**
 * Runs the labeler on workerd: supervised, with an index of its models that is kept up to date, and as the only owner of its state folder.
 */
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { hasToken, type Secrets } from "../../../worker/settings/token-settings.ts";
import { CommandError } from "../../command-line/command.ts";
import { isLoopback } from "../../system/loopback.ts";
import { makeFolder } from "../../system/make-folder.ts";
import { whenOrphaned } from "../../system/orphan.ts";
import { whyNotListen } from "../../system/ports.ts";
import { indexAloud, keepIndexed } from "../models-folder.ts";
import { readSecrets } from "../secrets.ts";
import { configIn, oneOfSeveralIn, readServedSettings, type ServedWorker, storeIn } from "./configure.ts";
import { fileError } from "./file-errors.ts";
import { indexFolder } from "./index-folder.ts";
import { StateLock } from "./lock.ts";
import type { ServeOptions } from "./options.ts";
import { ResultsFolder } from "./results-folder.ts";
import { refuseForeign } from "./state-folder.ts";
import { Supervisor } from "./supervisor.ts";
import { howMany, thisMachine } from "./workers/how-many.ts";
import { Workers } from "./workers/workers.ts";

/** An address in the form of a URL's host. */
const host = (address: string) => (isIP(address) === 6 ? `[${address}]` : address);

/** The address at which this machine itself reaches a server that listens there. */
const near = (ip: string) => (ip === "0.0.0.0" ? "127.0.0.1" : ip === "::" ? "::1" : ip);

/** What runs the labeler: a supervisor of one workerd, or several workers. */
interface Runner {
  readonly running: boolean;
  run(ready: () => void): Promise<void>;
  end(): Promise<void>;
  /** Takes over changed settings. */
  restart(): Promise<void>;
  kill(): void;
}

function warnWithoutToken(ip: string, secrets: Secrets): void {
  if (hasToken(secrets) || isLoopback(ip)) return;
  console.warn("It has no token: whoever reaches this machine may use it. Set LABELER_TOKEN in the environment.");
}

/** @param usable The names of the installed models that can be used. */
function warnWithoutModel(name: string, usable: readonly string[]): void {
  // Not an error: a model may be added while the labeler runs.
  console.warn(
    `The default model ${name} is not installed${usable.length > 0 ? `; there are ${usable.join(", ")}` : ""}. ` +
      "Add it with npm run model -- add, or name another one with --var DEFAULT_MODEL:NAME.",
  );
}

/** The program and the Worker of a labeler: from a checkout or a package. */
export interface Release {
  /** The path of workerd. */
  readonly workerd: string;
  /** Makes a Worker with its configuration. @returns An exit code: 0, or another one if an error was printed. */
  makeWorker(served: ServedWorker): Promise<number>;
}

/** Ensures that workerd ends before this process does, and that the lock is released only then. */
function endTogether(lock: StateLock, runner: () => Runner | undefined): void {
  process.once("exit", () => {
    const wasRunning = runner()?.running;
    runner()?.kill();
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

async function serveFrom(options: ServeOptions, { workerd, makeWorker }: Release): Promise<number> {
  const { port, ip, settings, drain, watchdog } = options;
  const secrets = readSecrets(); // Checked at every start, while the other settings are checked when the Worker is bundled.
  const [state, models] = [resolve(options.state), resolve(options.models)];
  const [folder, results] = [join(state, "worker"), join(state, "results")];
  refuseForeign(state);
  const makeResults = () => makeFolder(results, 0o700);
  makeResults();
  const lock = StateLock.take(state);
  let runner: Runner | undefined;
  endTogether(lock, () => runner);
  // Otherwise another server on this port would answer while the labeler is restarted again and again.
  const refusal = await whyNotListen(port, ip);
  if (refusal !== undefined) throw new CommandError(`${refusal}. Choose another --port or --ip.`, 1);

  const index = indexFolder(models, join(state, "index"));
  const installed = await indexAloud(models, { index });
  const make = () => makeWorker({ folder, models, index, results, settings });
  const code = await make();
  if (code !== 0) return code;

  const files = new ResultsFolder(results);
  const common = { workerd, results, drain, watchdog, descriptor: lock.descriptor };
  const store = {
    starting: () => {
      makeResults();
      files.reset();
    },
    whyRestart: () => (files.isReplaced() ? `The results in ${results} were removed or replaced.` : undefined),
  };
  const url = `http://${host(near(ip))}:${port}`;
  const served = readServedSettings(folder);
  const { count, why } = howMany(options.workers, thisMachine(), served);
  const usable = installed.filter(({ error }) => error === undefined).map(({ name }) => name);
  const loadsModel = usable.includes(served.DEFAULT_MODEL);
  const running =
    count === 1
      ? new Supervisor({
          ...common,
          ...store,
          loadsModel,
          config: configIn(folder),
          address: `${host(ip)}:${port}`,
          url,
          started: (pid) => lock.note(pid),
        })
      : new Workers({
          count,
          loadsModel,
          port,
          ip,
          state,
          workerConfig: oneOfSeveralIn(folder),
          storeConfig: storeIn(folder),
          started: (withResults, workers) => lock.note(withResults, workers),
          common,
          store,
        });
  runner = running;

  let stopped = false;
  const stop = (why: string) => {
    if (stopped) return;
    stopped = true;
    console.log(`${why}: requests may end for ${drain / 1000} s.`);
    running.end().catch(console.error);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => stop(signal));
  whenOrphaned("serve", () => stop("npm has ended"));
  // The Worker reads the index again every second, and loads what it names.
  keepIndexed(models, { index, onChange: (names) => console.log(`Changed: ${names.join(", ")}.`) });
  const readAgain = async () => {
    console.log("SIGUSR2: the settings are read again.");
    try {
      if ((await make()) !== 0 || stopped) return;
      howMany(count, thisMachine(), readServedSettings(folder)); // It throws if the limits are too low now.
      await running.restart();
    } catch (error) {
      console.error(error instanceof CommandError ? error.message : error);
    }
  };
  let reading = Promise.resolve();
  process.on("SIGUSR2", () => {
    reading = reading.then(readAgain);
  });
  await running.run(() => {
    console.log(`Edge Labeler at http://${host(ip)}:${port}, results in ${state}`);
    console.log(`It has ${count === 1 ? "1 worker" : `${count} workers`} (${why}).`);
    warnWithoutToken(ip, secrets);
    if (!loadsModel) warnWithoutModel(served.DEFAULT_MODEL, usable);
  });
  return 0;
}
