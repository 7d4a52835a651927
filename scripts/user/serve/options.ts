/** The command line of `npm run serve` and of a packaged labeler. */
import { type Command, fromUser, UsageError, type Values } from "../../command-line/command.ts";
import { modelsFolder, modelsToChange, stateFolder } from "../../labeler/folders.ts";
import { settingsFrom } from "../given-settings.ts";
import { refuseSecrets } from "../secrets.ts";

const usage = (program: string) => `${program}[options]: runs the labeler on workerd, on a machine of your own

  --port PORT          the port (8787)
  --ip ADDRESS         the address to listen on (127.0.0.1); 0.0.0.0 for all interfaces
  --state FOLDER       the folder of the results, for one labeler only (${stateFolder})
  --models FOLDER      the folder of models (${modelsFolder})
  --var NAME:VALUE     a setting that differs from wrangler.toml's; may be given more than once
  --drain SECONDS      how long requests may take to end after SIGTERM (5)
  --workers N          how many processes label, each on one core (auto: one for each core, but no more than one for
                       each GB of memory)
  --watchdog SECONDS   how long the labeler may fail to answer before it is restarted (30)

Secrets come from the environment: LABELER_TOKEN, LABELER_TOKENS, PUSH_TOKEN, or from the files that LABELER_TOKEN_FILE
and so on name. LABELER_STATE and LABELER_MODELS change the default folders.`;

export interface ServeOptions {
  readonly port: number;
  readonly ip: string;
  readonly state: string;
  readonly models: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly workers: number | "auto";
  /** How long requests may take to end, in milliseconds. */
  readonly drain: number;
  /** How long the labeler may fail to answer before it is restarted, in milliseconds. */
  readonly watchdog: number;
}

function number(name: string, text: string, most: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= most)) throw new UsageError(`--${name} must be a number above 0 and at most ${most}.`);
  return value;
}

function settingsIn(vars: readonly string[]): Record<string, string> {
  refuseSecrets(vars, "the environment");
  return settingsFrom(vars);
}

const OPTIONS = {
  port: { type: "string", default: "8787" },
  ip: { type: "string", default: "127.0.0.1" },
  state: { type: "string" },
  models: { type: "string" },
  var: { type: "string", multiple: true, default: [] },
  drain: { type: "string", default: "5" },
  watchdog: { type: "string", default: "30" },
  workers: { type: "string", default: "auto" },
} as const satisfies NonNullable<Command["options"]>;

/** @param program The command before the options: "npm run serve -- ". */
export const serveCommand = (program: string) =>
  ({ usage: usage(program), options: OPTIONS }) satisfies Command<typeof OPTIONS>;

/** @throws UsageError */
export function serveOptions(values: Values<typeof OPTIONS>): ServeOptions {
  const port = number("port", values.port, 65_535);
  if (!Number.isInteger(port)) throw new UsageError("--port must be a whole number.");
  if (values.workers !== "auto" && !/^[1-9]\d?$/.test(values.workers)) {
    throw new UsageError("--workers must be a whole number from 1 to 99, or auto.");
  }
  return {
    port,
    ip: values.ip,
    state: values.state === undefined ? stateFolder : fromUser(values.state),
    models: values.models === undefined ? modelsToChange() : fromUser(values.models),
    settings: settingsIn(values.var),
    workers: values.workers === "auto" ? "auto" : Number(values.workers),
    drain: number("drain", values.drain, 3600) * 1000,
    watchdog: number("watchdog", values.watchdog, 3600) * 1000,
  };
}
