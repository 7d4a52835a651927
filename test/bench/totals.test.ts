/** The last line of `npm test`, which counts all tests. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { nodeTotals, sum, totalsLine, totalsOf, vitestTotals } from "../../scripts/verify/test/totals.ts";

const folder = mkdtempSync(join(tmpdir(), "edge-labeler-totals-"));
const report = join(folder, "report");
afterAll(() => rmSync(folder, { recursive: true }));

const vitest = (testResults: { status: string; assertionResults: unknown[] }[]) =>
  JSON.stringify({ numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1, testResults });

it("adds what vitest and Node's runner report", () => {
  const tap = "ok 1 - a\n# tests 7\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 1\n# duration_ms 5\n";
  const both = sum(nodeTotals(tap), vitestTotals(vitest([{ status: "failed", assertionResults: [{}] }])));
  expect(totalsLine(both)).toBe("8 passed, 3 failed, 5 skipped");
});

it("counts a file that cannot be loaded as a failed test", () => {
  expect(vitestTotals(vitest([{ status: "failed", assertionResults: [] }])).failed).toBe(2);
});

it("is never without a failure where a run ends with an error, be there a report or not", () => {
  const read = () => ({ passed: 3, failed: 0, skipped: 0 });
  expect(totalsOf(report, read, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  writeFileSync(report, "");
  expect(totalsOf(report, read, 1)).toEqual({ passed: 3, failed: 1, skipped: 0 });
  expect(totalsOf(report, read, 0)).toEqual({ passed: 3, failed: 0, skipped: 0 });
});
