/** Labels a few very different photos with a model, to see whether and how its answers depend on them. */
import { readdirSync, readFileSync } from "node:fs";

/** Photos of 128 × 128 pixels of very different things. */
const PICTURES = new URL("pictures/", import.meta.url);

interface Label {
  readonly label: string;
  readonly confidence: number;
}

export interface Dependence {
  /** The largest difference between any two pictures in the confidence of any label, 0..1. */
  readonly largest: number;
  /** The mean over all pairs of pictures of the confidence that lies on other labels, 0..1. */
  readonly mean: number;
  /** The mean confidence of the top-1 label. */
  readonly confidence: number;
}

const pictures = (): Uint8Array<ArrayBuffer>[] =>
  readdirSync(PICTURES)
    .sort()
    .map((name) => new Uint8Array(readFileSync(new URL(name, PICTURES))));

export const countPictures = (): number => readdirSync(PICTURES).length;

/** The labels of one picture. @throws Error with the labeler's reason. */
async function labelsOf(url: string, model: string, body: Uint8Array<ArrayBuffer>): Promise<Label[]> {
  const response = await fetch(`${url}/label?model=${encodeURIComponent(model)}&top=100000`, { method: "POST", body });
  const text = await response.text();
  if (response.ok) {
    const answer = JSON.parse(text) as Label[] | { readonly regions: Record<string, Label[]> };
    return Array.isArray(answer) ? answer : Object.values(answer.regions).flat();
  }
  let detail: string | undefined;
  try {
    ({ detail } = JSON.parse(text) as { detail?: string });
  } catch {
    // The answer is not problem details: its text is the reason.
  }
  throw new Error(detail ?? text);
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

function dependence(answers: readonly (readonly Label[])[]): Dependence {
  const byLabel = answers.map((answer) => new Map(answer.map(({ label, confidence }) => [label, confidence])));
  const labels = [...new Set(byLabel.flatMap((answer) => [...answer.keys()]))];
  const pairs = byLabel.flatMap((a, i) => byLabel.slice(i + 1).map((b) => [a, b] as const));
  const differences = pairs.map(([a, b]) => labels.map((label) => Math.abs((a.get(label) ?? 0) - (b.get(label) ?? 0))));
  return {
    largest: Math.max(0, ...differences.map((row) => row.reduce((most, value) => Math.max(most, value), 0))),
    mean: mean(differences.map((row) => row.reduce((sum, value) => sum + value, 0) / 2)),
    confidence: mean(answers.map((answer) => answer[0]?.confidence ?? 0)),
  };
}

/** How a model's answers depend on the pictures. @throws Error with the labeler's reason if it gives no answer. */
export async function dependenceOf(url: string, model: string): Promise<Dependence> {
  const answers: Label[][] = [];
  for (const picture of pictures()) answers.push(await labelsOf(url, model, picture));
  return dependence(answers);
}
