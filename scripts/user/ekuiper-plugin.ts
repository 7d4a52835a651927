/** npm run ekuiper:plugin: builds the zip of the portable plugin. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fromUser, runCommand, UsageError } from "../command-line/command.ts";
import { PLUGIN, pluginZip } from "./ekuiper/plugin-zip.ts";
import { parseFunctions } from "./ekuiper/sql-function.ts";

const root = resolve(import.meta.dirname, "../..");

const usage = `npm run ekuiper:plugin -- [options]: builds the zip of eKuiper's portable plugin "${PLUGIN}"

  --labeler URL     written into the zip; without it, the call that installs the plugin names the labeler
  --token TOKEN     the labeler's token, if it requires one; better in the environment, as LABELER_TOKEN
  --function NAME=MODEL?PARAMETERS
                    a function besides labelImage, such as door=efficientnet_lite0?crop=center;
                    may be given more than once
  --out FILE        dist/labeler.zip`;

const options = {
  labeler: { type: "string" },
  token: { type: "string" },
  function: { type: "string", multiple: true },
  out: { type: "string" },
} as const;

await runCommand({ usage, options }, async (values) => {
  const { labeler: url, token: fromOption, out: given } = values;
  if (url === undefined && fromOption !== undefined)
    throw new UsageError("A --token needs the --labeler that it is for.");
  const token = fromOption ?? (process.env.LABELER_TOKEN || undefined);
  const out = given === undefined ? resolve(root, "dist/labeler.zip") : fromUser(given);
  const labeler = url === undefined ? undefined : { url, ...(token !== undefined && { token }) };
  const zip = await pluginZip(labeler, parseFunctions(values.function));
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, zip);
  const size = `${(zip.length / 1024).toFixed(1)} KB`;
  console.log(`${given ?? "dist/labeler.zip"}: ${size}. ekuiper/plugin/README.md says how it gets into eKuiper.`);
  return 0;
});
