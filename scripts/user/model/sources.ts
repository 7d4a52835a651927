/**
 * The files that a model is added from: a .tflite, a model of Keras or TensorFlow.js, which is converted, or an archive or a
 * folder that has one of them; and the lists of labels beside or in it.
 */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CommandError, fromUser } from "../../command-line/command.ts";
import { Archive } from "./archives.ts";
import { type Converted, convertH5, convertKerasArchive, convertTfjs } from "./convert/convert.ts";
import { isTfjs } from "./convert/tfjs/layers-model.ts";
import { describeForeign } from "./foreign-files.ts";
import { decodeText, isList, LARGEST_LIST, listsBeside } from "./lists.ts";

export interface ModelSource {
  /** The name that the user knows. */
  readonly name: string;
  readonly tflite: Uint8Array<ArrayBuffer>;
  /** Files that may be lists of labels: their names and texts. */
  readonly lists: ReadonlyMap<string, string>;
  /** The text of a model.json, where the source states what the network does not show. */
  readonly spec?: string | undefined;
  /** Sentences for the user. */
  readonly notes?: readonly string[];
}

const textOf = (data: Uint8Array): string => new TextDecoder().decode(data);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return undefined; // it is no model then
  }
}

/** The model.json of TensorFlow.js in a text; undefined for any other JSON. */
function tfjsOf(text: string) {
  const json = jsonOf(text);
  return isTfjs(json) ? json : undefined;
}

/** The parts of a .keras file. */
const KERAS = ["config.json", "model.weights.h5", "metadata.json"] as const;

const convertKerasFile = (archive: Archive): Promise<Converted> => convertKerasArchive(archive.read(KERAS));

const isKerasFile = (file: string, { sizes }: Archive): boolean =>
  /\.keras$/i.test(file) || (sizes.has("config.json") && sizes.has("model.weights.h5"));

/** Reads a model out of an archive, from the entry that has it. */
async function modelIn(archive: Archive, entry: string): Promise<Omit<Converted, "notes"> & Partial<Converted>> {
  const bytes = archive.read([entry])[entry] ?? new Uint8Array();
  if (/\.tflite$/i.test(entry)) return { tflite: new Uint8Array(bytes), spec: undefined };
  if (/\.h5$/i.test(entry)) return convertH5(bytes);
  if (/\.keras$/i.test(entry)) return convertKerasFile(new Archive(entry, bytes));
  const folder = entry.slice(0, entry.length - basename(entry).length);
  return convertTfjs(tfjsOf(textOf(bytes)) ?? {}, async (path) => archive.read([folder + path])[folder + path]);
}

/** The entries of an archive that are models. */
function modelsIn(archive: Archive): string[] {
  const entries = [...archive.sizes.keys()].filter((entry) => !/(^|\/)(__MACOSX\/|\._)/.test(entry));
  const lite = entries.filter((entry) => /\.tflite$/i.test(entry));
  if (lite.length > 0) return lite;
  const json = entries.filter((entry) => /(^|\/)model\.json$/i.test(entry));
  const tfjs = json.filter((entry) => tfjsOf(textOf(archive.read([entry])[entry] ?? new Uint8Array())) !== undefined);
  return [...entries.filter((entry) => /\.(h5|keras)$/i.test(entry)), ...tfjs];
}

async function fromArchive(name: string, archive: Archive): Promise<ModelSource> {
  const [only, ...others] = modelsIn(archive);
  if (only === undefined) {
    throw new CommandError(
      `${name} has no .tflite file in it, and no model of Keras or TensorFlow.js. Teachable Machine exports all three under ` +
        "Export Model; how models of other kinds are converted is in docs/how-to/add-a-model.md.",
      1,
    );
  }
  if (others.length > 0) {
    throw new CommandError(
      `${name} has several models in it: ${[only, ...others].join(", ")}. Unpack it and name one.`,
      1,
    );
  }
  const listed = [...archive.sizes].filter(
    ([entry, size]) => entry !== only && isList(entry, name) && size <= LARGEST_LIST,
  );
  const lists = Object.entries(archive.read(listed.map(([entry]) => entry)));
  return {
    ...(await modelIn(archive, only)),
    name: `${name}/${only}`,
    lists: new Map(lists.map(([entry, data]) => [entry, decodeText(data)])),
  };
}

/** Reads a file beside another one; undefined if it is not there. */
const readBeside = (path: string) => (name: string) =>
  readFile(join(dirname(path), name)).then(
    (bytes) => new Uint8Array(bytes),
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "EISDIR") return undefined;
      throw error;
    },
  );

/** Whether a file is the model.json of a TensorFlow.js model, rather than that of a derived model. */
export const isTfjsFile = async (file: string): Promise<boolean> =>
  tfjsOf(await readFile(fromUser(file), "utf8").catch(() => "")) !== undefined;

/** What HDF5 files begin with. */
const HDF5 = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** @throws CommandError if there is no such file, or it has no model that can be used. */
export async function readSource(file: string): Promise<ModelSource> {
  // A model of TensorFlow.js is a folder of files.
  const inside = join(fromUser(file), "model.json");
  const path = (await isTfjsFile(inside)) ? inside : fromUser(file);
  const foreign = await describeForeign(path);
  if (foreign !== undefined) throw new CommandError(`${file} is ${foreign}`, 1);
  const bytes = new Uint8Array(
    await readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw new CommandError(error.code === "ENOENT" ? `There is no file ${file}.` : `${file}: ${error.message}.`, 1);
    }),
  );
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && !/\.(pt|pth|ckpt)$/i.test(file);
  const archive = isZip ? new Archive(file, bytes) : undefined;
  if (archive !== undefined && !isKerasFile(file, archive)) return fromArchive(file, archive);
  const beside = async () => ({ name: file, lists: await listsBeside(path) });
  if (archive !== undefined) return { ...(await convertKerasFile(archive)), ...(await beside()) };
  if (HDF5.every((byte, i) => bytes[i] === byte)) return { ...(await convertH5(bytes)), ...(await beside()) };
  const tfjs = bytes[0] === 0x7b || /\.json$/i.test(path) ? tfjsOf(textOf(bytes)) : undefined;
  if (tfjs !== undefined) return { ...(await convertTfjs(tfjs, readBeside(path))), ...(await beside()) };
  return { tflite: bytes, ...(await beside()) };
}
