/** Makes the npm package of a staged folder: its package.json, the archive, its SBOM beside it, and their checksums. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../command-line/command.ts";
import { PARTS } from "./parts.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: unknown;
  readonly devDependencies: { readonly workerd: string };
}

/** Writes the package.json of the package, whose only dependency is workerd. */
export function writeManifest(folder: string): void {
  const { name, version, description, license, engines, devDependencies }: Manifest = JSON.parse(
    readFileSync("package.json", "utf8"),
  );
  const manifest = {
    name,
    version,
    description,
    license,
    type: "module",
    bin: { [name]: PARTS.program },
    exports: { "./client": { types: `./${PARTS.client}/index.d.ts`, default: `./${PARTS.client}/index.js` } },
    engines,
    dependencies: { workerd: devDependencies.workerd },
  };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

const checksum = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

/**
 * Packs a staged folder. The same contents give the same bytes: npm leaves out times and owners.
 *
 * @param folder The staged folder.
 * @param output The folder for the archive, its SBOM and SHA256SUMS; it is created.
 * @returns The path of the archive.
 * @throws CommandError if npm fails.
 */
export function packTo(folder: string, output: string): string {
  mkdirSync(output, { recursive: true });
  let name: string;
  try {
    const args = ["pack", folder, "--silent", "--ignore-scripts", "--pack-destination", output];
    name = execFileSync("npm", args, { encoding: "utf8" }).trim();
  } catch {
    throw new CommandError("npm pack failed; its message is above.", 1);
  }
  const sbom = name.replace(/\.tgz$/, ".cdx.json");
  cpSync(join(folder, PARTS.sbom), join(output, sbom));
  const sums = [sbom, name].map((file) => `${checksum(join(output, file))}  ${file}\n`);
  writeFileSync(join(output, "SHA256SUMS"), sums.join(""));
  return join(output, name);
}
