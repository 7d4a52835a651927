/**
 * Finds which declarations of a .d.ts file those of others need, so that the rest, with what only it imports, is left out.
 * It reads what TypeScript writes: each statement begins at the begin of a line, and has one name.
 */

/** A name that a file imports from another one. */
interface Imported {
  /** As the import states it. */
  readonly from: string;
  readonly name: string;
}

const NAMED_IMPORT = /^import (?:type )?\{([^}]*)\} from "([^"]+)";/;
const DECLARATION = /^export (?:declare )?(?:abstract )?(?:type|interface|const|function|class|enum|let) (\w+)/;
const INLINE_IMPORT = /\bimport\("([^"]+)"\)\.(\w+)/g;

export class Declarations {
  readonly #statements = new Map<string, string>();
  readonly #imports = new Map<string, Imported>();
  readonly #needed = new Set<string>();

  /** @param text Of the .d.ts file. */
  constructor(text: string) {
    const withoutComments = text.replace(/^\/\*\*(?:[^*]|\*(?!\/))*\*\/\n/gm, "");
    for (const statement of withoutComments.split(/\n(?=\S)(?!\})/)) {
      const [, names, from] = NAMED_IMPORT.exec(statement) ?? [];
      if (names !== undefined) this.#readImport(names, from);
      else this.#readDeclaration(statement);
    }
  }

  #readImport(names: string, from: string): void {
    for (const part of names.split(",")) {
      const [, name, alias = name] = /^\s*(?:type )?(\w+)(?: as (\w+))?\s*$/.exec(part) ?? [];
      if (name !== undefined) this.#imports.set(alias, { from, name });
    }
  }

  #readDeclaration(statement: string): void {
    const [, name] = DECLARATION.exec(statement) ?? [];
    if (name !== undefined) this.#statements.set(name, statement.trimEnd());
  }

  /**
   * Marks a declaration, and those of the same file on which it depends, as needed.
   *
   * @returns What it needs of other files.
   * @throws Error if the file does not declare the name.
   */
  need(name: string): Imported[] {
    if (this.#needed.has(name)) return [];
    const statement = this.#statements.get(name);
    if (statement === undefined) throw new Error(`${name} is not declared`);
    this.#needed.add(name);
    const words = new Set(statement.replaceAll(/"[^"]*"/g, "").match(/\b[A-Za-z_$][\w$]*\b/g));
    const needed = [...statement.matchAll(INLINE_IMPORT)].map(([, from, other]) => ({ from, name: other }));
    for (const word of words) {
      const imported = this.#imports.get(word);
      if (imported !== undefined) needed.push(imported);
      else if (word !== name && this.#statements.has(word)) needed.push(...this.need(word));
    }
    return needed;
  }

  /** The needed declarations, with the imports of what they name. */
  text(): string {
    const statements = [...this.#needed].map((name) => this.#statements.get(name) ?? "");
    const body = statements.join("\n");
    const imports = [...this.#imports]
      .filter(([alias]) => new RegExp(`\\b${alias}\\b`).test(body))
      .map(
        ([alias, { from, name }]) => `import type { ${name === alias ? name : `${name} as ${alias}`} } from "${from}";`,
      );
    return `${[...imports, ...statements].join("\n")}\n`;
  }
}
