/**
 * Reads the files of a model in the state that its index entry describes. Files may be replaced one by one while the
 * labeler runs: what does not belong to that state is refused, so that no answer mixes two states.
 */
import { LabelerError } from "../errors.ts";
import { sha256 } from "../runtime/digest.ts";
import type { IndexEntry } from "./index-entry.ts";

/** Reads a file of the models' folder, of about `size` bytes if that is known; undefined if it does not exist. */
export type ReadBytes = (path: string, size?: number) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/** The files on disk are not those of the index entry, or not yet a whole model. It may pass by itself. */
export class FilesChanged extends LabelerError {
  constructor(detail: string) {
    super("model-unavailable", detail, { retryAfter: 2 });
  }
}

/** The model was replaced while a request used it, and its former state is not there any more. */
export class ModelReplaced extends LabelerError {
  constructor(name: string) {
    super("model-unavailable", `The model "${name}" was replaced during this request. Send it again.`);
  }
}

/**
 * The files of a model.
 *
 * @returns A function that reads a file: undefined for one that the entry does not have.
 * @throws FilesChanged by that function, for a file that is missing or has another content.
 */
export function filesOf({ name, files }: IndexEntry, read: ReadBytes): ReadBytes {
  return async (path, size) => {
    const digest = files[path];
    if (digest === undefined) return undefined;
    const bytes = await read(path, size);
    if (bytes !== undefined && (await sha256(bytes)) === digest) return bytes;
    const how = bytes === undefined ? "could not be read" : "has changed";
    throw new FilesChanged(`The model "${name}" is being replaced: ${path} ${how}.`);
  };
}

/** @throws LabelerError of kind model-unusable; FilesChanged if the reason may pass. */
export function checkUsable({ error, changing = false }: IndexEntry): void {
  if (error === undefined) return;
  if (changing) throw new FilesChanged(`${error} Its files have just changed: they may still be on their way.`);
  throw new LabelerError("model-unusable", error);
}
