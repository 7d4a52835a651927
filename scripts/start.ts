/** npm start: the labeler on this machine, in workerd, by `wrangler dev`, which gets the arguments. */
import { parseArgs } from "node:util";
import { whyNotDeployed } from "../worker/model/index-entry.ts";
import { makeBundles } from "./lib/bundles.ts";
import { runHandingOn } from "./lib/command.ts";
import { MODELS } from "./lib/model-index.ts";
import { indexAloud, watchModels } from "./lib/models-folder.ts";
import { whenOrphaned } from "./lib/orphan.ts";
import { wrangler } from "./lib/run.ts";
import { checkWranglerDev } from "./lib/wrangler-dev.ts";

const usage = `npm start -- [options]: the labeler on this machine, and again with every change of its code

  --port PORT          8787
  --ip ADDRESS         127.0.0.1; 0.0.0.0 for all interfaces
  --var NAME:VALUE     a setting that differs from wrangler.toml's; may be given more than once
  --assets FOLDER      another folder of models than ${MODELS}

So do all options of wrangler dev: npm run wrangler -- dev --help`;

await runHandingOn(usage, async (args) => {
  checkWranglerDev(args);
  const { values } = parseArgs({ args: [...args], strict: false, options: { assets: { type: "string" } } });
  const models = typeof values.assets === "string" ? values.assets : MODELS;
  await Promise.all([indexAloud(models, { whyNot: whyNotDeployed }), makeBundles()]);
  // A model that is dropped in while the labeler runs is there for the next request that names it.
  watchModels(models, () => indexAloud(models, { whyNot: whyNotDeployed }));
  whenOrphaned("start", () => process.kill(process.pid, "SIGTERM"));
  return wrangler(["dev", "--show-interactive-dev-session=false", ...args]);
});
