/** `npm run deploy`: deploys the labeler to Cloudflare with `wrangler deploy`, which receives the arguments. */
import { parseArgs } from "node:util";
import { whyNotDeployed } from "../../worker/model/index-entry.ts";
import { prepare } from "../build/prepare.ts";
import { CommandError, fromUser, runPassingThrough } from "../command-line/command.ts";
import { readConfiguration } from "../labeler/declared.ts";
import { wrangler } from "../labeler/run.ts";
import { requireToken } from "./deploy/closed.ts";
import { namesIn, writeSecrets } from "./deploy/secrets-file.ts";
import { refuseSecrets } from "./secrets.ts";

const usage = `npm run deploy -- [options]: deploys the labeler to Cloudflare, unless a model cannot be used

  --dry-run            bundles it, and prints what would be uploaded; does not need an account
  --open               also without a token, with which anyone may use it, at your cost
  --var NAME:VALUE     a setting that differs from wrangler.toml's; may be given more than once

Secrets of the environment (LABELER_TOKEN, LABELER_TOKENS, PUSH_TOKEN) are deployed along; others stay as they are.
All options of wrangler deploy work, too: npm run wrangler -- deploy --help`;

const OPTIONS = {
  "dry-run": { type: "boolean" },
  dryRun: { type: "boolean" },
  "secrets-file": { type: "string" },
  secretsFile: { type: "string" },
  config: { type: "string", short: "c" },
  env: { type: "string", short: "e" },
} as const;

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/**
 * What the labeler cannot find out itself: that it runs on Cloudflare, without which it answers requests without a token
 * only under local host names, and the period of the rate limiter in seconds, for Retry-After.
 */
const settings = (period: number | undefined): string[] =>
  ["ON_CLOUDFLARE:true", ...(period === undefined ? [] : [`RATE_LIMITER_PERIOD:${period}`])].flatMap((setting) => [
    "--var",
    setting,
  ]);

await runPassingThrough(usage, async (given) => {
  refuseSecrets(given, "the environment");
  const open = given.includes("--open");
  const args = given.filter((arg) => arg !== "--open");
  const { values } = parseArgs({ args: [...args], strict: false, options: OPTIONS });
  const file = textOf(values["secrets-file"] ?? values.secretsFile);
  const secrets = file === undefined ? writeSecrets() : { args: [], names: namesIn(fromUser(file)), remove() {} };
  try {
    if (!open && !(values["dry-run"] ?? values.dryRun)) await requireToken(args, secrets.names);
    const errors = (await prepare()).flatMap((entry) => whyNotDeployed(entry) ?? []);
    if (errors.length > 0) {
      throw new CommandError(`${errors.join("\n")}\nFix or remove these models before you deploy them.`, 1);
    }
    const { rateLimiterPeriod } = await readConfiguration({ config: textOf(values.config), env: textOf(values.env) });
    return await wrangler(["deploy", ...settings(rateLimiterPeriod), "--outdir", "dist", ...secrets.args, ...args]);
  } finally {
    secrets.remove();
  }
});
