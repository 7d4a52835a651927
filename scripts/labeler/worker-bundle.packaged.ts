/** The bundled Worker of a package, in the place of worker-bundle.ts, which bundles that of a checkout. */
import { cpSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { WorkerBundle } from "./worker-bundle.ts";
import type { Declared } from "./workerd-config.ts";

/** The path of a part of the package, which has this file's folder below share/. */
const part = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** The declarations of wrangler.toml when the package was made. */
export const readDeclared = (): Declared => JSON.parse(readFileSync(part("declared.json"), "utf8"));

/** As in worker-bundle.ts; a package does not keep notes. */
export const workerBundle = async (): Promise<Omit<WorkerBundle, "notes">> => ({
  folder: part("worker"),
  declared: readDeclared(),
});

/** Copies the Worker to a folder that is created. @returns Its declarations. */
export async function copyWorkerBundle(folder: string): Promise<Declared> {
  cpSync(part("worker"), folder, { recursive: true });
  return readDeclared();
}
