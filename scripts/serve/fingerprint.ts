/** Tells whether what a bundle was made of has changed since, so that a restart need not bundle again. */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const ROOTS = ["worker", "native", "scripts/lib", "scripts/serve", "wrangler.toml", "package-lock.json"];
/** Made of the others. */
const GENERATED = /\.bundle\.js$/;

function* files(path: string): Generator<string> {
  if (!statSync(path).isDirectory()) {
    yield path;
    return;
  }
  for (const name of readdirSync(path).sort()) yield* files(join(path, name));
}

/** A digest of names, sizes and times of this checkout's files, and of whatever else the bundle depends on. */
export function fingerprint(rest: unknown): string {
  const hash = createHash("sha256").update(JSON.stringify(rest));
  for (const root of ROOTS) {
    for (const path of files(root)) {
      if (GENERATED.test(path)) continue;
      const { size, mtimeMs } = statSync(path);
      hash.update(`${path} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest("hex");
}
