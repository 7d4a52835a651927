/** `npm run deploy`: deploys the labeler to Cloudflare with `wrangler deploy`, which receives the arguments. */
import { whyNotDeployed } from "../../worker/model/index-entry.ts";
import { prepare } from "../build/prepare.ts";
import { CommandError, runPassingThrough } from "../command-line/command.ts";
import { wrangler } from "../labeler/run.ts";
import { refuseSecrets } from "./secrets.ts";

const usage = `npm run deploy -- [options]: deploys the labeler to Cloudflare, unless a model cannot be used

  --dry-run            bundles it, and prints what would be uploaded; does not need an account
  --var NAME:VALUE     a setting that differs from wrangler.toml's; may be given more than once

All options of wrangler deploy work, too: npm run wrangler -- deploy --help`;

await runPassingThrough(usage, async (args) => {
  refuseSecrets(args, "Cloudflare with npm run wrangler -- secret put NAME");
  const errors = (await prepare()).flatMap((entry) => whyNotDeployed(entry) ?? []);
  if (errors.length > 0) {
    throw new CommandError(`${errors.join("\n")}\nFix or remove these models before you deploy them.`, 1);
  }
  // Unless the labeler knows that it runs on Cloudflare, it answers requests without a token only under local host
  // names.
  return wrangler(["deploy", "--var", "ON_CLOUDFLARE:true", "--outdir", "dist", ...args]);
});
