/**
 * Builds what workerd runs: the bundled Worker and its configuration, in a folder. It is a process of its own, since
 * wrangler, which bundles, would occupy 300 MB in a process that stays. Its arguments are a ServedWorker in JSON and
 * the text that goes into the file `made` when everything is complete.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../command-line/command.ts";
import { readDeclared } from "../../labeler/declared.ts";
import { copyWorkerBundle } from "../../labeler/worker-bundle.ts";
import { checkSettings, configure, type ServedWorker } from "./configure.ts";
import { fileError } from "./file-errors.ts";

const served: ServedWorker = JSON.parse(process.argv[2] ?? "");
const declared = await readDeclared();
const { folder } = served;
try {
  checkSettings(served, declared);
  rmSync(folder, { recursive: true, force: true });
  await copyWorkerBundle(folder);
  configure(served, declared);
  writeFileSync(join(folder, "made"), process.argv[3] ?? "");
} catch (thrown) {
  const error = fileError(thrown, folder);
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
  process.exit(error.exitCode);
}
process.exit(0); // wrangler leaves timers and processes running.
