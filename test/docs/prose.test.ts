/** The check of prose (scripts/verify/check): the phrases and words that it reports, and those that it accepts. */
import { expect, it } from "vitest";
import { findPhrases, proseOfMarkdown, readProse } from "../../scripts/verify/check/prose.ts";
import { findMisspellings } from "../../scripts/verify/check/spelling.ts";

const linesOf = (text: string) => proseOfMarkdown("x.md", text);

it.each([
  ["A rule hands its image over to the labeler.", "submit"],
  ["The best label comes first.", "top-1 label"],
  ["The file has no labels.", "does not have"],
  ["What it is, is seen from its bytes.", "turn the sentence round"],
  ["This and and that.", "one of the two words"],
])("reports %s", (text, advice) => {
  expect(findPhrases(linesOf(`# Title\n\n${text}`))).toEqual([
    expect.stringMatching(new RegExp(`^x\\.md:3: .*Write: .*${advice}`)),
  ]);
});

it("passes over code, and the addresses of links", () => {
  const text = "```sh\nhand over\n```\n\nRun `hand over` of [this](hand-over.md).\n";
  expect(findPhrases(linesOf(text))).toEqual([]);
});

it("reports a misspelled word with its place, and knows terms, names and settings", () => {
  expect(
    findMisspellings(linesOf("A recieved image.\nThe labeler quantises ReLU6 by MAX_PIXELS at a.b, Hono's way.")),
  ).toEqual([expect.stringMatching(/^x\.md:1: "recieved" is misspelled/)]);
});

it("reads documents, the API's description, titles of errors and the page", () => {
  const places = readProse().map(({ place }) => place);
  for (const place of ["README.md:", "docs/", "native/", "openapi/info/", "worker/errors.ts, busy", "worker/page/"]) {
    expect(
      places.some((known) => known.startsWith(place)),
      place,
    ).toBe(true);
  }
});
