/** The check of commit subjects (scripts/verify/check/commits.ts). */
import { expect, it } from "vitest";
import { findSubjectFaults } from "../../scripts/verify/check/commits.ts";

it.each([
  ["Sort scripts by audience", []],
  [`Say ${"x".repeat(68)}`, []],
  [`Say ${"x".repeat(69)}`, [expect.stringContaining("73 characters; 72 are allowed")]],
  ["sort scripts", [expect.stringContaining("begin the subject with a verb and a capital letter")]],
  ["Sort scripts.", [expect.stringContaining("without a full stop")]],
])("%s", (subject, faults) => {
  expect(findSubjectFaults([subject])).toEqual(faults);
});
