/**
 * `npm run package`: writes the labeler without what only its development needs: as an npm package, or into a folder for a
 * machine without npm; see docs/how-to/self-host.md.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MODELS } from "../build/model-index.ts";
import { CommandError, fromUser, runCommand, UsageError } from "../command-line/command.ts";
import { packTo, writeManifest } from "./package/npm-package.ts";
import { addOwnParts } from "./package/own-parts.ts";
import { isPlatform, PLATFORMS, thisPlatform } from "./package/platforms.ts";
import { writeSbom } from "./package/sbom.ts";
import { stage } from "./package/stage.ts";

const usage = `npm run package -- [options] FOLDER: writes a folder with everything that a labeler needs besides Node
npm run package -- --npm [options] FOLDER: writes edge-labeler-VERSION.tgz for npm install, with its SBOM and checksums

  --npm                the npm package, for all platforms of workerd, which npm installs with it
  --platform PLATFORM  where the folder will run: ${PLATFORMS.join(", ")} (this machine's)
  --with-node          the folder brings Node along, too
  --models FOLDER      the models that are included (${MODELS})

Without --npm the folder must not exist yet. Copy it to the machine, and start it there: FOLDER/edge-labeler serve`;

const options = {
  npm: { type: "boolean", default: false },
  platform: { type: "string" },
  "with-node": { type: "boolean", default: false },
  models: { type: "string" },
} as const;

async function makeNpmPackage(output: string, models: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-npm-"));
  try {
    const packages = await stage(folder, { models });
    writeManifest(folder);
    writeSbom(folder, { packages });
    const archive = packTo(folder, output);
    console.log(`${archive} is the package. In an empty folder: npm install ${archive}\nSHA256SUMS has its checksum.`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await runCommand({ usage, options, operands: 1 }, async (values, [wanted]) => {
  const { npm, platform = thisPlatform(), "with-node": withNode } = values;
  if (wanted === undefined) throw new UsageError("Which folder shall be made?");
  if (npm && (withNode || values.platform !== undefined)) {
    throw new UsageError(
      "--npm makes one package for all platforms, without Node: leave out --platform and --with-node.",
    );
  }
  if (!isPlatform(platform)) {
    throw new UsageError(`There is no package for ${platform}: --platform is one of ${PLATFORMS.join(", ")}.`);
  }
  const folder = fromUser(wanted);
  const models = values.models === undefined ? MODELS : fromUser(values.models);
  if (npm) {
    await makeNpmPackage(folder, models);
    return 0;
  }
  if (existsSync(folder)) throw new CommandError(`${folder} is there already. Remove it or name another one.`);
  mkdirSync(folder, { recursive: true });
  try {
    const packages = await stage(folder, { models });
    addOwnParts(folder, { platform, withNode });
    writeSbom(folder, { packages, withNode });
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  const needs = withNode ? "It needs nothing else" : "It needs Node 20.20 or newer";
  console.log(`${folder} is a labeler for ${platform}. ${needs}: ${join(wanted, "edge-labeler")} serve --help`);
  return 0;
});
