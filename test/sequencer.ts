/**
 * Starts the files that take longest first, so that neither worker is left with a long one while the other has nothing to
 * do. vitest knows how long a file takes from the run before; a new checkout has none.
 */
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Longest first, from the durations that a whole run prints. Files that take less than 15 s are left out. */
const LONGEST: readonly string[] = [
  "test/http/npm-package.test.ts",
  "test/http/memory.test.ts",
  "test/http/replaced.test.ts",
  "test/http/serve-faults.test.ts",
  "test/http/admission.test.ts",
  "test/ekuiper/loops.test.ts",
  "test/http/push.test.ts",
  "test/http/resets.test.ts",
  "test/ekuiper/recipes.test.ts",
  "test/ekuiper/plugin.test.ts",
  "test/ekuiper/outage.test.ts",
  "test/ekuiper/try.test.ts",
  "test/page/page.test.ts",
  "test/http/add-model.test.ts",
  "test/http/teach.test.ts",
  "test/http/evaluate-decode.test.ts",
  "test/ekuiper/regions.test.ts",
  "test/ekuiper/functions.test.ts",
  "test/http/command-line.test.ts",
  "test/ekuiper/taught.test.ts",
  "test/http/start.test.ts",
  "test/ekuiper/install.test.ts",
  "test/http/commands.test.ts",
  "test/ekuiper/update.test.ts",
  "test/http/form-clients.test.ts",
  "test/http/package.test.ts",
  "test/http/deploy.test.ts",
  "test/http/serve.test.ts",
  "test/http/access.test.ts",
  "test/http/fuzz.test.ts",
  "test/http/results.test.ts",
  "test/http/workers.test.ts",
  "test/http/hostile-json.test.ts",
  "test/scripts/run.test.ts",
  "test/http/keras-fuzz.test.ts",
  "test/unit/model/golden.test.ts",
  "test/unit/inference/plan-golden.test.ts",
  "test/unit/inference/plan-kernels.test.ts",
  "test/unit/image/streaming.test.ts",
  "test/unit/inference/compiled-plan.test.ts",
  "test/unit/inference/plan-strassen.test.ts",
  "test/unit/image/whole.test.ts",
];

const rankOf = (file: TestSpecification): number => {
  const rank = LONGEST.indexOf(relative(resolve(), file.moduleId));
  return rank < 0 ? LONGEST.length : rank;
};

export class LongestFirst extends BaseSequencer {
  /** The files of a project stay together. @throws Error if a file of the list does not exist. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    for (const file of LONGEST) {
      if (!existsSync(file)) throw new Error(`${file} does not exist: change the list in test/sequencer.ts.`);
    }
    const sorted = await super.sort(files);
    const projects = new Set(sorted.map(({ project }) => project.name));
    return [...projects].flatMap((name) =>
      sorted.filter(({ project }) => project.name === name).sort((a, b) => rankOf(a) - rankOf(b)),
    );
  }
}
