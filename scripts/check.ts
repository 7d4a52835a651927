/** npm run check: format, lint, types and layers of the whole repository. */
import { findUpwardImports } from "./check/layers.ts";
import { runCommand } from "./lib/command.ts";
import { prepare } from "./lib/prepare.ts";
import { node, wrangler } from "./lib/run.ts";

const CHECKS: readonly (readonly [name: string, check: () => Promise<number>])[] = [
  ["types of the bindings", () => wrangler(["types", "worker-configuration.d.ts"])],
  ["layouts of C and TypeScript", () => node(["--import", "tsx", "scripts/layouts.ts", "--check"])],
  ["format and lint", () => node(["node_modules/@biomejs/biome/bin/biome", "check"])],
  ["layers of the Worker", checkLayers],
  ["types of the Worker", () => node(["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"])],
  ["types of the page", () => node(["node_modules/typescript/bin/tsc", "-p", "tsconfig.page.json"])],
  ["types of scripts and black-box tests", () => node(["node_modules/typescript/bin/tsc", "-p", "tsconfig.node.json"])],
];

async function checkLayers(): Promise<number> {
  const faults = findUpwardImports("worker");
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

await runCommand({ usage: "npm run check: format, lint, types and layers of the whole repository" }, async () => {
  await prepare();
  for (const [name, check] of CHECKS) {
    const code = await check();
    if (code !== 0) {
      console.error(`npm run check: ${name} failed.`);
      return code;
    }
  }
  return 0;
});
