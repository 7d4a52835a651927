/** Checks whether what is installed is what this release of the product installs. */
import type { Check } from "./checks.ts";
import type { Step } from "./plan.ts";

/** @param steps What install would do with the options of the last installation. */
export function checkAge(steps: readonly Step[]): Check {
  const name = "installed parts";
  const older = steps.flatMap(({ replaces }) => replaces ?? []);
  if (older.length === 0) return { name, state: "ok", detail: "as this release writes them" };
  return {
    name,
    state: "warning",
    detail: `of another release, or changed by hand: ${older.join(", ")}`,
    fix: "npm run ekuiper -- install replaces them, and keeps what they were installed with.",
  };
}
