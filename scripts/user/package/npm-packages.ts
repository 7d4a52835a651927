/** What npm's packages state about themselves, and which of them the Worker contains. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packagesOf } from "../../run/bundle.mjs";

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, or another name of a licence. */
  readonly licence: string;
  /** The text of its licence, if it comes with one. */
  readonly licenceText: string | undefined;
  /** Its digest in package-lock.json, as in Subresource Integrity. */
  readonly integrity: string | undefined;
}

const ENTRIES = ["worker/index.ts", "worker/store.ts", "worker/inference/tfjs.entry.ts"];

/** @returns The folders of the packages in the Worker, from the checkout. */
export async function packagesInWorker(): Promise<ReadonlySet<string>> {
  const { build } = await import("esbuild");
  const { metafile } = await build({
    entryPoints: ENTRIES,
    outdir: ".", // nothing is written there
    write: false,
    metafile: true,
    bundle: true,
    format: "esm",
    platform: "browser",
    external: ["cloudflare:*", "*.bundle.js", "*.wasm"],
    logLevel: "error",
  });
  return packagesOf(metafile);
}

/** @param folders Of packages, from the checkout. @returns Them by name and version. */
export function readNpmPackages(folders: Iterable<string>): NpmPackage[] {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Readonly<Record<string, { readonly integrity?: string } | undefined>>;
  };
  const found = [...folders].map((folder): NpmPackage => {
    const stated = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, string>;
    const text = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    return {
      name: stated.name,
      version: stated.version,
      licence: stated.license ?? "",
      licenceText: text && readFileSync(join(folder, text), "utf8"),
      integrity: packages[folder]?.integrity,
    };
  });
  return found.sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}
