/** Detects whether the inputs of the Worker's bundle have changed, so that an unchanged bundle is not built again. */
import { createHash, type Hash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const ROOTS = [
  "worker",
  "native/codecs/codecs.wasm",
  "native/kernels/kernels.wasm",
  "scripts/build",
  "scripts/labeler",
  "scripts/user/serve",
  "wrangler.toml",
  "package.json",
  "test/fixtures/coffee-96.webp", // an example in the OpenAPI description
  "package-lock.json", // it determines the code of the packages
];
/** Files that are generated from the others. */
const GENERATED = /\.bundle\.js$/;

function* filesIn(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

/** Adds a file to a digest. @param name What the digest knows it by. */
export function addFile(hash: Hash, path: string, name = path): void {
  const contents = readFileSync(path);
  hash.update(`\n${name} ${contents.length}\n`).update(contents);
}

/** A digest of this checkout's files, and of anything else on which the bundle depends. */
export function fingerprint(rest?: unknown): string {
  const hash = createHash("sha256").update(`${JSON.stringify(rest)}`);
  for (const root of ROOTS) {
    for (const path of statSync(root).isDirectory() ? filesIn(root) : [root]) {
      if (GENERATED.test(path)) continue;
      addFile(hash, path);
    }
  }
  return hash.digest("hex");
}
