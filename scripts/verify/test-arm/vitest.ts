/** The part of Vitest that the tests of the kernels use, for a workerd that Vitest cannot start: an emulated one. */
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";

type Body<Row extends readonly unknown[]> = (...row: Row) => unknown;

export interface Outcome {
  readonly passed: number;
  /** Name and message of each test that failed. */
  readonly failures: readonly string[];
  /** How many tests there are. */
  readonly total: number;
}

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

export const expect = chai.expect;

interface Test {
  readonly name: string;
  readonly run: () => unknown;
}

const tests: Test[] = [];
const before: (() => unknown)[] = [];
/** The names of the groups that are being described. */
const groups: string[] = [];

export function beforeAll(run: () => unknown): void {
  before.push(run);
}

/** Calls for each row what is declared for one; a row that is no list is the only argument. */
const forEach =
  (declare: (name: string, body: () => unknown) => void) =>
  (rows: readonly unknown[]) =>
  (name: string, body: Body<readonly unknown[]>): void => {
    for (const row of rows) {
      const all = Array.isArray(row) ? row : [row];
      declare(`${name} ${JSON.stringify(all)}`, () => body(...all));
    }
  };

function declareGroup(name: string, body: () => unknown): void {
  groups.push(name);
  body();
  groups.pop();
}

function declareTest(name: string, run: () => unknown): void {
  tests.push({ name: [...groups, name].join(" › "), run });
}

export const describe = Object.assign(declareGroup, { each: forEach(declareGroup) });
export const it = Object.assign(declareTest, { each: forEach(declareTest) });

let ready: Promise<unknown> | undefined;

/** Runs every nth of the tests with these numbers. */
export async function runTests(from: number, to: number, every: number): Promise<Outcome> {
  ready ??= Promise.all(before.map((run) => run()));
  await ready;
  const failures: string[] = [];
  let passed = 0;
  for (let at = from; at < Math.min(to, tests.length); at += every) {
    const { name, run } = tests[at];
    try {
      await run();
      passed++;
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message}`);
    }
  }
  return { passed, failures, total: tests.length };
}
