/** What the index of networks and that of derived models share: reading files, and describing models. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LabelerError } from "../../worker/errors.ts";

/** The folder of the models of this checkout. */
export const MODELS = "model-assets";

/** Reads a file of the models folder; undefined if it does not exist. */
export const readFrom =
  (root: string) =>
  (path: string): Promise<Uint8Array<ArrayBuffer> | undefined> =>
    readFile(join(root, path)).then(
      ({ buffer, byteOffset, length }) => new Uint8Array(buffer as ArrayBuffer, byteOffset, length),
      () => undefined,
    );

export const text = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes);

/** The SHA-256 in hexadecimal. */
export const digest = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");

/** Reads files and notes the digest of each that there is: their contents make up a model's version. */
export class NotedFiles {
  /** The SHA-256 of each file that was read, by its path in the folder of models. */
  readonly digests: Record<string, string> = {};
  readonly read: ReturnType<typeof readFrom>;

  constructor(root: string) {
    const read = readFrom(root);
    this.read = async (path) => {
      const bytes = await read(path);
      if (bytes !== undefined) this.digests[path] = digest(bytes);
      return bytes;
    };
  }

  /** A name for the state of these files. @param base The version of the base that they go with. */
  version(base?: string): string {
    return digest(JSON.stringify([base, this.digests])).slice(0, 16);
  }
}

export const unusable = (reason: string): LabelerError => new LabelerError("model-unusable", reason);

interface Provenance {
  readonly description?: string | undefined;
  readonly source?: string | undefined;
  readonly licence?: string | undefined;
}

/** The parts of a model.json that are written for people, as the index contains them. */
export const told = ({
  description,
  source,
  licence,
}: Provenance): { description?: string; source?: string; licence?: string } => ({
  ...(description !== undefined && { description }),
  ...(source !== undefined && { source }),
  ...(licence !== undefined && { licence }),
});
