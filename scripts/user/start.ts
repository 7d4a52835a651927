/** `npm start`: runs the labeler on this machine, in workerd, with `wrangler dev`, which receives the arguments. */
import { parseArgs } from "node:util";
import { whyNotDeployed } from "../../worker/model/index-entry.ts";
import { makeBundles } from "../build/bundles.ts";
import { MODELS } from "../build/model-index.ts";
import { runPassingThrough } from "../command-line/command.ts";
import { readConfiguration } from "../labeler/declared.ts";
import { wrangler } from "../labeler/run.ts";
import { checkWranglerDev, WITHOUT_EXPLORER } from "../labeler/wrangler-dev.ts";
import { whenOrphaned } from "../system/orphan.ts";
import { indexAloud, keepIndexed, tooLargeFiles } from "./models-folder.ts";
import { readSecrets, refuseSecrets } from "./secrets.ts";
import { checkAddresses } from "./start/address.ts";
import { runAgain } from "./start/again.ts";
import { passSecretsOn } from "./start/environment.ts";

const usage = `npm start -- [options]: runs the labeler on this machine, and restarts it when its code changes

  --port PORT          the port (8787)
  --var NAME:VALUE     a setting that differs from wrangler.toml's; may be given more than once
  --assets FOLDER      the folder of models (${MODELS})

Only this machine can connect to it; npm run serve serves others, too. Secrets (LABELER_TOKEN, LABELER_TOKENS,
PUSH_TOKEN) come from the environment or from .dev.vars. All options of wrangler dev work, too:
npm run wrangler -- dev --help`;

const OPTIONS = {
  assets: { type: "string" },
  config: { type: "string", short: "c" },
  env: { type: "string", short: "e" },
  "env-file": { type: "string", multiple: true },
  envFile: { type: "string", multiple: true },
} as const;

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const textsOf = (values: unknown): string[] =>
  (Array.isArray(values) ? values : []).filter((v) => typeof v === "string");

await runPassingThrough(usage, async (args) => {
  checkWranglerDev(args);
  refuseSecrets(args, "the environment or in .dev.vars");
  checkAddresses(args);
  readSecrets();
  const { values } = parseArgs({ args: [...args], strict: false, options: OPTIONS });
  const environment = textOf(values.env);
  const { dev: addresses, vars } = await readConfiguration({ config: textOf(values.config), env: environment });
  checkAddresses(args, addresses);
  const files = [...textsOf(values["env-file"]), ...textsOf(values.envFile)];
  const secrets = passSecretsOn(args, { vars, files, environment });

  const models = textOf(values.assets) ?? MODELS;
  await Promise.all([indexAloud(models, { whyNot: whyNotDeployed }), makeBundles()]);
  // A model that is added while the labeler runs is available to the next request that names it.
  keepIndexed(models, { whyNot: whyNotDeployed });
  whenOrphaned("start", () => process.kill(process.pid, "SIGTERM"));
  const dev = ["dev", ...secrets.args, "--show-interactive-dev-session=false", ...args];
  try {
    return await runAgain({
      run: () => wrangler(dev, WITHOUT_EXPLORER),
      tooLarge: () => tooLargeFiles(models),
      leaveOut: async (files) => {
        console.error(
          `wrangler does not serve files of more than 25 MiB, and starts again without ${files.join(", ")}.`,
        );
        await indexAloud(models, { whyNot: whyNotDeployed });
      },
    });
  } finally {
    secrets.remove();
  }
});
