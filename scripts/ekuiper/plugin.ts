/**
 * npm run ekuiper:plugin: builds the zip of the portable plugin `labeler`, which gives eKuiper's tutorial rule its
 * `labelImage(self)` unchanged. The same sources and options give the same bytes.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Zippable, zipSync } from "fflate";
import { fromUser, runCommand, UsageError, type Values } from "../lib/command.ts";
import type { EkuiperApi } from "./api.ts";
import type { Labeler } from "./service.ts";

/** The plugin's name in eKuiper, and of the JSON file in the zip that describes it. */
export const PLUGIN = "labeler";

const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "ekuiper/plugin");
const shippedKinds = /\.(py|sh|json)$/;
// The oldest date that zip knows. fflate writes a date's local time, so this is one of local time.
const mtime = new Date(1980, 0, 1);
const unix = 3;

/**
 * The zip that `POST /plugins/portables` takes.
 * @param labeler goes into config.json; without it the zip fits every gateway, and `shellParas` of the install call say
 *   where the labeler is
 */
export async function pluginZip(labeler?: Labeler): Promise<Uint8Array> {
  const entries = await readdir(source, { withFileTypes: true, recursive: true });
  const names = entries
    .map((entry) => ({ entry, name: relative(source, join(entry.parentPath, entry.name)).replaceAll("\\", "/") }))
    .filter(({ entry, name }) => !name.includes("__pycache__") && (entry.isDirectory() || shippedKinds.test(name)))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const zip: Zippable = {};
  for (const { entry, name } of names) {
    if (entry.isDirectory()) {
      // eKuiper unpacks a file only into a folder that has an entry of its own.
      zip[`${name}/`] = [new Uint8Array(0), { mtime, os: unix, attrs: (0o40755 << 16) >>> 0 }];
    } else {
      const mode = name.endsWith(".sh") ? 0o100755 : 0o100644;
      zip[name] = [await content(name, labeler), { mtime, os: unix, attrs: (mode << 16) >>> 0, level: 9 }];
    }
  }
  return zipSync(zip);
}

async function content(name: string, labeler: Labeler | undefined): Promise<Uint8Array> {
  const bytes = await readFile(join(source, name));
  if (name !== "config.json" || labeler === undefined) return bytes;
  const { url, token } = labeler;
  const config = { ...JSON.parse(bytes.toString("utf8")), url, ...(token !== undefined && { token }) };
  return new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`);
}

/** Installs the plugin on a gateway, or replaces it; rules that use it must be restarted afterwards. */
export async function installPlugin(api: EkuiperApi, labeler: Labeler): Promise<void> {
  const file = await api.upload(`${PLUGIN}.zip`, await pluginZip());
  const shellParas = [labeler.url, ...(labeler.token === undefined ? [] : [labeler.token])];
  const exists = (await fetch(`${api.base}/plugins/portables/${PLUGIN}`)).ok;
  const response = await fetch(`${api.base}/plugins/portables${exists ? `/${PLUGIN}` : ""}`, {
    method: exists ? "PUT" : "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: PLUGIN, file, shellParas }),
  });
  if (!response.ok) throw new Error(`eKuiper refused the plugin: ${response.status} ${(await response.text()).trim()}`);
}

const usage = `npm run ekuiper:plugin -- [options]: builds the zip of eKuiper's portable plugin "${PLUGIN}"

  --labeler URL     written into the zip; without it the call that installs the plugin says where the labeler is
  --token TOKEN     the labeler's, if it asks for one; better in the environment, as LABELER_TOKEN
  --out FILE        dist/labeler.zip`;

const options = { labeler: { type: "string" }, token: { type: "string" }, out: { type: "string" } } as const;

async function main({ labeler: url, token: fromOption, out: given }: Values<typeof options>): Promise<number> {
  if (url === undefined && fromOption !== undefined)
    throw new UsageError("A --token needs the --labeler that it is for.");
  const token = fromOption ?? (process.env.LABELER_TOKEN || undefined);
  const out = given === undefined ? join(root, "dist/labeler.zip") : fromUser(given);
  const zip = await pluginZip(url === undefined ? undefined : { url, ...(token !== undefined && { token }) });
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, zip);
  const size = `${(zip.length / 1024).toFixed(1)} KB`;
  console.log(`${given ?? "dist/labeler.zip"}: ${size}. ekuiper/plugin/README.md says how it gets into eKuiper.`);
  return 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runCommand({ usage, options }, main);
}
