/**
 * Makes what workerd runs: the bundled Worker and its configuration, in a folder. A process of its own, since wrangler,
 * which bundles, would keep 300 MB in one that runs on. Its arguments are a PrepareOptions in JSON and the text that goes
 * into the file `made` when all is complete.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bindings, settingsOf } from "../../worker/http/settings.ts";
import { makeBundles } from "../lib/bundles.ts";
import { bundleWorker } from "../lib/run.ts";
import { settingsWith, workerdConfig } from "../lib/workerd-config.ts";
import { SECRETS } from "./options.ts";

export interface PrepareOptions {
  /** The folder to make; what is in it is replaced. */
  readonly folder: string;
  readonly models: string;
  readonly results: string;
  readonly settings: Readonly<Record<string, string>>;
}

const { folder, models, results, settings }: PrepareOptions = JSON.parse(process.argv[2] ?? "");
const known = Object.keys(await settingsWith({}));
const unknown = Object.keys(settings).filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no setting ${unknown.join(", ")}. There are: ${known.join(", ")}.`);
  process.exit(2);
}
try {
  // The labeler checks them too, but only when it is asked for something.
  const secrets = Object.fromEntries(SECRETS.map((name) => [name, process.env[name]]));
  settingsOf({ ...(await settingsWith(settings)), ...secrets } as unknown as Bindings);
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}
await makeBundles();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
bundleWorker(folder);
const config = await workerdConfig({ bundle: folder, models, state: results, settings, fromEnvironment: SECRETS });
writeFileSync(join(folder, "config.capnp"), config);
writeFileSync(join(folder, "made"), process.argv[3] ?? "");
process.exit(0); // wrangler leaves things running
