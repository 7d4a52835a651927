/** Checks the spelling of texts for readers: British English, plus the words of words.txt. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import nspell from "nspell";
import type { Line } from "./prose.ts";

const WORDS = "scripts/verify/check/words.txt";

/** Not words: names of settings, files, types and formats, and numbers with units. */
const isWord = (text: string): boolean => /^[A-Z]?[a-z]+(?:['’][a-z]+)?$/.test(text) && text.length > 2;

const parts = (text: string): string[] =>
  text
    .split(/[^\p{L}\p{N}'’_./@:]+/u)
    .filter((part) => !/[_/@:\p{N}]|\.\w/u.test(part))
    .flatMap((part) => part.split("."))
    .map((part) => part.replace(/^['’]+|['’]+$|['’]s$/g, ""))
    .filter(isWord);

function speller() {
  const folder = dirname(createRequire(import.meta.url).resolve("dictionary-en-gb"));
  const [aff, dic] = ["aff", "dic"].map((kind) => readFileSync(join(folder, `index.${kind}`)));
  const known = nspell({ aff, dic });
  for (const word of readFileSync(WORDS, "utf8").split("\n")) if (word !== "" && !word.startsWith("#")) known.add(word);
  return known;
}

/** @returns A sentence for each word that the dictionaries lack, once for each place. */
export function findMisspellings(lines: readonly Line[]): string[] {
  const known = speller();
  const verdicts = new Map<string, boolean>();
  const isWrong = (word: string): boolean => {
    if (!verdicts.has(word)) verdicts.set(word, !known.correct(word) && !known.correct(word.toLowerCase()));
    return verdicts.get(word) === true;
  };
  return lines.flatMap(({ place, text }) =>
    [...new Set(parts(text))]
      .filter(isWrong)
      .map((word) => `${place}: "${word}" is misspelled, or missing in ${WORDS}.`),
  );
}
