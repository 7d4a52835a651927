/**
 * The layers of the Worker, the lowest first. A file imports from its own layer and from those below it, never from one
 * above. Biome finds circles between files (noImportCycles in biome.json).
 */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { globSync } from "tinyglobby";

/** Folders, and files that stand alone, within worker/. */
const LAYERS: readonly (readonly string[])[] = [
  ["errors.ts"],
  ["validation"],
  ["runtime"],
  ["json", "tflite", "image"],
  ["inference"],
  ["model", "observability"],
  ["labeling", "open-inference", "settings"],
  ["results"],
  ["http", "openapi"],
  ["routes"],
  ["app.ts"],
  ["index.ts", "client.ts"],
];

/** Biome formats all files alike, so that this finds all relative imports, those of types too. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?"(\.[^"]+)"/g;

const level = (part: string): number => LAYERS.findIndex((layer) => layer.includes(part));

/** The folder or file that stands for a path within worker/. */
const partOf = (path: string): string => path.split("/")[0];

/** @returns A sentence for each import that breaks the rule. The page is a program of its own and is left out. */
export function findUpwardImports(worker: string): string[] {
  const files = globSync("**/*.ts", { cwd: worker, ignore: ["page/**", "**/*.d.ts"] });
  return files.flatMap((file) => {
    const part = partOf(file);
    if (level(part) < 0) return [`worker/${file} is in no layer: add ${part} to scripts/verify/check/layers.ts.`];
    const imports = readFileSync(join(worker, file), "utf8").matchAll(IMPORT);
    return [...imports].flatMap(([, path]) => {
      const target = relative(worker, join(worker, file, "..", path));
      if (target.startsWith("..") || target.startsWith("page/")) return [];
      const other = partOf(target);
      if (other === part || (level(other) >= 0 && level(other) < level(part))) return [];
      return [`worker/${file} imports worker/${target}, which is not below it (scripts/verify/check/layers.ts).`];
    });
  });
}
