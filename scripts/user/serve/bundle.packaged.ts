/** The bundled Worker of a package, in the place of bundle.ts. */
import { rmSync } from "node:fs";
import { copyWorkerBundle, readDeclared } from "../../labeler/worker-bundle.packaged.ts";
import { checkSettings, configure, type ServedWorker } from "./configure.ts";

/**
 * Copies the Worker to the state folder, since workerd expects its configuration beside it, and the package may be
 * read-only. @returns An exit code.
 */
export async function bundle(served: ServedWorker): Promise<number> {
  checkSettings(served, readDeclared());
  rmSync(served.folder, { recursive: true, force: true });
  configure(served, await copyWorkerBundle(served.folder));
  return 0;
}
