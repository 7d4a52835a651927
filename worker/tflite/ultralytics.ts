/**
 * What Ultralytics packs behind the models that it exports: metadata.json, or in older versions meta.txt with a dictionary
 * as Python prints it. Source: add_tflite_metadata() in ultralytics/engine/exporter.py.
 */

interface UltralyticsMetadata {
  readonly description: string | undefined;
  /** A line for each class. */
  readonly labels: string;
}

/** Bounded, so that quotes that are never closed take no time. */
const QUOTED = /"((?:[^"\\]|\\.){0,500})"|'((?:[^'\\]|\\.){0,500})'/.source;
const PAIR = new RegExp(`\\s*,?\\s*["']?(\\d+)["']?\\s*:\\s*(?:${QUOTED})`, "y");

/** @returns Undefined if the text is something else. */
export function readUltralytics(text: string): UltralyticsMetadata | undefined {
  if (!/["']author["']\s*:\s*["']Ultralytics["']/.test(text)) return undefined;
  const begin = /["']names["']\s*:\s*\{/.exec(text);
  if (begin === null) return undefined;
  const names: string[] = [];
  PAIR.lastIndex = begin.index + begin[0].length;
  for (let pair = PAIR.exec(text); pair !== null; pair = PAIR.exec(text)) {
    const [, number, double, single] = pair;
    if (Number(number) !== names.length) return undefined;
    names.push((double ?? single ?? "").replace(/\\(.)/g, "$1").replace(/\s+/g, " "));
  }
  const [, double, single] = new RegExp(`["']description["']\\s*:\\s*(?:${QUOTED})`).exec(text) ?? [];
  return { description: double ?? single, labels: names.join("\n") };
}
