/**
 * Checks the texts for readers for the phrases of phrases.ts and for spelling: documents, the OpenAPI descriptions,
 * titles of errors, and the page.
 */
import { readFileSync } from "node:fs";
import { globSync } from "tinyglobby";
import { KINDS } from "../../../worker/errors.ts";
import { openApiDocument } from "../../build/openapi/document.ts";
import { PHRASES } from "./phrases.ts";

/** A line of text, and its place. */
export interface Line {
  /** For example "docs/README.md:12". */
  readonly place: string;
  /** The text without code and addresses. */
  readonly text: string;
}

/** Left out: the glossary names the phrases that it replaces, and licences are texts of others. */
const DOCUMENTS = ["*.md", "docs/**/*.md", "ekuiper/**/*.md", "native/**/*.md", "scripts/*.md"];
const NO_PROSE = ["**/node_modules", "**/.cache", "docs/reference/glossary.md"];

const withoutMarkup = (text: string): string =>
  text
    .replace(/`[^`]*`/g, "`…`")
    .replace(/\]\([^)]*\)/g, "]")
    .replace(/<[^>]*>/g, " ")
    .replace(/\bhttps?:\S+/g, " ");

/** @returns The lines of a Markdown document that are not code; code that spans two lines counts as prose. */
export function proseOfMarkdown(path: string, document: string): Line[] {
  let code = false;
  return document.split("\n").flatMap((line, i) => {
    const fence = line.startsWith("```");
    if (fence) code = !code;
    const text = withoutMarkup(line);
    return fence || code || line.startsWith("    ") ? [] : [{ place: `${path}:${i + 1}`, text }];
  });
}

/** The descriptions, summaries and titles in an OpenAPI document, at any depth. */
function proseOfOpenApi(value: unknown, place: string): Line[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = `${place}/${name}`;
    if (name === "example") return [];
    const isProse = typeof inner === "string" && /^(?:description|summary|title)$/.test(name);
    return isProse ? [{ place: at, text: withoutMarkup(inner) }] : proseOfOpenApi(inner, at);
  });
}

/** The texts of the page: between the tags, and in the attributes that screen readers read. */
function proseOfPage(path: string): Line[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line, i) => {
      if (line.startsWith("<link")) return [];
      const aloud = [...line.matchAll(/(?:aria-label|title|alt)="([^"]*)"/g)].map(([, text]) => text);
      return [{ place: `${path}:${i + 1}`, text: [line.replace(/<[^>]*>/g, " "), ...aloud].join(". ") }];
    });
}

/** All texts for readers. */
export function readProse(): Line[] {
  const documents = globSync(DOCUMENTS, { ignore: NO_PROSE }).sort();
  return [
    ...documents.flatMap((path) => proseOfMarkdown(path, readFileSync(path, "utf8"))),
    ...proseOfOpenApi(openApiDocument(), "openapi"),
    ...Object.entries(KINDS).map(([kind, [, title]]) => ({ place: `worker/errors.ts, ${kind}`, text: title })),
    ...proseOfPage("worker/page/index.html"),
  ];
}

/** @returns A sentence for each phrase that should be replaced. */
export const findPhrases = (lines: readonly Line[]): string[] =>
  lines.flatMap(({ place, text }) =>
    PHRASES.flatMap(({ pattern, advice }) => {
      const [found] = pattern.exec(text) ?? [];
      return found === undefined ? [] : [`${place}: "${found}". Write: ${advice} (scripts/verify/check/phrases.ts).`];
    }),
  );
