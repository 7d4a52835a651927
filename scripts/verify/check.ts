/** `npm run check`: checks format, lint, types, layers and prose of the whole repository. */

import { prepare } from "../build/prepare.ts";
import { runCommand } from "../command-line/command.ts";
import { node, scriptArguments, wrangler } from "../labeler/run.ts";
import { findSubjectFaults, readSubjects } from "./check/commits.ts";
import { findUpwardImports, TREES } from "./check/layers.ts";
import { findPhrases, readProse } from "./check/prose.ts";
import { findMisspellings } from "./check/spelling.ts";

const CHECKS: readonly (readonly [name: string, check: () => Promise<number>])[] = [
  ["types of the bindings", () => wrangler(["types", "worker-configuration.d.ts"])],
  ["layouts of C and TypeScript", () => node(scriptArguments("scripts/build/layouts.ts", ["--check"]))],
  ["format and lint", () => node(["node_modules/@biomejs/biome/bin/biome", "check"])],
  ["layers of the Worker and of scripts", checkLayers],
  ["subjects of commits", async () => report(findSubjectFaults(readSubjects()))],
  ["prose of documents, API and page", checkProse],
  ["types of the Worker", () => node(["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"])],
  ["types of the page", () => node(["node_modules/typescript/bin/tsc", "-p", "tsconfig.page.json"])],
  ["types of scripts and black-box tests", () => node(["node_modules/typescript/bin/tsc", "-p", "tsconfig.node.json"])],
];

/** Prints the faults. @returns An exit code. */
function report(faults: readonly string[]): number {
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

async function checkLayers(): Promise<number> {
  return report(TREES.flatMap((tree) => findUpwardImports(".", tree)));
}

async function checkProse(): Promise<number> {
  const lines = readProse();
  return report([...findPhrases(lines), ...findMisspellings(lines)]);
}

await runCommand(
  { usage: "npm run check: format, lint, types, layers and prose of the whole repository" },
  async () => {
    await prepare();
    for (const [name, check] of CHECKS) {
      const code = await check();
      if (code !== 0) {
        console.error(`npm run check: ${name} failed.`);
        return code;
      }
    }
    return 0;
  },
);
