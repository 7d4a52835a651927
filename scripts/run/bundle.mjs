// @ts-check
/** Compiles a program of scripts/ with all that it imports from this repository into JavaScript for Node. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, extname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ROOT } from "./cache.mjs";

/**
 * @typedef {object} Bundled
 * @property {ReadonlyMap<string, Uint8Array>} files The compiled files by name: the program and, unless it is a single
 *   file, modules that several parts of it import or that it imports only when it needs them.
 * @property {ReadonlyMap<string, Uint8Array>} sources The sources by their paths in the checkout.
 * @property {ReadonlySet<string>} packages The folders of npm's packages that are compiled into it, from the checkout.
 */

/** Packages that are compiled into each program that imports them: zod has many files, which take 40 ms to load. */
export const INLINED = ["zod"];

const INLINED_IMPORT = new RegExp(`^(${INLINED.join("|")})(/|$)`);

/** JavaScript that is imported as it is: it imports packages of the folder above it, which are not those of the checkout. */
const LEFT_ALONE = "scripts/bench/rivals/";

/** Defines the `require` by which packages of CommonJS load modules of Node, and the URL of the compiled file for packages. */
const FOR_PACKAGES =
  `import { createRequire as createPackageRequire } from "node:module"; ` +
  "const COMPILED_URL = import.meta.url, require = createPackageRequire(COMPILED_URL);";

/** The folder of the package to which a file belongs; a file that a package leaves out for browsers has no such path. */
const PACKAGE = /^(?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+/;

/**
 * @param {import("esbuild").Metafile} metafile
 * @returns {Set<string>} The folders of npm's packages that were compiled, from the checkout.
 */
export const packagesOf = ({ inputs }) =>
  new Set(Object.keys(inputs).flatMap((path) => PACKAGE.exec(path)?.[0].slice(0, -1) ?? []));

/** @type {Record<string, import("esbuild").Loader>} */
const LOADERS = { ".ts": "ts", ".js": "js", ".mjs": "js", ".json": "json" };

/** What `import.meta` becomes where it shall name the source. CHECKOUT is defined in the first line of each file. */
const DEFINED = { "import.meta.url": "SOURCE_URL", "import.meta.dirname": "SOURCE_FOLDER" };

/** Defines these names in the first line of a source, so that all lines keep their numbers. @param {string} name */
const defineIn = (name) =>
  `import { dirname as SOURCE_DIRECTORY } from "node:path"; import { fileURLToPath as SOURCE_PATH } from "node:url"; ` +
  `const SOURCE_URL = new URL(${JSON.stringify(name)}, CHECKOUT).href, ` +
  "SOURCE_FOLDER = SOURCE_DIRECTORY(SOURCE_PATH(SOURCE_URL)); ";

/**
 * @param {string} entry The path of the program.
 * @param {object} options
 * @param {string} options.name The name of the compiled program, without its extension .mjs.
 * @param {string} [options.checkout] A JavaScript expression for the URL of the checkout, with a slash at its end, where
 *   the program runs: `import.meta` then names the source. Without it, `import.meta` names the compiled file.
 * @param {string} [options.folder] The folder in which the program runs, if it may import files of the checkout.
 * @param {boolean} [options.standalone] Whether it contains npm's packages, too; else it imports those.
 * @param {boolean} [options.splitting] Whether parts that are imported later, or by several parts, become files of their own;
 *   unless it is standalone if absent.
 * @param {(text: string) => string} [options.packaged] For a program that runs without its sources: a module X.ts beside
 *   which there is an X.packaged.ts is replaced by that, and the text of each source by the result of this function.
 * @returns {Promise<Bundled>}
 * @throws {Error} if it does not compile; esbuild has printed why.
 */
export async function bundleScript(
  entry,
  { name, checkout, folder, standalone = false, splitting = !standalone, packaged },
) {
  /** @type {Map<string, Uint8Array>} */
  const sources = new Map();
  /** @type {import("esbuild").Plugin} */
  const plugin = {
    name: "sources",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: INLINED_IMPORT }, ({ path }) => ({ path: fileURLToPath(import.meta.resolve(path)) }));
      onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) => {
        const other = resolve(resolveDir, path).replace(/(\.packaged)?\.ts$/, ".packaged.ts");
        return packaged !== undefined && existsSync(other) ? { path: other } : undefined;
      });
      onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path, resolveDir }) => {
        const file = resolve(resolveDir, path);
        const source = relative(ROOT, file).replaceAll("\\", "/");
        return folder !== undefined && source.startsWith(LEFT_ALONE)
          ? { path: relative(folder, file).replaceAll("\\", "/"), external: true }
          : undefined;
      });
      onLoad({ filter: /\.(ts|js|mjs|json)$/ }, async ({ path }) => {
        const source = relative(ROOT, path).replaceAll("\\", "/");
        const bytes = await readFile(path);
        if (source.split("/").includes("node_modules")) {
          // A package: its version counts.
          if (!standalone || !bytes.includes("import.meta")) return undefined;
          return { contents: bytes.toString().replaceAll("import.meta.url", "COMPILED_URL"), loader: "js" };
        }
        sources.set(source, bytes);
        const contents = packaged === undefined ? bytes : packaged(bytes.toString());
        const loader = LOADERS[extname(path)] ?? "js";
        if (checkout === undefined || !contents.includes("import.meta")) return { contents, loader };
        return { contents: defineIn(source) + contents, loader };
      });
    },
  };
  const banner = [
    ...(checkout === undefined ? [] : [`const CHECKOUT = ${checkout};`]),
    ...(standalone ? [FOR_PACKAGES] : []),
  ];
  const { outputFiles, metafile } = await build({
    entryPoints: [{ in: entry, out: name }],
    outdir: ROOT, // nothing is written there
    outExtension: { ".js": ".mjs" },
    write: false,
    bundle: true,
    splitting,
    metafile: true,
    packages: standalone ? "bundle" : "external",
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: standalone ? false : "linked",
    sourcesContent: false,
    legalComments: standalone ? "inline" : "none",
    logLevel: "warning",
    absWorkingDir: ROOT,
    tsconfigRaw: { compilerOptions: { target: "es2024", verbatimModuleSyntax: true } },
    banner: { js: banner.join(" ") },
    ...(checkout !== undefined && { define: DEFINED }),
    plugins: [plugin],
  });
  return {
    files: new Map(outputFiles.map(({ path, contents }) => [basename(path), contents])),
    sources,
    packages: packagesOf(metafile),
  };
}
