/** Reads the declarations of wrangler.toml about the Worker. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Declared } from "./workerd-config.ts";

const CONFIG = "wrangler.toml";
const CACHE = ".cache/declared";

/** Reads them by wrangler itself, which takes a second to load. */
async function readByWrangler(): Promise<Declared> {
  const { unstable_readConfig } = await import("wrangler");
  const { compatibility_date, compatibility_flags, vars } = unstable_readConfig(
    { config: CONFIG },
    { hideWarnings: true },
  );
  if (compatibility_date === undefined) throw new Error(`${CONFIG} has no compatibility_date`);
  return {
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    vars: Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, String(value)])),
  };
}

/** Whatever decides what wrangler reads: the file, wrangler's version and the environment of the deployment. */
function digestOfInputs(): string {
  const hash = createHash("sha256").update(`${process.env.CLOUDFLARE_ENV}\n`);
  for (const file of [CONFIG, "node_modules/wrangler/package.json"]) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

/** Keeps a text in a file of the cache, whole or not at all; in a read-only checkout it is read again each time. */
function keep(file: string, text: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(aside, text);
    renameSync(aside, file);
  } catch {
    rmSync(aside, { force: true });
  }
}

/** @throws Error if wrangler.toml cannot be read. */
export async function readDeclared(): Promise<Declared> {
  const file = `${CACHE}/${digestOfInputs()}.json`;
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // It was not read before, or was not written to its end.
  }
  const declared = await readByWrangler();
  keep(file, JSON.stringify(declared));
  return declared;
}
