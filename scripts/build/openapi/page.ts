/** Renders /docs: the OpenAPI document as a page that needs no script and nothing from other servers. */

type Json = Record<string, unknown>;

const escaped = (text: unknown): string =>
  String(text).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** HTML of a text with `code` in it. */
const prose = (text: unknown): string => escaped(text ?? "").replace(/`([^`]+)`/g, "<code>$1</code>");

const SHORTENED = 60;

/** An example with its long strings (images in base64) shortened. */
const example = (value: unknown): string =>
  escaped(
    JSON.stringify(
      value,
      (_, v) => (typeof v === "string" && v.length > SHORTENED ? `${v.slice(0, SHORTENED)}…` : v),
      2,
    ),
  );

function typeOf(schema: Json | undefined): string {
  if (schema === undefined) return "";
  const { type, enum: values, $ref, minimum, maximum, default: preset, anyOf, format } = schema;
  if (typeof $ref === "string") {
    const name = $ref.split("/").at(-1) ?? "";
    return `<a href="#schema-${escaped(name)}">${escaped(name)}</a>`;
  }
  if (Array.isArray(anyOf)) return anyOf.map((each) => typeOf(each as Json)).join(" or ");
  const items = type === "array" ? ` of ${typeOf(schema.items as Json)}` : "";
  const parts = [
    Array.isArray(values)
      ? values.map((value) => `<code>${escaped(value)}</code>`).join(", ")
      : escaped(type ?? "anything") + items,
    minimum !== undefined && maximum !== undefined && `${minimum} to ${maximum}`,
    minimum !== undefined && maximum === undefined && `from ${minimum}`,
    minimum === undefined && maximum !== undefined && `up to ${maximum}`,
    format && escaped(format),
    preset !== undefined && `default <code>${escaped(preset)}</code>`,
  ];
  return parts.filter(Boolean).join("; ");
}

function parameters(list: readonly Json[] = []): string {
  if (list.length === 0) return "";
  const rows = list.map(
    (parameter) =>
      `<tr><td><code>${escaped(parameter.name)}</code></td><td>${escaped(parameter.in)}</td><td>${prose(parameter.description)}</td><td>${typeOf(parameter.schema as Json)}</td></tr>`,
  );
  return `<table><thead><tr><th scope="col">Parameter</th><th scope="col">In</th><th scope="col">Description</th><th scope="col">Values</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function contents(content: Json | undefined): string {
  return Object.entries(content ?? {})
    .map(([type, value]) => {
      const { schema, example: shown } = value as { schema?: Json; example?: unknown };
      const code = shown === undefined ? "" : `<pre>${example(shown)}</pre>`;
      return `<p><code>${escaped(type)}</code> ${typeOf(schema)}</p>${code}`;
    })
    .join("");
}

function operation(path: string, method: string, value: Json): string {
  const { operationId, summary, description, requestBody, responses } = value as {
    operationId: string;
    summary: string;
    description?: string;
    requestBody?: { content: Json };
    responses: Record<string, { description: string; content?: Json }>;
  };
  const body = requestBody === undefined ? "" : `<h4>Body</h4>${contents(requestBody.content)}`;
  const answers = Object.entries(responses).map(([status, { description: what, content }]) =>
    Number(status) < 300
      ? `<dt>${status}</dt><dd>${prose(what)}${contents(content)}</dd>`
      : `<dt>${status}</dt><dd>${prose(what)}</dd>`,
  );
  return `<section id="${escaped(operationId)}"><h3><span class="method">${method.toUpperCase()}</span> ${escaped(path)}</h3>
<p><strong>${prose(summary)}</strong></p><p>${prose(description)}</p>
${parameters(value.parameters as Json[])}${body}<h4>Responses</h4><dl>${answers.join("")}</dl></section>`;
}

function fields(schema: Json): string {
  const {
    properties,
    anyOf,
    items,
    required = [],
  } = schema as {
    properties?: Record<string, Json>;
    anyOf?: Json[];
    items?: Json;
    required?: string[];
  };
  if (anyOf !== undefined) return anyOf.map((each) => `<div class="or">${fields(each)}</div>`).join("<p>or</p>");
  if (items !== undefined) return `<p>A list of</p>${fields(items)}`;
  if (properties === undefined) return `<p>${typeOf(schema)}</p>`;
  const rows = Object.entries(properties).map(([name, field]) => {
    const nested = field.properties !== undefined || field.items !== undefined || field.anyOf !== undefined;
    const may = required.includes(name) ? "" : " (optional)";
    return `<tr><td><code>${escaped(name)}</code>${may}</td><td>${nested ? fields(field) : typeOf(field)}</td></tr>`;
  });
  return `<table><tbody>${rows.join("")}</tbody></table>`;
}

const STYLE = `:root{color-scheme:light dark}body{max-width:60rem;margin:0 auto;padding:1rem;font:1rem/1.5 system-ui,sans-serif;background:light-dark(#f8f9fa,#141719);color:light-dark(#1b1f22,#e9ecef)}a{color:light-dark(#0b7285,#66d9e8)}section{margin:2rem 0;padding-top:.5rem;border-top:1px solid light-dark(#d5dade,#363d42)}h3{overflow-wrap:anywhere}.method{color:light-dark(#0b7285,#66d9e8)}table{width:100%;border-collapse:collapse;font-size:.9rem}th,td{padding:.3rem .5rem;border:1px solid light-dark(#d5dade,#363d42);text-align:left;vertical-align:top;overflow-wrap:anywhere}pre{padding:.75rem;background:light-dark(#fff,#1e2326);white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem}dt{font-weight:bold}dd{margin:0 0 .5rem 1rem}`;

/** @returns The page and its style, whose digest is part of the policy. */
export function docsPage(document: Json): { html: string; style: string } {
  const { info, paths, components, tags } = document as {
    info: { title: string; version: string; description: string };
    paths: Record<string, Record<string, Json>>;
    components: { schemas: Record<string, Json> };
    tags: { name: string }[];
  };
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, value]) => ({ path, method, value })),
  );
  const groups = tags.map(({ name }) => ({
    name,
    calls: all.filter(({ value }) => (value.tags as string[]).includes(name)),
  }));
  const links = groups.map(
    ({ name, calls }) =>
      `<li>${escaped(name)}<ul>${calls
        .map(
          ({ path, method, value }) =>
            `<li><a href="#${escaped(value.operationId)}">${method.toUpperCase()} ${escaped(path)}</a> ${prose(value.summary)}</li>`,
        )
        .join("")}</ul></li>`,
  );
  const sections = groups.map(
    ({ name, calls }) =>
      `<h2>${escaped(name)}</h2>${calls.map(({ path, method, value }) => operation(path, method, value)).join("\n")}`,
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<section id="schema-${escaped(name)}"><h3>${escaped(name)}</h3>${fields(schema)}</section>`,
  );
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(info.title)}: HTTP API</title><style>${STYLE}</style></head>
<body><h1>${escaped(info.title)}: HTTP API</h1>
<p>${prose(info.description)} Programs can read <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1). <a href="/">Try it</a> on the page.</p>
<nav aria-label="Calls"><ul>${links.join("")}</ul></nav>
<main>${sections.join("\n")}<h2>Schemas</h2>${schemas.join("\n")}</main></body></html>
`;
  return { html, style: STYLE };
}
