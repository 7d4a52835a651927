/** Refuses to deploy a labeler that anyone on the internet could use at its owner's cost. */
import { parseArgs } from "node:util";
import { CommandError } from "../../command-line/command.ts";
import { wranglerOutput } from "../../labeler/run.ts";

const TOKENS: readonly string[] = ["LABELER_TOKEN", "LABELER_TOKENS"];

/** The options of `wrangler deploy` that choose the Worker, which `wrangler secret list` has, too. */
const CHOOSING = {
  name: { type: "string" },
  config: { type: "string", short: "c" },
  env: { type: "string", short: "e" },
} as const;

/** The arguments that choose the Worker. */
function choosing(args: readonly string[]): string[] {
  const { values } = parseArgs({ args: [...args], strict: false, options: CHOOSING });
  return Object.keys(CHOOSING).flatMap((name) => {
    const value = values[name as keyof typeof CHOOSING];
    return typeof value === "string" ? [`--${name}`, value] : [];
  });
}

/** The names of the secrets that the Worker has on Cloudflare; none if it does not exist. @throws CommandError */
async function secretsOnCloudflare(args: readonly string[]): Promise<string[]> {
  const { code, out, err } = await wranglerOutput(["secret", "list", "--format", "json", ...choosing(args)]);
  if (code === 0) return JSON.parse(out).map(({ name }: { name: string }) => name);
  if (/Worker ".*" .*not found/.test(out + err)) return [];
  throw new CommandError(
    `${(out + err).trim()}\nThe Worker's secrets cannot be listed. Log in: npm run wrangler -- login.`,
    1,
  );
}

/**
 * @param args Those of `wrangler deploy`.
 * @param names The names of secrets that are deployed along.
 * @throws CommandError if the labeler would have no token.
 */
export async function requireToken(args: readonly string[], names: readonly string[]): Promise<void> {
  const hasToken = (all: readonly string[]) => all.some((name) => TOKENS.includes(name));
  if (hasToken(names) || hasToken(await secretsOnCloudflare(args))) return;
  throw new CommandError(
    "Without a token anyone on the internet could use the labeler, at your cost. Put one into the environment, which is " +
      "deployed along as a secret (read -rs LABELER_TOKEN && export LABELER_TOKEN; npm run token makes one), or deploy it " +
      "with --open.",
  );
}
