/** npm run check: format, lint and types of the whole repository. */
import { prepare } from "./lib/prepare.ts";
import { node, WRANGLER } from "./lib/run.ts";

await prepare();

const CHECKS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["types of the bindings", [...WRANGLER, "types", "worker-configuration.d.ts"]],
  ["format and lint", ["node_modules/@biomejs/biome/bin/biome", "check"]],
  ["types of the Worker", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"]],
  ["types of scripts and black-box tests", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.node.json"]],
];

for (const [name, args] of CHECKS) {
  const code = await node(args);
  if (code !== 0) {
    console.error(`npm run check: ${name} failed.`);
    process.exit(code);
  }
}
