/** Secrets of the environment, and of the files that it names. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { readSecret } from "../../scripts/user/read-secret.ts";
import { readSecrets } from "../../scripts/user/secrets.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "edge-labeler-secrets-"));
  writeFileSync(join(folder, "token"), "s3cret\n");
  writeFileSync(join(folder, "empty"), "\n");
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

it("is read from a file, without the line feed at its end, and passed on to workerd", () => {
  vi.stubEnv("LABELER_TOKEN", undefined);
  vi.stubEnv("LABELER_TOKEN_FILE", join(folder, "token"));
  expect(readSecret("LABELER_TOKEN")).toBe("s3cret");
  readSecrets();
  expect(process.env.LABELER_TOKEN).toBe("s3cret");
});

it.each([
  ["is missing", "nosuch", /^LABELER_TOKEN_FILE: ENOENT.*nosuch/],
  ["is empty", "empty", /^LABELER_TOKEN_FILE: .*empty is empty\. Write the secret into it\.$/],
])("is refused if its file %s, so that no labeler is open by mistake", (_, name, message) => {
  vi.stubEnv("LABELER_TOKEN", undefined);
  vi.stubEnv("LABELER_TOKEN_FILE", join(folder, name));
  expect(() => readSecrets()).toThrow(message);
});

it("is refused if it is in the environment and in a file", () => {
  vi.stubEnv("LABELER_TOKEN", "a");
  vi.stubEnv("LABELER_TOKEN_FILE", join(folder, "token"));
  expect(() => readSecrets()).toThrow("LABELER_TOKEN and LABELER_TOKEN_FILE are both set.");
});
