/** Collects the licences of a package's contents, as those licences require. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The packages that NOTICE names as contained in the Worker: where npm installs them, and the file of their licence.
 */
const BUNDLED = ["hono", "long", "upng-js", "pako", "zod"];

const FOLDERS = ["node_modules", "node_modules/upng-js/node_modules"];

/** The text of NOTICE, followed by the licences of the packages that it names. */
export function notice(): string {
  const texts = BUNDLED.map((name) => {
    const path = FOLDERS.map((folder) => join(folder, name, "LICENSE")).find(existsSync);
    if (path === undefined) throw new Error(`${name} has no LICENSE`);
    return `${name}\n\n${readFileSync(path, "utf8")}`;
  });
  const own = readFileSync("NOTICE", "utf8");
  return [own, "workerd (Cloudflare): Apache License 2.0, the text of LICENSE\n", ...texts].join(
    `\n${"-".repeat(78)}\n\n`,
  );
}
