import { readdirSync, readFileSync } from "node:fs";
import { parse } from "node:path";
import { expect, it } from "vitest";
import { workerdProgram } from "../../scripts/labeler/folders.ts";
import { EMBEDDED, LISTED_PARTS, partsOfWorkerd } from "../../scripts/user/package/embedded.ts";

it("lists every repository and crate that workerd's program names, and no other", () => {
  const parts = [...partsOfWorkerd(readFileSync(workerdProgram()))].sort();
  expect(parts).toContain("boringssl");
  expect(parts.length).toBeGreaterThan(50);
  expect([...LISTED_PARTS].sort()).toEqual(parts);
});

it("has the text of each licence in the list", () => {
  const texts = readdirSync("scripts/user/package/licences").map((name) => parse(name).name);
  // Apache-2.0 is LICENSE; IJG is in NOTICE-codecs.txt; the others waive their rights.
  const known = [...texts, "Apache-2.0", "IJG", "blessing", "CC0-1.0"];
  const named = [...EMBEDDED.values()].flat().flatMap(({ licence }) => licence.split(/ (?:AND|WITH) /));
  expect(named.filter((licence) => !known.includes(licence))).toEqual([]);
});
