/** A Worker that was bundled when the package was made, in the place of bundle-network-worker.ts. */
import { cpSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NetworkWorker } from "./bundle-network-worker.ts";
import { readDeclared } from "./worker-bundle.packaged.ts";
import { writeWorkerConfig } from "./write-worker-config.ts";

/** As in bundle-network-worker.ts. A source is bundled into the folder of its name. */
export async function bundleNetworkWorker({ source, folder, models, v8Flags }: NetworkWorker): Promise<string> {
  const bundled = fileURLToPath(new URL(`../../../${basename(source, ".ts")}`, import.meta.url));
  cpSync(bundled, folder, { recursive: true });
  const modules = readdirSync(bundled).filter((name) => name.endsWith(".wasm"));
  const wasm = new Map(modules.map((name) => [name, join(bundled, name)]));
  return writeWorkerConfig({ folder, wasm, compatibilityDate: readDeclared().compatibilityDate, v8Flags, models });
}
