/**
 * `npm run serve`: runs the labeler of this checkout on workerd itself, for a machine of your own; see
 * docs/how-to/self-host.md.
 */
import { createRequire } from "node:module";
import { MODELS } from "../build/model-index.ts";
import { runCommand } from "../command-line/command.ts";
import { bundle } from "./serve/bundle.ts";
import { serveCommand, serveOptions } from "./serve/options.ts";
import { serve } from "./serve/serve.ts";

const workerd: string = createRequire(import.meta.url)("workerd").default;

await runCommand(serveCommand("npm run serve -- "), (values) =>
  serve(serveOptions(values, MODELS), { workerd, makeWorker: bundle }),
);
