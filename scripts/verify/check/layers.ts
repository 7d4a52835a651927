/**
 * Checks the layers of the Worker and of scripts/, which are listed with the lowest first. A file imports from its own
 * folder and from the layers below it, never from one above. Biome finds import cycles between files (noImportCycles in
 * biome.json).
 */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { globSync } from "tinyglobby";

/** The layers of a folder: its subfolders and single files. */
interface Tree {
  /** The path from the repository's root. */
  readonly root: string;
  readonly layers: readonly (readonly string[])[];
  /** Programs of their own, which are not checked. */
  readonly ignore: readonly string[];
}

const WORKER: Tree = {
  root: "worker",
  layers: [
    ["errors.ts"],
    ["validation"],
    ["runtime"],
    ["json", "tflite", "image", "teaching"],
    ["inference"],
    ["model", "observability"],
    ["labeling", "open-inference", "settings"],
    ["results"],
    ["http", "openapi"],
    ["routes"],
    ["app.ts"],
    ["index.ts", "client.ts", "store.ts"],
  ],
  ignore: ["page/**"],
};

const SCRIPTS: Tree = {
  root: "scripts",
  layers: [
    ["command-line", "system", "measure", "run"],
    ["build"],
    ["labeler"],
    ["ekuiper-engine"],
    ["user"],
    ["bench"],
    ["fixtures", "verify"],
  ],
  ignore: ["**/node_modules/**", "**/.cache/**"],
};

export const TREES: readonly Tree[] = [WORKER, SCRIPTS];

/** Biome formats all files alike, so that this finds all relative imports, those of types too. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?"(\.[^"]+)"/g;

/** The folder or file directly below the root that contains a path. */
const partOf = (path: string): string => path.split("/")[0];

/** @param repository The path of the repository. @returns A sentence for each import that breaks the rule. */
export function findUpwardImports(repository: string, { root, layers, ignore }: Tree): string[] {
  const level = (part: string): number => layers.findIndex((layer) => layer.includes(part));
  const folder = join(repository, root);
  const files = globSync("**/*.ts", { cwd: folder, ignore: [...ignore, "**/*.d.ts"] });
  return files.flatMap((file) => {
    const part = partOf(file);
    if (level(part) < 0) return [`${root}/${file} is in no layer: add ${part} to scripts/verify/check/layers.ts.`];
    const imports = readFileSync(join(folder, file), "utf8").matchAll(IMPORT);
    return [...imports].flatMap(([, path]) => {
      const target = relative(folder, join(folder, file, "..", path));
      const other = partOf(target);
      // Imports from other trees are not checked here.
      if (target.startsWith("..") || level(other) < 0) return [];
      if (other === part || level(other) < level(part)) return [];
      return [`${root}/${file} imports ${root}/${target}, which is not below it (scripts/verify/check/layers.ts).`];
    });
  });
}
