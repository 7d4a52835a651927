/** An esbuild plugin for Workers: workerd compiles no bytes, so that .wasm files are modules beside the script. */
import { basename } from "node:path";
import type { Plugin } from "esbuild";

/**
 * Leaves every .wasm an import of a module in the same folder.
 *
 * @param found Gets the path of each file by the name of its module.
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
      return { path: file, namespace: "wasm" };
    });
    onLoad({ filter: /.*/, namespace: "wasm" }, ({ path }) => ({
      contents: `export { default } from ${JSON.stringify(`./${basename(path)}`)};`,
    }));
  },
});
