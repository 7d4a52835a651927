/** npm run token -- NAME: makes a bearer token, and the line for the secret LABELER_TOKENS, which has only its hash. */
import { createHash, randomBytes } from "node:crypto";

const name = process.argv[2] ?? "client";
if (!/^[\w.-]{1,64}$/.test(name)) {
  console.error("npm run token -- NAME: a name has 1 to 64 letters, digits, dots, dashes and underscores.");
  process.exit(2);
}
const token = randomBytes(32).toString("base64url");
const hash = createHash("sha256").update(token).digest("hex");
console.log(`Token, for the client; it is shown this once:

  ${token}

For the labeler, in the secret LABELER_TOKENS, one after the other with commas between them:

  ${name}:${hash}`);
