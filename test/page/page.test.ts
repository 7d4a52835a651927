/** The try-it page in a real browser: every way to give it an image, the results, and accessibility. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { parseDerivedSpec } from "../../worker/model/derived-spec.ts";
import { accessibilityFaultsOf, overflowOf, startBrowser, visitPage, whyNoBrowser } from "./browser.ts";

const TOKEN = "page-test-token";
const SCREENSHOTS = "dist/page";
const fixture = (name: string) => join("test/fixtures", name);

if (whyNoBrowser !== undefined) {
  if (process.env.CI) throw new Error(whyNoBrowser);
  console.warn(`The page is not tested. ${whyNoBrowser}`);
}

describe.skipIf(whyNoBrowser !== undefined)("the try-it page", () => {
  let browser: Browser;
  let open: RunningLabeler;
  let closed: RunningLabeler;
  /** What went wrong in the page, and what it asked others for. */
  let faults: string[] = [];

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    [browser, open, closed] = await Promise.all([
      startBrowser(),
      startWorkerd(),
      startWorkerd({ settings: { LABELER_TOKEN: TOKEN } }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([open?.stop(), closed?.stop()]);
  });
  afterEach(() => {
    expect(faults).toEqual([]);
  });

  const visit = async ({ url }: RunningLabeler, options?: BrowserContextOptions): Promise<Page> => {
    faults = [];
    return visitPage(browser, url, faults, options);
  };

  const labelled = (page: Page, label: string) => page.locator(".card li", { hasText: label }).first().waitFor();

  const choose = (page: Page, ...names: string[]) => page.setInputFiles("#files", names.map(fixture));

  it("is one file of less than 60 KB that a browser keeps", async () => {
    const first = await fetch(`${open.url}/`);
    expect(first.headers.get("content-type")).toMatch(/^text\/html/);
    expect((await first.arrayBuffer()).byteLength).toBeLessThan(60_000);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    const again = await fetch(`${open.url}/`, { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    expect(first.headers.get("content-security-policy")).toMatch(/default-src 'none'/);
  });

  it("labels several images that are chosen, with bars, percentages and timing", async () => {
    const page = await visit(open);
    await choose(page, "coffee.png", "chelsea.png");
    await labelled(page, "968:espresso");
    await labelled(page, "286:Egyptian cat");
    const coffee = page.locator(".card", { hasText: "coffee.png" });
    await expect.poll(() => coffee.locator("ol li").count()).toBe(5);
    expect(await coffee.locator("ol li").first().textContent()).toMatch(/^968:espresso 99\.\d %$/);
    // The number of a class stands apart from its name.
    const [number, name] = await Promise.all(
      [".number", ".name"].map((part) => coffee.locator(`ol li .label ${part}`).first().boundingBox()),
    );
    expect((name?.x ?? 0) - (number?.x ?? 0) - (number?.width ?? 0)).toBeGreaterThan(3);
    const [full, bar] = await Promise.all([
      coffee.locator("ol li").first().boundingBox(),
      coffee.locator("ol li i").first().boundingBox(),
    ]);
    expect((bar?.width ?? 0) / (full?.width ?? 1)).toBeCloseTo(0.995, 1);
    expect(await coffee.locator(".timing").textContent()).toMatch(/round trip \d/);
    expect(await page.locator("#news").textContent()).toMatch(/\d %$/);
    await page.close();
  });

  it("labels anew with another model, crop or number of labels, and shows the call that does", async () => {
    const page = await visit(open);
    await choose(page, "coffee.png");
    await labelled(page, "968:espresso");
    expect(await page.locator("#curl").textContent()).toBe(`curl --data-binary @photo.jpg '${open.url}/label'`);
    await page.selectOption("#model", "mobilenet_quant_v1_224");
    await page.selectOption("#crop", "center");
    await page.fill("#top", "2");
    await page.locator("#top").blur();
    const call = `'${open.url}/label?model=mobilenet_quant_v1_224&crop=center&top=2'`;
    await expect.poll(() => page.locator("#curl").textContent()).toContain(call);
    await expect.poll(() => page.locator(".card ol li").count()).toBe(2);
    // What is shown to be copied, sent by hand, gives what the page shows.
    const image = readFileSync(fixture("coffee.png"));
    const sent = await fetch(call.slice(1, -1), { method: "POST", body: new Uint8Array(image) });
    const labels = (await sent.json()) as { label: string; confidence: number }[];
    const shown = labels.map(({ label, confidence }) => `${label} ${(100 * confidence).toFixed(1)} %`);
    await expect.poll(() => page.locator(".card ol li").allTextContents()).toEqual(shown);
    expect(await page.locator("#rule").textContent()).toContain("labelImage(self)");
    expect(await page.locator("#install").textContent()).toContain(`--labeler ${open.url}`);
    await page.close();
  });

  it("takes an image that is dropped, and one that is pasted", async () => {
    const page = await visit(open);
    for (const [event, name] of [
      ["drop", "coffee.png"],
      ["paste", "chelsea.png"],
    ] as const) {
      const data = readFileSync(fixture(name)).toString("base64");
      await page.evaluate(
        ([kind, base64, file]) => {
          const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], file, { type: "image/png" }));
          const init = { bubbles: true, cancelable: true };
          document.dispatchEvent(
            kind === "drop"
              ? new DragEvent("drop", { ...init, dataTransfer: transfer })
              : new ClipboardEvent("paste", { ...init, clipboardData: transfer }),
          );
        },
        [event, data, name] as const,
      );
    }
    await labelled(page, "968:espresso");
    await labelled(page, "286:Egyptian cat");
    await page.close();
  });

  it("labels a picture of the camera", async () => {
    const page = await visit(open, { permissions: ["camera"] });
    await page.click("#camera-open");
    await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
    await page.click("#shoot");
    await page.locator(".card", { hasText: "camera-1.jpg" }).locator("ol li").first().waitFor();
    await page.click("#camera-close");
    expect(await page.locator("#camera").isVisible()).toBe(false);
    await page.close();
  });

  it("shows where a label is seen", async () => {
    const page = await visit(open);
    await choose(page, "coffee.png");
    await labelled(page, "968:espresso");
    const picture = page.locator(".card img");
    const before = await picture.getAttribute("src");
    await page.getByRole("button", { name: "Explain the label" }).click();
    await expect.poll(() => picture.getAttribute("alt")).toMatch(/warm colours/);
    expect(await picture.getAttribute("src")).not.toBe(before);
    await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(400);
    const legend = page.locator(".card figcaption");
    expect(await legend.textContent()).toMatch(/counts for 968:espresso.*none.*most/);
    // The scale ends in the colour that the map has where it is hottest: red, through which the image still shows.
    const gradient = await legend.locator(".scale").evaluate((scale) => getComputedStyle(scale).backgroundImage);
    expect(gradient).toMatch(/rgba\(48, 18, 200, 0\).*rgba\(220, 30, 20, 0\.65\)\)$/);
    await page.screenshot({ path: join(SCREENSHOTS, "explained.png") });
    await page.close();
  });

  it("says that a label comes from the cache", async () => {
    const page = await visit(open);
    await choose(page, "rocket.jpg");
    const timings = page.locator(".timing");
    await timings.first().waitFor();
    expect(await timings.first().textContent()).not.toMatch(/cache/);
    await choose(page, "rocket.jpg");
    await expect.poll(() => timings.count()).toBe(2);
    expect(await timings.first().textContent()).toMatch(/^from the cache · /);
    await page.close();
  });

  it("converts what the browser can decode and the labeler cannot, explains that too, and says so", async () => {
    const page = await visit(open);
    const sent = await fetch(`${open.url}/label`, {
      method: "POST",
      body: new Uint8Array(readFileSync(fixture("coffee-300.avif"))),
    });
    expect(sent.status).toBe(415);
    await choose(page, "coffee-300.avif");
    await labelled(page, "968:espresso");
    const card = page.locator(".card");
    expect(await card.textContent()).toMatch(/Your browser converted the image to JPEG/);
    await page.getByRole("button", { name: "Explain the label" }).click();
    await card.locator("figcaption").waitFor();
    await page.fill("#top", "2");
    await page.locator("#top").blur();
    await expect.poll(() => card.locator("ol li").count()).toBe(2);
    expect(await card.locator("figcaption").count()).toBe(0);
    await page.close();
  });

  it("says of a file that is no image what is wrong, and labels the next", async () => {
    const page = await visit(open);
    await page.setInputFiles("#files", [
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("just text") },
      { name: "coffee.png", mimeType: "image/png", buffer: readFileSync(fixture("coffee.png")) },
    ]);
    await labelled(page, "968:espresso");
    const error = page.locator(".card", { hasText: "notes.txt" }).locator(".error");
    await error.waitFor();
    expect(await error.textContent()).toMatch(/JPEG, PNG, WebP/);
    await page.locator(".card", { hasText: "notes.txt" }).getByRole("button", { name: "Remove notes.txt" }).click();
    await expect.poll(() => page.locator(".card").count()).toBe(1);
    await page.close();
  });

  it("asks for the token where there is one, and goes on with it", async () => {
    const page = await visit(closed);
    await page.locator("#access").waitFor();
    await page.fill("#token", TOKEN);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("#model option").count()).toBeGreaterThan(0);
    expect(await page.locator("#access").isVisible()).toBe(false);
    await choose(page, "coffee.png");
    await labelled(page, "968:espresso");
    const curl = await page.locator("#curl").textContent();
    expect(curl).toContain("Bearer $LABELER_TOKEN");
    expect(curl).not.toContain(TOKEN);
    await page.close();
  });

  it("a token in an address opens nothing, and the browser does not keep it for other pages", async () => {
    const page = await visit(closed);
    const { host } = new URL(closed.url);
    const results = (origin: string) => page.goto(`${origin}/results`);
    expect((await results(`http://name:${TOKEN}@${host}`))?.status()).toBe(401);
    await page.goto(closed.url);
    // The one call that reads passwords, by a form of the labeler's own page: the browser adds none.
    const status = () =>
      page.evaluate(async () => (await fetch("/ekuiper/sink", { method: "POST", body: "x" })).status);
    expect(await status()).toBe(401);
    await page.close();
  });

  it("can be used with the keyboard alone", async () => {
    const page = await visit(open);
    const reached: string[] = [];
    for (let press = 0; press < 20; press++) {
      await page.keyboard.press("Tab");
      const id = await page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName || "");
      if (reached.includes(id) && id !== "BUTTON") break;
      reached.push(id);
    }
    for (const id of ["files", "camera-open", "model", "crop", "precision", "top"]) expect(reached).toContain(id);
    await page.close();
  });

  it.each([
    ["desktop", { viewport: { width: 1280, height: 900 } }],
    ["phone", { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true }],
    ["dark", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" as const }],
  ] satisfies [string, BrowserContextOptions][])(
    "has no serious fault of accessibility and nothing cut off: %s",
    async (name, options) => {
      const page = await visit(open, options);
      await choose(page, "coffee.png", "chelsea.png");
      await labelled(page, "968:espresso");
      await labelled(page, "286:Egyptian cat");
      await page.click("#stored summary");
      await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
      expect(await overflowOf(page)).toBeLessThanOrEqual(0);
      await page.getByRole("button", { name: "Explain the label" }).first().click();
      await page.locator("figcaption").waitFor();
      expect(await accessibilityFaultsOf(page)).toEqual([]);
      await page.close();
    },
  );

  describe("regions", () => {
    /** The page with a picture, the panel of regions open, and where the picture is. */
    async function board(
      options?: BrowserContextOptions,
    ): Promise<{ page: Page; at(x: number, y: number): [number, number] }> {
      const page = await visit(open, options);
      await choose(page, "coffee.png");
      await labelled(page, "968:espresso");
      await page.locator("#regions summary").click();
      const image = page.locator("#board img");
      await expect.poll(async () => (await image.boundingBox())?.height ?? 0).toBeGreaterThan(50);
      await image.scrollIntoViewIfNeeded();
      const { x: left = 0, y: top = 0, width = 1, height = 1 } = (await image.boundingBox()) ?? {};
      return { page, at: (x, y) => [left + x * width, top + y * height] };
    }

    async function drag(page: Page, from: [number, number], to: [number, number]): Promise<void> {
      await page.mouse.move(...from);
      await page.mouse.down();
      await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2);
      await page.mouse.move(...to);
      await page.mouse.up();
    }

    const place = (page: Page, nth = 0) => page.locator("#region-list li code").nth(nth).textContent();
    const numbers = async (page: Page) => ((await place(page)) ?? "").split(",").map(Number);

    it("are drawn, moved and resized with the mouse, and labelled each for itself", async () => {
      const { page, at } = await board();
      await drag(page, at(0.1, 0.1), at(0.5, 0.6));
      const drawn = await numbers(page);
      for (const [index, edge] of [0.1, 0.1, 0.5, 0.6].entries()) expect(drawn[index]).toBeCloseTo(edge, 1);
      await drag(page, at(0.3, 0.3), at(0.5, 0.4));
      const [x0, y0, x1, y1] = await numbers(page);
      for (const [index, edge] of [0.3, 0.2, 0.7, 0.7].entries()) expect([x0, y0, x1, y1][index]).toBeCloseTo(edge, 1);
      await drag(page, at(x1 - 0.005, y1 - 0.005), at(0.95, 0.95));
      expect((await numbers(page)).slice(0, 2)).toEqual([x0, y0]);
      expect((await numbers(page))[2]).toBeGreaterThan(0.9);
      await page.locator(".card h4", { hasText: "region1" }).waitFor();
      const query = `region=region1:${await place(page)}`;
      await expect.poll(() => page.locator("#curl").textContent()).toContain(`/label?${query}'`);
      const sent = await fetch(`${open.url}/label?${query}`, {
        method: "POST",
        body: new Uint8Array(readFileSync(fixture("coffee.png"))),
      });
      const { regions } = (await sent.json()) as { regions: { region1: { label: string }[] } };
      await labelled(page, regions.region1[0].label);
      await page.close();
    });

    it("are added, named, moved, resized and removed with the keyboard alone", async () => {
      const { page } = await board();
      await page.focus("#region-add");
      await page.keyboard.press("Enter");
      expect(await place(page)).toBe("0.25,0.25,0.75,0.75");
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("region1");
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowUp");
      expect(await place(page)).toBe("0.26,0.24,0.76,0.74");
      await page.keyboard.press("Shift+ArrowRight");
      await page.keyboard.press("Shift+ArrowDown");
      expect(await place(page)).toBe("0.26,0.24,0.77,0.75");
      for (let press = 0; press < 30; press++) await page.keyboard.press("ArrowRight");
      expect(await place(page)).toBe("0.49,0.24,1,0.75");
      await page.fill("#region-list input", "bay 1");
      expect(
        await page.locator("#region-list input").evaluate((input) => (input as HTMLInputElement).validity.valid),
      ).toBe(false);
      await page.fill("#region-list input", "bay-1");
      await expect.poll(() => page.locator("#curl").textContent()).toContain("region=bay-1:0.49,0.24,1,0.75");
      await page.focus("#board button");
      await page.keyboard.press("Delete");
      expect(await page.locator("#region-list li").count()).toBe(0);
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("region-add");
      await expect.poll(() => page.locator("#curl").textContent()).toContain("/label'");
      await page.close();
    });

    it("are there to be copied, as a model.json that the labeler takes and as SQL", async () => {
      // The page's policy lets nothing in; the test's own tool goes around it.
      const { page } = await board({ bypassCSP: true });
      await page.click("#region-add");
      await page.click("#region-add");
      await page.locator("#region-list input").first().fill("bay-1");
      const json = (await page.locator("#model-json").textContent()) ?? "";
      expect(parseDerivedSpec(json)).toEqual({
        base: "mobilenet_v1_1.0_224",
        regions: [
          { name: "bay-1", crop: { x0: 0.25, y0: 0.25, x1: 0.75, y1: 0.75 } },
          { name: "region2", crop: { x0: 0.29, y0: 0.29, x1: 0.79, y1: 0.79 } },
        ],
      });
      const sql = () => page.locator("#region-sql").textContent();
      expect(await sql()).toMatch(/^Rename bay-1: in SQL a name has a letter first/);
      await page.locator("#region-list input").first().fill("right");
      expect(await sql()).toBe(
        "SELECT watch(self) as answer INVISIBLE, answer->regions->`right`->label as right_label, " +
          "answer->regions->`region2`->label as region2_label FROM tfdemo",
      );
      expect(await accessibilityFaultsOf(page)).toEqual([]);
      await page.screenshot({ path: join(SCREENSHOTS, "regions.png"), fullPage: true });
      await page.close();
    });
  });
});
