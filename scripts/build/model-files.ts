/** What the index of networks and that of derived models share: reading files, and describing models. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LabelerError } from "../../worker/errors.ts";

/** The folder of the models of this checkout. */
export const MODELS = "model-assets";

/** Reads a file of the models folder; undefined if it does not exist. */
export const readFrom =
  (root: string) =>
  async (path: string): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    try {
      // At once: by parts, as node:fs/promises reads, it would take the memory twice.
      const { buffer, byteOffset, length } = readFileSync(join(root, path));
      return new Uint8Array(buffer as ArrayBuffer, byteOffset, length);
    } catch {
      return undefined;
    }
  };

/**
 * Frees the memory of a large file that was read. It would stay for as long as the process of `npm run serve`, which makes
 * so little garbage that it seldom collects any.
 */
export function freeFile({ buffer, length }: Uint8Array<ArrayBuffer>): void {
  if (length !== buffer.byteLength) return; // it shares its memory with others
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(undefined, [buffer]); // moved into a message that nobody can receive, it is freed with that
  port1.close();
}

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
