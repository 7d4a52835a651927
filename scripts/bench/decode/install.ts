/** Installs the rivals into scripts/bench when they are not there, so that `npm ci` at the root need not. */
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";

const BENCH = "scripts/bench";

export function installRivals(): void {
  const installed = `${BENCH}/node_modules/.package-lock.json`; // npm writes it last
  const current =
    existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${BENCH}/package-lock.json`).mtimeMs;
  if (current) return;
  console.error("installing what is compared with (npm ci in scripts/bench)");
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-fund", "--no-audit"], {
    cwd: BENCH,
    stdio: ["ignore", process.stderr, process.stderr],
  });
  if (status !== 0) throw new Error("npm ci in scripts/bench failed.");
}
