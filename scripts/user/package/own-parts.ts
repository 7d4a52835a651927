/** Adds what only a self-contained folder has: workerd, perhaps Node, and the programs that start it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { OWN_PARTS, PARTS } from "./parts.ts";
import { copyNode, copyWorkerd, type Platform } from "./platforms.ts";

const STARTER = `#!/bin/sh
# Starts the labeler's commands with the Node of this folder, or with that of the PATH.
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
[ -x "$here/${OWN_PARTS.node}" ] && node=$here/${OWN_PARTS.node} || node=node
exec "$node" "$here/${PARTS.program}" "$@"
`;

const SERVER = `// edge-labeler serve
process.argv.splice(2, 0, "serve");
await import("./${PARTS.program}");
`;

export interface OwnPartsOptions {
  readonly platform: Platform;
  readonly withNode: boolean;
}

/** @param folder Of the parts that stage() writes. @throws CommandError if a program of the platform is not available. */
export function addOwnParts(folder: string, { platform, withNode }: OwnPartsOptions): void {
  const part = (name: string) => join(folder, name);
  copyWorkerd(platform, part(OWN_PARTS.workerd));
  if (withNode) copyNode(platform, part(OWN_PARTS.node), part("LICENSE-node.txt"));
  writeFileSync(part(OWN_PARTS.starter), STARTER, { mode: 0o755 });
  writeFileSync(part(OWN_PARTS.server), SERVER);
  // By it Node knows that the .js files of the client are modules.
  writeFileSync(part("package.json"), `${JSON.stringify({ type: "module" })}\n`);
}
