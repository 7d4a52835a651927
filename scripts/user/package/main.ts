/** A packaged labeler: `npm run serve`, with the files beside this one in the place of a checkout. */
import { cpSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../command-line/command.ts";
import type { Declared } from "../../labeler/workerd-config.ts";
import { checkSettings, configure, type ServedWorker } from "../serve/configure.ts";
import { serveCommand, serveOptions } from "../serve/options.ts";
import { serve } from "../serve/serve.ts";
import { PARTS } from "./parts.ts";

const part = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * The Worker is copied to the state folder, since workerd expects its configuration beside it, and this folder may be
 * read-only.
 */
async function makeWorker(served: ServedWorker): Promise<number> {
  const declared: Declared = JSON.parse(readFileSync(part(PARTS.declared), "utf8"));
  checkSettings(served, declared);
  rmSync(served.folder, { recursive: true, force: true });
  cpSync(part(PARTS.worker), served.folder, { recursive: true });
  configure(served, declared);
  return 0;
}

await runCommand(serveCommand("node serve.mjs "), (values) =>
  serve(serveOptions(values, part(PARTS.models)), { workerd: part(PARTS.workerd), makeWorker }),
);
