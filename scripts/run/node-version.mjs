// @ts-check
/** Which Node runs the commands. It runs on older ones too, to tell their users. */

/**
 * @param {string} engines package.json's `engines.node`: ">=20.20".
 * @param {string} [running] The version that runs: "18.20.8".
 * @returns {string | undefined} Why it cannot run the commands, and what to do; undefined if it can.
 */
export function refuseNode(engines, running = process.versions.node) {
  const least = engines.replace(/[^\d.]/g, "");
  const [[major = 0, minor = 0], [leastMajor = 0, leastMinor = 0]] = [running, least].map((v) =>
    v.split(".").map(Number),
  );
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return undefined;
  return (
    `Edge Labeler needs Node ${least} or newer, and this is ${running} (${process.execPath}). Install a newer one: ` +
    "https://nodejs.org/en/download"
  );
}
