/**
 * Finds the files from which a model is added: a .tflite or an archive that contains one, and the list of labels beside
 * or in it.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { unzipSync } from "fflate";
import { CommandError, fromUser } from "../../command-line/command.ts";

export interface ModelSource {
  /** The name that the user knows. */
  readonly name: string;
  readonly tflite: Uint8Array<ArrayBuffer>;
  /** Files that may be lists of labels: their names and texts. */
  readonly lists: ReadonlyMap<string, string>;
}

/** The largest size of a list of labels, in bytes. */
const LARGEST_LIST = 4 << 20;
/** The largest size of an unpacked archive, in bytes. */
const LARGEST_ARCHIVE = 1 << 30;

const isList = (name: string): boolean =>
  /\.pbtxt$/i.test(name) ||
  (/\.(txt|json|csv|tsv|names)$/i.test(name) &&
    /label|class|name|synset|categor|^metadata\.json$|^config\.json$/i.test(name));

const MODELS_OF_KERAS = /(^|\/)(keras_model\.h5|model\.weights\.h5|saved_model\.pb)$/;

/** Reads a .tflite file out of a zip. */
function fromArchive(name: string, bytes: Uint8Array): ModelSource {
  let total = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: ({ name: entry, originalSize }) => {
        const wanted = /\.tflite$/i.test(entry) || (isList(basename(entry)) && originalSize <= LARGEST_LIST);
        if (!wanted && !MODELS_OF_KERAS.test(entry)) return false;
        total += wanted ? originalSize : 0;
        if (total > LARGEST_ARCHIVE) throw new CommandError(`${name} unpacks to more than 1 GB.`, 1);
        return wanted || originalSize === 0;
      },
    });
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${name} is a damaged zip archive: ${(error as Error).message}.`, 1);
  }
  const models = Object.keys(files).filter((entry) => /\.tflite$/i.test(entry));
  const [only, ...others] = models;
  if (only === undefined) {
    throw new CommandError(
      `${name} has no .tflite file in it. Teachable Machine has one under Export Model, TensorFlow Lite, Floating point; ` +
        "a Keras or TensorFlow.js model has to be converted: docs/how-to/add-a-model.md.",
      1,
    );
  }
  if (others.length > 0) {
    throw new CommandError(`${name} has several models in it: ${models.join(", ")}. Unpack it and name one.`, 1);
  }
  const lists = Object.entries(files).filter(([entry]) => entry !== only);
  const text = (data: Uint8Array) => new TextDecoder().decode(data);
  return {
    name: `${name}/${only}`,
    tflite: new Uint8Array(files[only] ?? []),
    lists: new Map(lists.map(([entry, data]) => [entry, text(data)])),
  };
}

/** The lists that lie beside a file. */
async function besides(path: string): Promise<Map<string, string>> {
  const folder = dirname(path);
  const lists = new Map<string, string>();
  for (const name of (await readdir(folder)).filter(isList).sort()) {
    const found = await stat(join(folder, name));
    if (found.isFile() && found.size <= LARGEST_LIST) lists.set(name, await readFile(join(folder, name), "utf8"));
  }
  return lists;
}

/** @throws CommandError if the file does not exist, or is an archive without a usable model. */
export async function readSource(file: string): Promise<ModelSource> {
  const path = fromUser(file);
  const bytes = new Uint8Array(
    await readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw new CommandError(error.code === "ENOENT" ? `There is no file ${file}.` : `${file}: ${error.message}.`, 1);
    }),
  );
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && extname(file).toLowerCase() !== ".keras";
  const isTorch = /\.(pt|pth|ckpt)$/i.test(file);
  if (isZip && !isTorch) return fromArchive(file, bytes);
  return { name: file, tflite: bytes, lists: await besides(path) };
}
