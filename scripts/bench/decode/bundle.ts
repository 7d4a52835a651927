/** Makes a Worker of each file in rivals/: a script, with its wasm beside it as modules, since workerd compiles no bytes. */
import { mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { writeWorkerConfig } from "../../labeler/write-worker-config.ts";
import type { Engine } from "./engines.ts";

const COMPATIBILITY_DATE = "2026-11-01"; // wrangler.toml's

/** What @cwasm does first, in Node; here its module comes by an import. */
const CWASM =
  /const code = fs\.readFileSync\(path\.join\(__dirname, '(.+)'\)\)\nconst wasmModule = new WebAssembly\.Module\(code\)/;

const loaders = (wasm: Map<string, string>): Plugin => ({
  name: "wasm as modules",
  setup({ onResolve, onLoad, resolve: resolveImport }) {
    onResolve({ filter: /\.wasm$|\/decodewasm$/ }, async ({ path, resolveDir, kind, pluginData, namespace }) => {
      if (namespace === "wasm") return { path, external: true };
      if (pluginData === "resolving") return undefined;
      const found = await resolveImport(path, { resolveDir, kind, pluginData: "resolving" });
      if (found.errors.length > 0) return found;
      wasm.set(basename(found.path), found.path);
      return { path: found.path, namespace: "wasm" };
    });
    // A script of its own, so that require() gets it too.
    onLoad({ filter: /.*/, namespace: "wasm" }, ({ path }) => ({
      contents: `export { default } from ${JSON.stringify(`./${basename(path)}`)};`,
    }));
    onLoad({ filter: /@cwasm\/[^/]+\/index\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8")
        .replace(CWASM, "const wasmModule = require('./$1').default")
        .replace(/const (fs|path) = .*\n/g, ""),
      resolveDir: dirname(path),
    }));
  },
});

/** Writes an engine's Worker and workerd's configuration into a folder. @returns The path of the configuration. */
export async function bundleEngine({ file, node = false }: Engine, root: string): Promise<string> {
  const folder = resolve(root, file);
  mkdirSync(folder, { recursive: true });
  const wasm = new Map<string, string>();
  await build({
    entryPoints: [`scripts/bench/rivals/${file}.js`],
    outfile: join(folder, "index.js"),
    bundle: true,
    format: "esm",
    platform: "browser",
    conditions: ["workerd"],
    inject: ["scripts/bench/rivals/prepare.js"],
    external: ["fs", "path", ...(node ? ["node:*", "buffer", "zlib", "util", "stream", "assert"] : [])],
    // Emscripten's glue takes a runtime with `process` for Node.
    define: node ? {} : { process: "undefined" },
    banner: node ? { js: NODE_REQUIRE } : {},
    plugins: [loaders(wasm)],
    logLevel: "error",
  });
  const compatibilityFlags = node ? ["nodejs_compat"] : [];
  return writeWorkerConfig({ folder, wasm, compatibilityDate: COMPATIBILITY_DATE, compatibilityFlags });
}

/** What the packages of the CommonJS days call in a bundle that is a module. */
const NODE_REQUIRE = `import { createRequire } from "node:module"; const require = createRequire("/");`;
