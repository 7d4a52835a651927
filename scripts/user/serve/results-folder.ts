/**
 * Detects that the files of the results were removed or replaced while workerd, which would keep writing to them, has
 * them open.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The databases below a folder, with a number that changes if another file takes the name. */
function databases(folder: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const stat = name.endsWith(".sqlite") ? statSync(join(folder, name), { throwIfNoEntry: false }) : undefined;
    if (stat !== undefined) found.set(name, stat.ino);
  }
  return found;
}

export class ResultsFolder {
  readonly #folder: string;
  #known = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Forgets the files of the previous process: a new one opens its own. */
  reset(): void {
    this.#known = new Map();
  }

  /** Whether a known database is gone, or is another file; false if the folder cannot be read. */
  isReplaced(): boolean {
    let now: Map<string, number>;
    try {
      now = databases(this.#folder);
    } catch (error) {
      return this.#known.size > 0 && (error as NodeJS.ErrnoException).code === "ENOENT";
    }
    for (const [name, inode] of this.#known) if (now.get(name) !== inode) return true;
    this.#known = now;
    return false;
  }
}
