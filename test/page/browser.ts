/** Debian's Chromium for the tests of the page; without it they are skipped, and under CI they fail. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why there is no browser to test with; undefined if there is one. */
export const whyNoBrowser: string | undefined = existsSync(CHROMIUM)
  ? undefined
  : `There is no ${CHROMIUM}: install Debian's package chromium, or name another in CHROMIUM.`;

/** Starts it with a camera that shows a test picture, and without any call to its maker's hosts. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox", // it runs as root in CI
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
    ],
  });
