/** Notices that the files of the results were removed or replaced while workerd has them open: it would go on writing to them. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The databases below a folder with what tells a file from one that has taken its name. */
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

  /** Forgets the files of the process before: a new one opens its own. */
  reset(): void {
    this.#known = new Map();
  }

  /** Whether a database that was there is gone, or is another file. Where the folder cannot be looked at, it is not said. */
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
