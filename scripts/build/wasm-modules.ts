/**
 * An esbuild plugin for Workers: workerd does not compile bytes at run time, so .wasm files become modules beside the
 * script.
 */
import { basename, relative } from "node:path";
import type { Plugin } from "esbuild";

/**
 * Makes every .wasm an import of a module in the same folder.
 *
 * @param found Receives the path of each file by the name of its module.
 */
export const wasmModules = (found: Map<string, string>): Plugin => ({
  name: "wasm modules",
  setup({ onResolve, onLoad, resolve: resolveImport }) {
    onResolve({ filter: /\.wasm$/ }, async ({ path, resolveDir, kind, pluginData, namespace }) => {
      if (namespace === "wasm") return { path, external: true };
      if (pluginData === "resolving") return undefined;
      const { path: file, errors } = await resolveImport(path, { resolveDir, kind, pluginData: "resolving" });
      if (errors.length > 0) return { errors };
      found.set(basename(file), file);
      // esbuild writes the path into a comment: it must not depend on where the checkout is.
      return { path: relative("", file), namespace: "wasm" };
    });
    onLoad({ filter: /.*/, namespace: "wasm" }, ({ path }) => ({
      contents: `export { default } from ${JSON.stringify(`./${basename(path)}`)};`,
    }));
  },
});
