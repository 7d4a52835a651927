/**
 * Sorts the object types of unions in declarations: TypeScript lists them in an order that differs from run to run, even
 * with a single thread, and the same sources have to give the same package.
 */

/** The line between two object types of a union, as TypeScript formats it. */
const BETWEEN = /^( *)\} \| \{$/gm;

/**
 * @param text A .d.ts file as TypeScript writes it.
 * @returns The text with the object types of each union in alphabetical order.
 */
export function sortUnions(text: string): string {
  const indents = new Set([...text.matchAll(BETWEEN)].map(([, indent = ""]) => indent));
  // Inner unions first, since their text decides where the outer types belong.
  const inner = [...indents].sort((a, b) => b.length - a.length);
  return inner.reduce((sorted, indent) => {
    const between = new RegExp(`^${indent}\\} \\| \\{\\n`, "m");
    const type = `(?:${indent} .*\\n)*`;
    const union = new RegExp(
      `^(${indent}\\S.*\\{\\n)(${type}(?:${indent}\\} \\| \\{\\n${type})+)(?=${indent}\\})`,
      "gm",
    );
    return sorted.replace(union, (_, opening, types: string) => {
      return opening + types.split(between).sort().join(`${indent}} | {\n`);
    });
  }, text);
}
