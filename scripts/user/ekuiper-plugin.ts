/**
 * npm run ekuiper:plugin: builds the zip of the portable plugin `labeler`, which gives eKuiper's tutorial rule its
 * `labelImage(self)` unchanged. The same sources and options give the same bytes.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Zippable, zipSync } from "fflate";
import { fromUser, runCommand, UsageError, type Values } from "../command-line/command.ts";
import type { EkuiperApi } from "./ekuiper/api.ts";
import type { Labeler } from "./ekuiper/service.ts";
import { parseFunctions, type SqlFunction } from "./ekuiper/sql-function.ts";

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
 * @param functions that rules get besides labelImage
 */
export async function pluginZip(labeler?: Labeler, functions: readonly SqlFunction[] = []): Promise<Uint8Array> {
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
      zip[name] = [await content(name, labeler, functions), { mtime, os: unix, attrs: (mode << 16) >>> 0, level: 9 }];
    }
  }
  const described = await readFile(join(source, "functions/labelImage.json"), "utf8");
  for (const { name } of functions) {
    const text = described.replaceAll("labelImage(self)[0]", `${name}(self)`).replaceAll("labelImage", name);
    const bytes = new TextEncoder().encode(text.replace('"value": "array"', '"value": "object"'));
    zip[`functions/${name}.json`] = [bytes, { mtime, os: unix, attrs: (0o100644 << 16) >>> 0, level: 9 }];
  }
  return zipSync(zip);
}

async function content(
  name: string,
  labeler: Labeler | undefined,
  functions: readonly SqlFunction[],
): Promise<Uint8Array> {
  const bytes = await readFile(join(source, name));
  const write = (value: object) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  if (name === "labeler.json" && functions.length > 0) {
    const plugin: { functions: string[] } = JSON.parse(bytes.toString("utf8"));
    return write({ ...plugin, functions: [...plugin.functions, ...functions.map((own) => own.name)] });
  }
  if (name !== "config.json" || (labeler === undefined && functions.length === 0)) return bytes;
  return write({
    ...JSON.parse(bytes.toString("utf8")),
    ...(labeler !== undefined && { url: labeler.url }),
    ...(labeler?.token !== undefined && { token: labeler.token }),
    ...(functions.length > 0 && { functions: Object.fromEntries(functions.map((own) => [own.name, own.query])) }),
  });
}

/** Installs the plugin on a gateway, or replaces it; rules that use it must be restarted afterwards. */
export async function installPlugin(
  api: EkuiperApi,
  labeler: Labeler,
  functions: readonly SqlFunction[] = [],
): Promise<void> {
  const file = await api.upload(`${PLUGIN}.zip`, await pluginZip(undefined, functions));
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

async function main(values: Values<typeof options>): Promise<number> {
  const { labeler: url, token: fromOption, out: given } = values;
  if (url === undefined && fromOption !== undefined)
    throw new UsageError("A --token needs the --labeler that it is for.");
  const token = fromOption ?? (process.env.LABELER_TOKEN || undefined);
  const out = given === undefined ? join(root, "dist/labeler.zip") : fromUser(given);
  const labeler = url === undefined ? undefined : { url, ...(token !== undefined && { token }) };
  const zip = await pluginZip(labeler, parseFunctions(values.function));
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, zip);
  const size = `${(zip.length / 1024).toFixed(1)} KB`;
  console.log(`${given ?? "dist/labeler.zip"}: ${size}. ekuiper/plugin/README.md says how it gets into eKuiper.`);
  return 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runCommand({ usage, options }, main);
}
