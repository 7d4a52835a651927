/**
 * The forms of real clients, each as that client writes it: the image gets the labels of the same bytes sent raw, and
 * the field before it is a parameter. test/unit/http/form.test.ts has the bytes of more clients, in chunks of every
 * size.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goEnvironment } from "../../scripts/ekuiper-engine/engine-source.ts";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { NoPython, pythonPrograms } from "../../scripts/system/python.ts";
import { startBrowser, whyNoBrowser } from "../page/browser.ts";
import { labelsOf, post } from "./client.ts";

const run = promisify(execFile);
const CLIENTS = resolve("test/http/form-clients");
const PACKAGES = ["requests==2.34.2", "httpx==0.28.1", "aiohttp==3.14.5"];

const whyNot = (action: () => unknown): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof NoPython) return error.message;
    throw error;
  }
};
const noGo = await run("go", ["version"]).then(
  () => undefined,
  () => "Go was not found.",
);
const missing = {
  go: noGo,
  python: whyNot(() => pythonPrograms("form-clients", PACKAGES)),
  chromium: whyNoBrowser,
  curl: await run("curl", ["--version"]).then(
    () => undefined,
    () => "curl was not found.",
  ),
};
for (const reason of Object.values(missing)) {
  if (reason === undefined) continue;
  if (process.env.CI) throw new Error(reason);
  console.warn(`Not all clients' forms are tested. ${reason}`);
}

let labeler: RunningLabeler;
let url: string;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "labeler-forms-"));
  labeler = await startWorkerd();
  url = `${labeler.url}/label`;
});
afterAll(async () => {
  await labeler?.stop();
  rmSync(folder, { recursive: true });
});

/** An image that is read whole, and one that streams. */
const images = ["test/fixtures/rocket.jpg", "test/fixtures/coffee.png"] as const;
const read = (path: string) => new Uint8Array(readFileSync(path));

/** Requires that a client's form has the image's two labels of highest confidence. @param send Prints the answer. */
async function expectLabels(send: (path: string) => Promise<string>): Promise<void> {
  for (const path of images) {
    const expected = await labelsOf(await post(`${url}?top=2`, read(path)));
    expect(expected).toHaveLength(2);
    expect(JSON.parse(await send(resolve(path))), path).toEqual(expected);
  }
}

it.skipIf(missing.curl)("curl -F", async () => {
  await expectLabels(async (path) => {
    const file = `image=@${path};filename="photo \\"ü\\".jpg"`;
    return (await run("curl", ["--silent", "--show-error", url, "-F", "top=2", "-F", file])).stdout;
  });
});

it.skipIf(missing.go)("Go's mime/multipart, as eKuiper's sink writes a form", async () => {
  const program = join(folder, "client");
  await run("go", ["build", "-trimpath", "-o", program, join(CLIENTS, "main.go")], {
    cwd: folder,
    env: goEnvironment(),
  });
  await expectLabels(async (path) => (await run(program, [url, path])).stdout);
});

describe.skipIf(missing.python)("Python's", () => {
  it.each(["requests", "httpx", "aiohttp"])("%s", async (client) => {
    const python = join(pythonPrograms("form-clients", PACKAGES), "python");
    await expectLabels(async (path) => (await run(python, [join(CLIENTS, "main.py"), client, url, path])).stdout);
  });
});

it("Node's FormData", async () => {
  await expectLabels(async (path) => {
    const form = new FormData();
    form.append("top", "2");
    form.append("image", new Blob([read(path)], { type: "image/jpeg" }), 'photo "ü".jpg');
    return (await fetch(url, { method: "POST", body: form })).text();
  });
});

describe.skipIf(missing.chromium)("Chromium's", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  it("FormData", async () => {
    const page = await browser.newPage();
    await page.goto(labeler.url);
    await expectLabels((path) =>
      page.evaluate(
        async (base64) => {
          const form = new FormData();
          form.append("top", "2");
          const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
          form.append("image", new File([bytes], 'photo "ü".jpg', { type: "image/jpeg" }));
          return (await fetch("/label", { method: "POST", body: form })).text();
        },
        Buffer.from(read(path)).toString("base64"),
      ),
    );
    await page.close();
  });
});

it(".NET's HttpClient, by its bytes", async () => {
  // MultipartFormDataContent: a boundary in quotes, names without them, the file's name once more as RFC 5987 has it.
  const boundary = "4b39ed14-752b-480a-9846-fc0019132d15";
  await expectLabels(async (path) => {
    const head = [
      `--${boundary}`,
      "Content-Type: text/plain; charset=utf-8",
      "Content-Disposition: form-data; name=top",
      "",
      "2",
      `--${boundary}`,
      "Content-Type: image/jpeg",
      `Content-Disposition: form-data; name=image; filename="=?utf-8?B?${Buffer.from("photo ü.jpg").toString("base64")}?="; filename*=utf-8''photo%20%C3%BC.jpg`,
      "",
      "",
    ].join("\r\n");
    const body = Buffer.concat([Buffer.from(head), read(path), Buffer.from(`\r\n--${boundary}--\r\n`)]);
    const type = `multipart/form-data; boundary="${boundary}"`;
    return (await post(url, new Uint8Array(body), { "content-type": type })).text();
  });
});
