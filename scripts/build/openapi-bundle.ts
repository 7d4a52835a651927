/** Generates the OpenAPI document and its page before the Worker starts: neither changes while it runs. */
import { createHash } from "node:crypto";
import { openApiDocument } from "./openapi/document.ts";
import { docsPage } from "./openapi/page.ts";
import { writeIfNew } from "./write-if-new.ts";

const OUTPUT = "worker/openapi/openapi.bundle.js";

/** Writes worker/openapi/openapi.bundle.js, unless it is right already, so that watchers do not react. */
export async function bundleOpenApi(): Promise<void> {
  const document = openApiDocument();
  const { html, style } = docsPage(document);
  const digest = createHash("sha256").update(style).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  const values = { openapi: JSON.stringify(document), docs: html, policy };
  await writeIfNew(
    OUTPUT,
    Object.entries(values)
      .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`)
      .join(""),
  );
}
