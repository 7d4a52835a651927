/** npm start: the labeler on this machine, in workerd, by `wrangler dev`, which gets the arguments. */
import { watch } from "node:fs";
import { makeBundles } from "./lib/bundles.ts";
import { handedOn } from "./lib/command.ts";
import { indexModels, MODELS } from "./lib/model-index.ts";
import { wrangler } from "./lib/run.ts";

const args = handedOn(`npm start -- [options]: the labeler on this machine, and again with every change of its code

  --port PORT          8787
  --ip ADDRESS         127.0.0.1; 0.0.0.0 for all interfaces
  --var NAME:VALUE     a setting that differs from wrangler.toml's; may be given more than once
  --assets FOLDER      another folder of models than ${MODELS}

So do all options of wrangler dev: npm run wrangler -- dev --help`);
const assets = args.indexOf("--assets");
const models = assets === -1 ? MODELS : (args[assets + 1] ?? MODELS);

async function index(): Promise<void> {
  for (const { error } of await indexModels(models)) if (error !== undefined) console.error(`Not usable: ${error}`);
}

await Promise.all([index(), makeBundles()]);

// A model that is dropped in while the labeler runs is there for the next request that names it.
let pending: NodeJS.Timeout | undefined;
const watcher = watch(models, { recursive: true }, (_, file) => {
  if (file === "index.json") return;
  clearTimeout(pending);
  pending = setTimeout(() => index().catch(console.error), 300);
});

// npm does not pass its signals on: where it has ended, this ends, too, and its children with it.
const parent = process.ppid;
const orphaned = () => process.ppid !== parent && process.kill(process.pid, "SIGTERM");
const watchParent = process.env.npm_lifecycle_event === "start" ? setInterval(orphaned, 500) : undefined;

process.exitCode = await wrangler(["dev", "--show-interactive-dev-session=false", ...args]);
watcher.close();
clearInterval(watchParent);
