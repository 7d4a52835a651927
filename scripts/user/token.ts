/**
 * `npm run token -- NAME`: makes a bearer token, and its entry for the secret LABELER_TOKENS, which contains only the
 * hash.
 */
import { createHash, randomBytes } from "node:crypto";
import { SCOPES } from "../../worker/settings/scopes.ts";
import { runCommand, UsageError } from "../command-line/command.ts";

const usage = `npm run token -- [NAME] [options]

Makes a token for a client, and its entry with the hash for the secret LABELER_TOKENS. NAME stands for the
client in the labeler's log and limits; "client" if absent.

  --scope SCOPE+SCOPE  what the client may do: ${SCOPES.join(", ")}; everything except admin if absent`;

const OPTIONS = { scope: { type: "string" } } as const;

/** @throws UsageError if a scope does not exist. */
function checkScopes(text: string): void {
  const unknown = text.split("+").find((scope) => !(SCOPES as readonly string[]).includes(scope));
  if (unknown === undefined) return;
  throw new UsageError(`--scope ${text}: "${unknown}" is not a scope. There are ${SCOPES.join(", ")}, joined by +.`);
}

await runCommand({ usage, options: OPTIONS, operands: 1 }, async ({ scope }, [name = "client"]) => {
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new UsageError(`"${name}": a name has 1 to 64 letters, digits, dots, dashes and underscores.`);
  }
  if (scope !== undefined) checkScopes(scope);
  const token = randomBytes(32).toString("base64url");
  const hash = createHash("sha256").update(token).digest("hex");
  console.log(`Token, for the client; it is shown this once:

  ${token}

For the labeler, in the secret LABELER_TOKENS, one after the other with commas between them:

  ${[name, ...(scope === undefined ? [] : [scope]), hash].join(":")}`);
  return 0;
});
