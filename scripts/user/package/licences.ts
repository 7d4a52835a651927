/** The licences of what a package contains, as those want it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What NOTICE names as contained in the Worker, where npm has put it, and where its package brings a text along. */
const BUNDLED = ["hono", "long", "upng-js", "pako", "zod"];

const FOLDERS = ["node_modules", "node_modules/upng-js/node_modules"];

/** The text of NOTICE, and the licences of what it names behind it. */
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
