/**
 * Compares the JSON of a command with its example in docs/reference/commands.md: it must have the same fields and no
 * others.
 */
import { readFile } from "node:fs/promises";
import { expect } from "vitest";

/** @returns the example that follows the command's name in the section on JSON */
export async function exampleOf(command: string): Promise<unknown> {
  const page = await readFile("docs/reference/commands.md", "utf8");
  const [, section = ""] = page.split("### JSON of `npm run ekuiper`");
  const [, json] = new RegExp(`\`${command}\`[\\s\\S]*?\`\`\`json\n([\\s\\S]*?)\`\`\``).exec(section) ?? [];
  if (json === undefined) throw new Error(`There is no example of ${command}`);
  return JSON.parse(json);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @param optional fields of the example that need not be there */
export function expectShape(actual: unknown, example: unknown, optional: readonly string[] = [], path = "$"): void {
  if (Array.isArray(example)) {
    expect(Array.isArray(actual), path).toBe(true);
    const items = example.filter(isObject);
    if (items.length === 0) return;
    // What some of the example's items lack, any item may lack.
    const all = Object.assign({}, ...items);
    const lacking = Object.keys(all).filter((key) => items.some((item) => !(key in item)));
    for (const [index, item] of (actual as unknown[]).entries()) expectShape(item, all, lacking, `${path}[${index}]`);
  } else if (isObject(example)) {
    if (!isObject(actual)) expect.fail(`${path} is ${typeof actual}, and no object`);
    for (const key of Object.keys(actual)) expect(Object.keys(example), `${path} in the documentation`).toContain(key);
    for (const [key, value] of Object.entries(example)) {
      if (!(key in actual) && optional.includes(key)) continue;
      expect(Object.keys(actual), path).toContain(key);
      expectShape(actual[key], value, [], `${path}.${key}`);
    }
  } else {
    expect(typeof actual, path).toBe(typeof example);
  }
}
