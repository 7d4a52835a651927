/** npm start: the labeler on this machine, in workerd. Arguments go to `wrangler dev`: npm start -- --ip 0.0.0.0 */
import { watch } from "node:fs";
import { indexModels, MODELS } from "./lib/model-index.ts";
import { prepare } from "./lib/prepare.ts";
import { node, WRANGLER } from "./lib/run.ts";

const warn = (errors: readonly string[]) => {
  for (const error of errors) console.error(`Not usable: ${error}`);
};

warn(await prepare());

// A model that is dropped in while the labeler runs is there for the next request that names it.
let pending: NodeJS.Timeout | undefined;
const watcher = watch(MODELS, { recursive: true }, (_, file) => {
  if (file === "index.json") return;
  clearTimeout(pending);
  pending = setTimeout(async () => {
    try {
      warn((await indexModels()).flatMap(({ error }) => (error === undefined ? [] : [error])));
    } catch (error) {
      console.error(error);
    }
  }, 300);
});

process.exitCode = await node([...WRANGLER, "dev", "--show-interactive-dev-session=false", ...process.argv.slice(2)]);
watcher.close();
