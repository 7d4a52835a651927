/**
 * Builds and installs the zip of the portable plugin `labeler`, which provides `labelImage(self)` to the unchanged rule
 * of eKuiper's tutorial. The same sources and options give the same bytes.
 */
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Zippable, zipSync } from "fflate";
import { PRODUCT_VERSION } from "../../build/version.ts";
import type { EkuiperApi } from "./api.ts";
import type { Labeler } from "./service.ts";
import type { SqlFunction } from "./sql-function.ts";

/** The plugin's name in eKuiper, and of the JSON file in the zip that describes it. */
export const PLUGIN = "labeler";

const source = fileURLToPath(new URL("../../../ekuiper/plugin", import.meta.url));
const shippedKinds = /\.(py|sh|json)$/;
// The oldest date that zip supports. fflate writes a date's local time, so this is a local time.
const mtime = new Date(1980, 0, 1);
const unix = 3;

/**
 * The zip that `POST /plugins/portables` accepts.
 *
 * @param labeler Written into config.json; without it the zip fits every gateway, and `shellParas` of the install call
 *   names the labeler.
 * @param functions The functions that rules get besides labelImage.
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
  if (name === "labeler.json") {
    const plugin: { functions: string[] } = JSON.parse(bytes.toString("utf8"));
    const names = [...plugin.functions, ...functions.map((own) => own.name)];
    return write({ version: `v${PRODUCT_VERSION}`, ...plugin, functions: names });
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
