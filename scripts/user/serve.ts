/**
 * `npm run serve`: runs the labeler on workerd itself, for a machine of your own; see
 * docs/how-to/self-host.md.
 */
import { runCommand } from "../command-line/command.ts";
import { workerdProgram } from "../labeler/folders.ts";
import { bundle } from "./serve/bundle.ts";
import { serveCommand, serveOptions } from "./serve/options.ts";
import { serve } from "./serve/serve.ts";

await runCommand(serveCommand("npm run serve -- "), (values) =>
  serve(serveOptions(values), { workerd: workerdProgram(), makeWorker: bundle }),
);
