/** The page's table of stored results: as they arrive, while they load, and on a phone. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { fixture } from "../http/client.ts";
import { accessibilityFaultsOf, overflowOf, startBrowser, visitPage, whyNoBrowser } from "./browser.ts";

const SCREENSHOTS = "dist/page";
const desktop = { viewport: { width: 1280, height: 900 } };
const phone = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true };

if (whyNoBrowser !== undefined) {
  if (process.env.CI) throw new Error(whyNoBrowser);
  console.warn(`The page is not tested. ${whyNoBrowser}`);
}

describe.skipIf(whyNoBrowser !== undefined)("the table of stored results", () => {
  let browser: Browser;
  let labeler: RunningLabeler;
  const faults: string[] = [];

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    [browser, labeler] = await Promise.all([startBrowser(), startWorkerd()]);
  });
  afterAll(async () => {
    await browser?.close();
    await labeler?.stop();
  });

  const visit = (options: BrowserContextOptions) => visitPage(browser, labeler.url, faults, options);
  const rows = (page: Page) => page.locator("#stored tbody tr");
  const submit = async (query: string, body: Uint8Array<ArrayBuffer>) => {
    const response = await fetch(`${labeler.url}/ekuiper/sink?${query}`, { method: "POST", body });
    expect(response.status).toBe(204);
  };

  it("says that it loads, that there is nothing, and shows results as they come", async () => {
    const page = await visit(desktop);
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route("**/results?*", async (route) => {
      await answered;
      await route.continue();
    });
    await page.click("#stored summary");
    const table = page.locator("#stored table");
    await page.locator("#stored-state", { hasText: "Loading the results…" }).waitFor();
    expect(await table.getAttribute("aria-busy")).toBe("true");
    answer();
    await page.locator("#stored-state", { hasText: "Nothing is stored yet." }).waitFor();
    expect(await table.getAttribute("aria-busy")).toBe("false");
    expect(await table.isVisible()).toBe(false);
    await submit("id=page-test&device=camera-7", fixture("coffee.png"));
    await rows(page).filter({ hasText: "page-test" }).waitFor();
    expect(await rows(page).first().textContent()).toMatch(/camera-7968:espresso99\.\d %page-test$/);
    expect(await page.locator("#stored-state").textContent()).toBe("The newest 1.");
    await page.close();
  });

  it.each([
    ["desktop", desktop],
    ["phone", phone],
    ["phone-dark", { ...phone, colorScheme: "dark" as const }],
  ])("can be read and has no fault of accessibility: %s", async (name, options) => {
    const id = `gate-north-0123456789abcdef0123456789abcdef-${name}`;
    await submit(`id=${id}&device=camera-at-the-northern-loading-dock`, fixture("coffee.png"));
    await submit(`id=${id}-broken&device=camera-7`, fixture("coffee.png").subarray(0, 20));
    await submit(`id=${id}-rocket`, fixture("rocket.jpg"));
    const page = await visit(options);
    await page.click("#stored summary");
    const row = rows(page).filter({ has: page.getByText(id, { exact: true }) });
    await row.waitFor();
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    // Every cell lies within the window, and no text is cut off or broken into a column of letters.
    const cells = await row.locator("td").evaluateAll((elements) =>
      elements.map((cell) => {
        const { left, right, width, height } = cell.getBoundingClientRect();
        return { left, right, width, lines: height / Number.parseFloat(getComputedStyle(cell).lineHeight) };
      }),
    );
    expect(cells).toHaveLength(5);
    for (const { left, right, width, lines } of cells) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(right).toBeLessThanOrEqual(options.viewport.width);
      expect(width).toBeGreaterThan(45);
      expect(lines).toBeLessThan(4);
    }
    // It stays a table for those who hear it, whatever the layout.
    const tree = await page.locator("#stored table").ariaSnapshot();
    expect(tree).toMatch(/columnheader "Confidence"/);
    expect(tree).toMatch(/cell "968:\s?espresso"/);
    expect(await accessibilityFaultsOf(page)).toEqual([]);
    await page.locator("#stored").scrollIntoViewIfNeeded();
    await page.locator("#stored").screenshot({ path: join(SCREENSHOTS, `stored-${name}.png`) });
    await page.close();
  });

  it("caused no error in the page", () => {
    expect(faults).toEqual([]);
  });
});
