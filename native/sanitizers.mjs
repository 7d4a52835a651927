// What the builds under sanitizers of both folders need.
import { spawnSync } from "node:child_process";

/** Why there is no building with sanitizers; undefined if everything is there. @param programs Others that are needed. */
export function missingForSanitizers(programs) {
  const unable = programs.find((program) => spawnSync(program, ["--version"]).status !== 0);
  if (unable !== undefined) return `${unable}, which the build needs, is not there`;
  const [compiler, ...options] = (process.env.CC ?? "cc").split(" ");
  const { status } = spawnSync(
    compiler,
    [...options, "-fsanitize=address,undefined", "-x", "c", "-", "-o", "/dev/null"],
    { input: "int main(void) { return 0; }", stdio: ["pipe", "ignore", "ignore"] },
  );
  if (status !== 0) return `${compiler} with AddressSanitizer is not there: install gcc or clang, or set CC`;
  return undefined;
}
