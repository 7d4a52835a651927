/** Archives in the zip format, of which only the files that are asked for are unpacked. */
import { unzipSync } from "fflate";
import { CommandError } from "../../command-line/command.ts";

/** What an archive may unpack to, in bytes. */
const LARGEST = 1 << 30;

export class Archive {
  /** Its files, with their sizes unpacked in bytes. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly #bytes: Uint8Array;
  readonly #name: string;

  /** @throws CommandError if it is damaged. */
  constructor(name: string, bytes: Uint8Array) {
    this.#name = name;
    this.#bytes = bytes;
    const sizes = new Map<string, number>();
    this.#unzip((entry, size) => {
      if (!entry.endsWith("/")) sizes.set(entry, size);
      return false;
    });
    this.sizes = sizes;
  }

  #unzip(wanted: (entry: string, size: number) => boolean): Record<string, Uint8Array> {
    try {
      return unzipSync(this.#bytes, { filter: ({ name, originalSize }) => wanted(name, originalSize) });
    } catch (error) {
      if (error instanceof CommandError) throw error;
      throw new CommandError(`${this.#name} is a damaged zip archive: ${(error as Error).message}.`, 1);
    }
  }

  /** @returns The files by name. @throws CommandError if the archive is damaged or unpacks to too much. */
  read(names: Iterable<string>): Readonly<Record<string, Uint8Array>> {
    const chosen = new Set(names);
    let total = 0;
    return this.#unzip((entry, size) => {
      if (!chosen.has(entry)) return false;
      total += size;
      if (total > LARGEST) throw new CommandError(`${this.#name} unpacks to more than 1 GB.`, 1);
      return true;
    });
  }
}
