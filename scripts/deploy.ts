/** npm run deploy: puts the labeler on Cloudflare. Arguments go to `wrangler deploy`: npm run deploy -- --dry-run */
import { prepare } from "./lib/prepare.ts";
import { wrangler } from "./lib/run.ts";

const errors = await prepare();
if (errors.length > 0) {
  for (const error of errors) console.error(error);
  console.error("Mend or remove these models before they go to Cloudflare.");
  process.exit(1);
}
process.exitCode = await wrangler(["deploy", "--outdir", "dist", ...process.argv.slice(2)]);
