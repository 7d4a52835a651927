/** Counts tests from the reports of vitest and of Node's test runner. */
import { existsSync, readFileSync } from "node:fs";

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NONE: Totals = { passed: 0, failed: 0, skipped: 0 };

export const sum = (a: Totals, b: Totals): Totals => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

/** "3 passed, 0 failed, 1 skipped": the last line of `npm test`, which .ci/run reads. */
export const totalsLine = ({ passed, failed, skipped }: Totals): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** Reads the reporter `json`: a file that cannot be loaded counts as one failed test. */
export function vitestTotals(report: string): Totals {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(report) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    numTodoTests: number;
    testResults: { status: string; assertionResults: unknown[] }[];
  };
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    skipped: numPendingTests + numTodoTests,
  };
}

/** Reads the reporter `tap`, whose last lines look like "# pass 12". */
export function nodeTotals(report: string): Totals {
  const count = (name: string) => Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(report)?.[1] ?? 0);
  return {
    passed: count("pass"),
    failed: count("fail") + count("cancelled"),
    skipped: count("skipped") + count("todo"),
  };
}

/**
 * The totals of a run of tests.
 *
 * @param code Its exit code: if it is not 0, something has failed, even if no test has, or the report is missing.
 */
export function totalsOf(path: string, read: (report: string) => Totals, code: number): Totals {
  const totals = existsSync(path) ? read(readFileSync(path, "utf8")) : NONE;
  return code !== 0 && totals.failed === 0 ? { ...totals, failed: 1 } : totals;
}
