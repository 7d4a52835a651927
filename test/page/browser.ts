/** Starts Debian's Chromium for the tests of the page; without it they are skipped, and under CI they fail. */
import { existsSync } from "node:fs";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

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

/** Opens the labeler's page. @param faults Gets what goes wrong in the page, and what it asks others for. */
export async function visitPage(
  browser: Browser,
  url: string,
  faults: string[],
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ ...options, baseURL: url });
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // Chromium itself writes a line for each status that is no success.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      faults.push(message.text());
  });
  page.on("request", (request) => {
    const local = new URL(request.url()).host === new URL(url).host || /^(blob|data):/.test(request.url());
    if (!local) faults.push(`a request to ${request.url()}`);
  });
  await page.goto("/");
  return page;
}

/** What axe finds in the page as it stands, a line each. */
export async function accessibilityFaultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
  return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** How many CSS pixels of the page lie to the right of its window. */
export const overflowOf = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
