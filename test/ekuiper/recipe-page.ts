/** Reads streams, rules and commands from ekuiper/recipes.md, and replaces the page's addresses by those of a test. */
import { readFileSync } from "node:fs";
import type { Rule } from "../../scripts/user/ekuiper/api.ts";

export interface Recipe {
  /** CREATE statements, by the name of what they create. */
  readonly sources: ReadonlyMap<string, string>;
  /** By their ids. */
  readonly rules: ReadonlyMap<string, Rule>;
  /** JSON that is no rule: messages that the page says come out. */
  readonly messages: readonly object[];
  /** The blocks of shell commands. */
  readonly commands: readonly string[];
}

const BLOCK = /^```(\w+)\n([\s\S]*?)^```$/gm;

function parseRecipe(section: string): Recipe {
  const sources = new Map<string, string>();
  const rules = new Map<string, Rule>();
  const messages: object[] = [];
  const commands: string[] = [];
  for (const [, language, text = ""] of section.matchAll(BLOCK)) {
    if (language === "sh") commands.push(text);
    if (language === "sql") sources.set(/^CREATE (?:STREAM|TABLE) (\w+)/.exec(text)?.[1] ?? text, text.trim());
    if (language !== "json") continue;
    const value: object = JSON.parse(text);
    if ("actions" in value) rules.set((value as Rule).id, value as Rule);
    else messages.push(value);
  }
  return { sources, rules, messages, commands };
}

/**
 * @param places What the page has, and what stands there instead, such as addresses.
 * @returns The recipes by their headings.
 */
export function readRecipes(places: Readonly<Record<string, string>> = {}): Map<string, Recipe> {
  let page = readFileSync("ekuiper/recipes.md", "utf8");
  for (const [from, to] of Object.entries(places)) page = page.replaceAll(from, to);
  const sections = page.split(/^## /m).slice(1);
  return new Map(sections.map((section) => [section.slice(0, section.indexOf("\n")), parseRecipe(section)]));
}
