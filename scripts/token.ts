/** npm run token -- NAME: makes a bearer token, and the line for the secret LABELER_TOKENS, which has only its hash. */
import { createHash, randomBytes } from "node:crypto";
import { runCommand, UsageError } from "./lib/command.ts";

const usage = `npm run token -- [NAME]

Makes a token for a client, and the line with its hash for the secret LABELER_TOKENS. NAME is how the labeler's log and
limits call the client; "client" if absent.`;

await runCommand({ usage, operands: 1 }, async (_, [name = "client"]) => {
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new UsageError(`"${name}": a name has 1 to 64 letters, digits, dots, dashes and underscores.`);
  }
  const token = randomBytes(32).toString("base64url");
  const hash = createHash("sha256").update(token).digest("hex");
  console.log(`Token, for the client; it is shown this once:

  ${token}

For the labeler, in the secret LABELER_TOKENS, one after the other with commas between them:

  ${name}:${hash}`);
  return 0;
});
