/** Collects the licences of a package's contents, as those licences require. */
import { readFileSync } from "node:fs";
import { embeddedNotice } from "./embedded.ts";
import type { NpmPackage } from "./npm-packages.ts";

const LINE = `\n${"-".repeat(78)}\n\n`;

/** The text of NOTICE, followed by the licences of the packages from npm that the programs contain. */
export function notice(packages: readonly NpmPackage[]): string {
  const texts = packages.map(({ name, version, licence, licenceText }) => {
    const text =
      licenceText ?? `It comes without a text of its licence, of which NOTICE-embedded.txt has the standard one.\n`;
    return `${name} ${version}: ${licence}\n\n${text}`;
  });
  return [readFileSync("NOTICE", "utf8"), ...texts].join(LINE);
}

/** The notices of what workerd, which a package brings along or has installed, and the wasm of TensorFlow.js contain. */
export const noticeOfEmbedded = (): string => embeddedNotice(["workerd", "@tensorflow/tfjs-backend-wasm"]);
