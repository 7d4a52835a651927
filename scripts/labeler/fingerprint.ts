/** Detects whether the inputs of the Worker's bundle have changed, so that an unchanged bundle is not built again. */
import { createHash } from "node:crypto";
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

function* files(path: string): Generator<string> {
  if (!statSync(path).isDirectory()) {
    yield path;
    return;
  }
  for (const name of readdirSync(path).sort()) yield* files(join(path, name));
}

/** A digest of this checkout's files, and of anything else on which the bundle depends. */
export function fingerprint(rest?: unknown): string {
  const hash = createHash("sha256").update(`${JSON.stringify(rest)}`);
  for (const root of ROOTS) {
    for (const path of files(root)) {
      if (GENERATED.test(path)) continue;
      const contents = readFileSync(path);
      hash.update(`\n${path} ${contents.length}\n`).update(contents);
    }
  }
  return hash.digest("hex");
}
