/**
 * Makes one file of the try-it page: the style and script of worker/page/ go into its HTML, and their digests into its
 * policy.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { writeIfNew } from "./write-if-new.ts";

const OUTPUT = "worker/page/page.bundle.js";

const sha256 = (text: string) => createHash("sha256").update(text).digest("base64");

async function minified(entry: string): Promise<string> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    write: false,
    logLevel: "warning",
  });
  return (outputFiles[0]?.text ?? "").trim();
}

/** Writes worker/page/page.bundle.js, unless it is right already, so that watchers do not react. */
export async function bundlePage(): Promise<void> {
  const [template, style, script] = await Promise.all([
    readFile("worker/page/index.html", "utf8"),
    minified("worker/page/style.css"),
    minified("worker/page/main.ts"),
  ]);
  if (/<\/script/i.test(script)) throw new Error("The page's script would end its own element.");
  const html = template.replace("/*style*/", () => style).replace("/*script*/", () => script);
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${sha256(script)}'`,
    `style-src 'sha256-${sha256(style)}'`,
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  const values = { html, policy, etag: `"${createHash("sha256").update(html).digest("hex").slice(0, 32)}"` };
  const code = Object.entries(values).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`);
  await writeIfNew(OUTPUT, code.join(""));
}
