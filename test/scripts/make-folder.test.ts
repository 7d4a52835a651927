/** Folders below others that need not exist (scripts/system/make-folder.ts). */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { makeFolder } from "../../scripts/system/make-folder.ts";

const root = mkdtempSync(join(tmpdir(), "edge-labeler-folders-"));
afterAll(() => rmSync(root, { recursive: true }));

it("makes a folder and those above it, with the mode, and leaves one that is there", () => {
  const folder = join(root, "a", "b", "c");
  makeFolder(folder, 0o700);
  makeFolder(folder, 0o755);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(root, "a")).mode & 0o777).toBe(0o700);
});

it("says why the system refuses a folder, where mkdirSync() would not return", () => {
  writeFileSync(join(root, "file"), "");
  expect(() => makeFolder(join(root, "file"))).toThrow(/EEXIST/);
  expect(() => makeFolder(join(root, "file", "below"))).toThrow(/EEXIST|ENOTDIR/);
  expect(() => makeFolder("/proc/edge-labeler/state")).toThrow(/ENOENT/);
});
