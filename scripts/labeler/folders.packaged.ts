/**
 * Where the commands of a package find workerd, the models and the state. An installation may be read-only, and an update
 * replaces it, so a user's models and state are outside of it. In a self-contained folder, which brings workerd along,
 * the models are those of the folder, where they can be added.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { includeModels } from "./included-models.ts";

/** The path of a part of the package, which has this file's folder below share/. */
const part = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Only a self-contained folder has it. */
const OWN_WORKERD = part("workerd");
const INCLUDED_MODELS = part("model-assets");

const isSelfContained = existsSync(OWN_WORKERD);

/** The user's own folder, also where HOME is set to nothing. */
const home = (): string => homedir() || userInfo().homedir;

/** A folder of the user's, by the XDG Base Directory Specification. */
const xdg = (variable: string, fallback: string): string =>
  join(process.env[variable] || join(home(), fallback), "edge-labeler");

/** As in folders.ts. */
export const workerdProgram = (): string =>
  isSelfContained ? OWN_WORKERD : createRequire(import.meta.url)("workerd").default;

/** As in folders.ts. */
export const modelsFolder: string = resolve(
  process.env.LABELER_MODELS ||
    (isSelfContained ? INCLUDED_MODELS : join(xdg("XDG_DATA_HOME", ".local/share"), "models")),
);

/** As in folders.ts. systemd names the folder of StateDirectory= in STATE_DIRECTORY. */
export const stateFolder: string =
  process.env.LABELER_STATE ||
  (isSelfContained ? "state" : process.env.STATE_DIRECTORY?.split(":")[0] || xdg("XDG_STATE_HOME", ".local/state"));

/** As in folders.ts. The included models, until a command has made the user's folder. */
export const modelsToRead = (): string => (existsSync(modelsFolder) ? modelsFolder : INCLUDED_MODELS);

/** As in folders.ts. The user's folder gets the included models; see includeModels(). */
export function modelsToChange(): string {
  if (modelsFolder !== INCLUDED_MODELS) includeModels(INCLUDED_MODELS, modelsFolder);
  return modelsFolder;
}
