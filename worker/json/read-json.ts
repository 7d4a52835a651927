/** Parses JSON bodies: the only place that parses a caller's JSON. Long texts and tensors in it stay bytes. */
import type * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import type { Execute } from "../runtime/execute.ts";
import { checkSchema } from "../validation/schema-messages.ts";
import type { JsonLimits } from "./json-limits.ts";
import { JsonScan, type Span } from "./json-scan.ts";

/** The reason in an error of JSON.parse(), without the text around the place, which V8 adds after it. */
const reasonOf = (error: unknown): string =>
  (error as Error).message.replace(/(, (\.\.\.)?"| in JSON at position ).*$/s, "");

/**
 * The JSON with a short text in place of each span.
 *
 * @param mark The prefix of these texts; the span's number follows.
 */
function withoutSpans(bytes: Uint8Array, spans: readonly Span[], mark: string): Uint8Array {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [index, { start, end }] of spans.entries()) {
    parts.push(bytes.subarray(at, start), encoder.encode(`"${mark}${index}"`));
    at = end;
  }
  parts.push(bytes.subarray(at));
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let written = 0;
  for (const part of parts) {
    joined.set(part, written);
    written += part.length;
  }
  return joined;
}

function parse(bytes: Uint8Array, spans: readonly Span[]): unknown {
  if (spans.length === 0) return JSON.parse(new TextDecoder().decode(bytes));
  // A caller cannot guess it, so no text of a caller can be mistaken for a span.
  const mark = `${crypto.randomUUID()}:`;
  const revive = (_: string, value: unknown): unknown =>
    typeof value === "string" && value.startsWith(mark) ? spans[Number(value.slice(mark.length))]?.value : value;
  return JSON.parse(new TextDecoder().decode(withoutSpans(bytes, spans, mark)), revive);
}

/**
 * Reads JSON within limits and without blocking the isolate's thread for long, whatever a caller sends.
 *
 * @returns The output of the schema. Strings of more than LONG_TEXT bytes are a LongText, and lists of numbers in the
 *   tensor field a NumberList.
 * @throws LabelerError of kind bad-body, or body-too-large, that names the limit, the place in the syntax or the field.
 * @example const { inputs } = await readJson(body, CLASSIFICATION_JSON, classificationRequest, execute);
 */
export async function readJson<T extends z.ZodMiniType>(
  bytes: Uint8Array,
  limits: JsonLimits,
  schema: T,
  execute: Execute,
): Promise<z.infer<T>> {
  const scan = new JsonScan(bytes, limits);
  while (!(await execute(1, () => scan.advance())));
  const kilobytes = (bytes.length - scan.spans.reduce((sum, { start, end }) => sum + end - start, 0)) >> 10;
  return execute(1 + (kilobytes >> 5), () => {
    let json: unknown;
    try {
      json = parse(bytes, scan.spans);
    } catch (error) {
      const { subject, advice } = limits;
      throw new LabelerError("bad-body", `${subject} is not valid JSON: ${reasonOf(error)}. ${advice}`, {
        cause: error,
      });
    }
    return checkSchema(schema, json, (faults) => new LabelerError("bad-body", `${limits.subject}, ${faults}.`));
  });
}
