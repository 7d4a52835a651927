/** Sets of photos with a folder for each class, and their features, which the product computes once. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { glob } from "tinyglobby";
import { FEATURE_NAMES, type FeatureName, type Features } from "../../../worker/teaching/features.ts";
import { CommandError } from "../../command-line/command.ts";
import { inOrder } from "../../command-line/in-order.ts";
import { Progress } from "../../command-line/progress.ts";
import { startWorkerd } from "../../labeler/workerd.ts";
import { type FeatureQuery, featuresOf } from "../../user/model/features.ts";

/** In the order of Python's sorted(). */
const byCode = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const photosIn = async (folder: string): Promise<string[]> =>
  (
    await glob("**/*.{jpg,jpeg,png,webp,bmp,gif,tif,tiff}", { cwd: folder, absolute: true, caseSensitiveMatch: false })
  ).sort(byCode);

/** The folders of sets in a folder: those that the plain probe was measured on first, in its order. */
export async function setsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: Error) => {
    throw new CommandError(`The sets cannot be read: ${error.message}`);
  });
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name);
  const rank = (name: string) => ["ants-bees", "waste"].indexOf(name) >>> 0;
  return names.sort((a, b) => rank(a) - rank(b) || byCode(a, b)).map((name) => join(folder, name));
}

/** A file for the features of photos, named by all that they depend on. */
function cacheFile(cache: string, query: FeatureQuery, files: readonly string[]): string {
  const key = createHash("sha256")
    .update(JSON.stringify([query, files]))
    .digest("hex")
    .slice(0, 16);
  return join(cache, `${key}.json`);
}

interface Cached {
  readonly parts: readonly FeatureName[];
  /** The parts of each photo; null for one that cannot be read. */
  readonly photos: readonly (readonly string[] | null)[];
}

const toText = (values: Float32Array) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
const fromText = (text: string) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);

/**
 * As computeFeatures(), or as they were computed before.
 *
 * @param cache A folder; none if absent.
 */
export async function featuresOfFiles(
  models: string,
  query: FeatureQuery,
  files: readonly string[],
  cache: string | undefined,
): Promise<(Features | undefined)[]> {
  if (cache === undefined) return computeFeatures(models, query, files);
  const path = cacheFile(cache, query, files);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text !== undefined) {
    const { photos } = JSON.parse(text) as Cached;
    return photos.map((parts) =>
      parts === null
        ? undefined
        : (Object.fromEntries(FEATURE_NAMES.map((name, i) => [name, fromText(parts[i] ?? "")])) as unknown as Features),
    );
  }
  const features = await computeFeatures(models, query, files);
  const photos = features.map((photo) => photo && FEATURE_NAMES.map((name) => toText(photo[name])));
  await mkdir(cache, { recursive: true });
  await writeFile(
    path,
    JSON.stringify({ parts: FEATURE_NAMES, photos: photos.map((parts) => parts ?? null) } satisfies Cached),
  );
  return features;
}

/**
 * Computes the features of photos by the labeler on workerd, as `npm run model -- teach` does. A photo that cannot be read
 * is reported and has none.
 */
async function computeFeatures(
  models: string,
  query: FeatureQuery,
  files: readonly string[],
): Promise<(Features | undefined)[]> {
  const progress = new Progress(files.length);
  const found: (Features | undefined)[] = [];
  const server = await startWorkerd({ models, settings: { DEFAULT_MODEL: query.model } });
  try {
    await inOrder(
      files,
      async (file) => {
        const body = await readFile(file).catch((error: Error) => error);
        if (body instanceof Error) return { error: body.message };
        return featuresOf({ url: server.url, token: undefined }, query, new Uint8Array(body));
      },
      (answer, index) => {
        if ("error" in answer) console.error(`${files[index]} is left out: ${answer.error}`);
        found.push("error" in answer ? undefined : answer.features);
        progress.show(index + 1);
      },
    );
  } finally {
    progress.clear();
    await server.stop();
  }
  return found;
}

/** The photos of a set before their features are computed. */
export interface ListedSet {
  readonly name: string;
  readonly labels: readonly string[];
  readonly photos: readonly { readonly file: string; readonly class: number; readonly held: boolean }[];
}

/** @returns The set in a folder, whose classes are the folders that have photos; or why it is left out. */
export async function listSet(folder: string): Promise<ListedSet | string> {
  const files = await photosIn(folder);
  const classOf = (file: string) => basename(dirname(file));
  const labels = [...new Set(files.map(classOf))].sort(byCode);
  if (labels.length < 2)
    return `${folder} is left out: it has ${labels.length} folders of photos, and a set has two or more.`;
  const photos = files.map((file) => ({
    file,
    class: labels.indexOf(classOf(file)),
    held: relative(folder, file).split(sep).slice(0, -2).includes("val"),
  }));
  return { name: basename(folder), labels, photos };
}

export { photosIn };
