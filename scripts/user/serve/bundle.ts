/** The bundled Worker of `npm run serve`. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fingerprint } from "../../labeler/fingerprint.ts";
import { node, scriptArguments } from "../../labeler/run.ts";
import type { ServedWorker } from "./configure.ts";

/** Bundles the Worker, unless that was done before and nothing has changed. @returns An exit code. */
export async function bundle(wanted: ServedWorker): Promise<number> {
  const made = fingerprint(wanted);
  const mark = join(wanted.folder, "made");
  if (existsSync(mark) && readFileSync(mark, "utf8") === made) return 0;
  console.log("Bundling the Worker …");
  return node(scriptArguments("scripts/user/serve/prepare.ts", [JSON.stringify(wanted), made]));
}
