/**
 * Reads what a model file says about itself: how to normalise the input, and which packed file has the labels.
 * Schema: tensorflow/lite/schema/metadata_schema.fbs, stored as the metadata buffer TFLITE_METADATA.
 */
import { Table } from "./flatbuffers.ts";
import type { Graph } from "./graph.ts";
import { readUltralytics } from "./ultralytics.ts";
import { readAppendedZip } from "./zip.ts";

export interface FileMetadata {
  readonly description: string | undefined;
  /** Normalised = (pixel − mean) / std, for each channel or once for all. */
  readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] } | undefined;
  /** The text of the label file in the archive behind the model. */
  readonly labels: string | undefined;
}

/** ProcessUnitOptions.NormalizationOptions, AssociatedFileType.TENSOR_AXIS_LABELS. */
const NORMALIZATION = 1;
const AXIS_LABELS = 2;

function normalizationOf(input: Table | undefined): FileMetadata["normalization"] {
  const unit = input
    ?.tables(4)
    .find((candidate) => candidate.uint8(0) === NORMALIZATION)
    ?.table(1);
  if (unit === undefined) return undefined;
  const [mean, std] = [unit.float32s(0), unit.float32s(1)];
  return mean.length > 0 && std.length > 0 ? { mean, std } : undefined;
}

/** AssociatedFile: name 0, description 1, type 2. */
const labelFileOf = (output: Table | undefined): string | undefined =>
  output
    ?.tables(6)
    .find((file) => file.int8(2) === AXIS_LABELS)
    ?.string(0);

/** The pixels of 0…1 that all networks of Ultralytics take. */
const ZERO_TO_ONE = { mean: [0], std: [255] };

/**
 * @param file The whole .tflite file, that `graph` was read from.
 * @throws RangeError or TypeError if the metadata or the archive is damaged.
 */
export async function readMetadata(file: Uint8Array<ArrayBuffer>, graph: Graph): Promise<FileMetadata> {
  const files = await readAppendedZip(file);
  for (const [name, content] of files) {
    if (!/\.(json|txt)$/.test(name)) continue;
    const found = readUltralytics(new TextDecoder().decode(content));
    if (found !== undefined) return { ...found, normalization: ZERO_TO_ONE };
  }
  const buffer = graph.metadata.get("TFLITE_METADATA");
  const root = buffer && Table.root(new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength));
  const subgraph = root?.tables(3)[0];
  const named = labelFileOf(subgraph?.tables(3)[0]);
  // Without metadata, or with metadata that names no label file, the only text file is the one that is meant.
  const texts = [...files.keys()].filter((name) => name.endsWith(".txt"));
  const labels = files.get(named ?? (texts.length === 1 ? (texts[0] ?? "") : ""));
  return {
    description: root?.string(1) || undefined,
    normalization: normalizationOf(subgraph?.tables(2)[0]),
    labels: labels && new TextDecoder().decode(labels),
  };
}
