/** Caches the types of the Worker's bindings and of the Workers runtime, which wrangler takes seconds to make. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { resolve } from "node:path";
import { addFile } from "./fingerprint.ts";
import { writeBindingTypes } from "./run.ts";

const CACHE = ".cache/types";

/** The files that decide what wrangler writes. */
const INPUTS = [
  "wrangler.toml",
  ".dev.vars",
  ...["wrangler", "workerd"].map((name) => `node_modules/${name}/package.json`),
];

/** @returns The path of a .d.ts file, to which nothing may be written. */
export function bindingTypes(): string {
  const hash = createHash("sha256").update(`${process.env.CLOUDFLARE_ENV}`);
  for (const file of INPUTS) if (existsSync(file)) addFile(hash, file);
  const name = hash.digest("hex").slice(0, 16);
  const file = resolve(CACHE, `${name}.d.ts`);
  if (!existsSync(file)) {
    mkdirSync(CACHE, { recursive: true });
    // Renamed when complete, so that interrupted and concurrent calls do no harm.
    const aside = resolve(CACHE, `${name}.${process.pid}.d.ts`);
    writeBindingTypes(aside);
    renameSync(aside, file);
  }
  return file;
}
