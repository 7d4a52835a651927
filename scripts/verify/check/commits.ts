/** Checks the form of commit subjects: at most 72 characters, a capital letter first, no full stop. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

const MAX_LENGTH = 72;

/** @returns A sentence for each subject that breaks the form. */
export const findSubjectFaults = (subjects: readonly string[]): string[] =>
  subjects.flatMap((subject) => {
    const place = `commit "${subject}"`;
    if (subject.length > MAX_LENGTH)
      return [`${place}: the subject has ${subject.length} characters; ${MAX_LENGTH} are allowed.`];
    if (!/^[A-Z]/.test(subject)) return [`${place}: begin the subject with a verb and a capital letter.`];
    return subject.endsWith(".") ? [`${place}: end the subject without a full stop.`] : [];
  });

function git(...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined; // git or the branch is missing, or git does not trust the repository.
  }
}

/** The subjects of the commits that main does not have, without merges; none outside a repository. */
export function readSubjects(): string[] {
  if (!existsSync(".git")) return [];
  if (git("rev-parse", "--git-dir") === undefined && process.env.CI)
    throw new Error("git cannot read this repository: git config --global --add safe.directory FOLDER");
  const main = ["origin/main", "main"].find((branch) => git("rev-parse", "--verify", branch) !== undefined);
  const log = main && git("log", "--no-merges", "--format=%s", `${main}..HEAD`);
  return log?.split("\n").filter((subject) => subject !== "") ?? [];
}
