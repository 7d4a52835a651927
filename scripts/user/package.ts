/**
 * `npm run package`: writes the labeler into a folder that needs nothing but Node, for a machine without npm; see
 * docs/how-to/self-host.md.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { MODELS } from "../build/model-index.ts";
import { CommandError, fromUser, runCommand, UsageError } from "../command-line/command.ts";
import { STORE_FOLDER } from "../labeler/several-workers-config.ts";
import { copyWorkerBundle } from "../labeler/worker-bundle.ts";
import type { Declared } from "../labeler/workerd-config.ts";
import { bundleScript } from "../run/bundle.mjs";
import { indexAloud } from "./models-folder.ts";
import { notice } from "./package/licences.ts";
import { PARTS } from "./package/parts.ts";
import { isPlatform, PLATFORMS, thisPlatform, workerdFor } from "./package/workerd-for.ts";

const usage = `npm run package -- [options] FOLDER: writes a folder with everything that a labeler needs besides Node

  --platform PLATFORM  where it will run: ${PLATFORMS.join(", ")} (this machine's)
  --models FOLDER      the models that it contains (model-assets)

The folder must not exist yet. Copy it to the machine, and start it there with: node FOLDER/serve.mjs`;

const options = { platform: { type: "string" }, models: { type: "string" } } as const;

/** The program that runs workerd: that of `npm run serve`, bundled with all its imports. */
async function bundleServer(file: string): Promise<void> {
  const { files } = await bundleScript("scripts/user/package/main.ts", { name: parse(file).name, standalone: true });
  for (const [name, contents] of files) writeFileSync(join(dirname(file), name), contents);
}

/** The Worker as it would be deployed, without the files that only a person reads. @returns Its declarations. */
async function copyWorker(folder: string): Promise<Declared> {
  const declared = await copyWorkerBundle(folder);
  const runs = (name: string) => /\.(js|wasm)$/.test(name) || name === STORE_FOLDER;
  for (const name of readdirSync(folder)) if (!runs(name)) rmSync(join(folder, name));
  return declared;
}

await runCommand({ usage, options, operands: 1 }, async ({ platform = thisPlatform(), models }, [wanted]) => {
  if (wanted === undefined) throw new UsageError("Which folder shall be made?");
  if (!isPlatform(platform)) {
    throw new UsageError(`There is no package for ${platform}: --platform is one of ${PLATFORMS.join(", ")}.`);
  }
  const folder = fromUser(wanted);
  if (existsSync(folder)) throw new CommandError(`${folder} is there already. Remove it or name another one.`);
  const source = models === undefined ? MODELS : fromUser(models);
  await indexAloud(source);
  mkdirSync(folder, { recursive: true });
  try {
    const part = (name: string) => join(folder, name);
    await bundleServer(part(PARTS.server));
    const declared = await copyWorker(part(PARTS.worker));
    writeFileSync(part(PARTS.declared), `${JSON.stringify(declared, undefined, 2)}\n`);
    cpSync(source, part(PARTS.models), { recursive: true });
    await workerdFor(platform, part(PARTS.workerd));
    cpSync("LICENSE", part("LICENSE"));
    writeFileSync(part("NOTICE"), notice());
    cpSync("native/NOTICE-codecs.txt", part("NOTICE-codecs.txt"));
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  console.log(`${folder} is a labeler for ${platform}. It needs Node 20.20 or newer: node serve.mjs --help`);
  return 0;
});
