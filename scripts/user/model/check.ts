/** `npm run model -- check`: labels a few pictures with each model, and warns if the answer hardly depends on them. */
import { readdirSync, readFileSync } from "node:fs";
import { indexModels } from "../../build/model-index.ts";
import { CommandError } from "../../command-line/command.ts";
import { startWorkerd } from "../../labeler/workerd.ts";
import { findModel } from "./installed.ts";
import { noteLines } from "./list.ts";

/** Photos of 128 × 128 pixels of very different things. */
const PICTURES = new URL("pictures/", import.meta.url);

/** A model whose confidences differ by less than this between any two pictures answers the same for every image. */
const LEAST_DIFFERENCE = 0.02;

interface Label {
  readonly label: string;
  readonly confidence: number;
}

const pictures = (): Uint8Array<ArrayBuffer>[] =>
  readdirSync(PICTURES)
    .sort()
    .map((name) => new Uint8Array(readFileSync(new URL(name, PICTURES))));

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

/** The largest difference between the pictures in the confidence of any label. */
function dependence(answers: readonly (readonly Label[])[]): number {
  const ranges = new Map<string, [low: number, high: number]>();
  for (const answer of answers) {
    for (const { label, confidence } of answer) {
      const [low, high] = ranges.get(label) ?? [confidence, confidence];
      ranges.set(label, [Math.min(low, confidence), Math.max(high, confidence)]);
    }
  }
  return Math.max(...[...ranges.values()].map(([low, high]) => high - low));
}

/** Whether a model's answers to the pictures differ. @throws Error with the labeler's reason if it gives no answer. */
export async function dependsOnPicture(url: string, model: string): Promise<boolean> {
  const answers: Label[][] = [];
  for (const picture of pictures()) answers.push(await labelsOf(url, model, picture));
  return dependence(answers) >= LEAST_DIFFERENCE;
}

/** @returns Whether all models can be used. */
export async function checkModels(models: string, names: readonly string[]): Promise<boolean> {
  const entries = await indexModels(models);
  for (const name of names) findModel(entries, name);
  const chosen = entries.filter(({ name }) => names.length === 0 || names.includes(name));
  if (chosen.length === 0) throw new CommandError(`There are no models in ${models}.`, 1);
  const server = await startWorkerd({ models, settings: { DEFAULT_MODEL: chosen[0]?.name ?? "" } });
  let all = true;
  try {
    for (const entry of chosen) {
      const { name } = entry;
      try {
        if (entry.error !== undefined) throw new Error(entry.error);
        const depends = await dependsOnPicture(server.url, name);
        console.log(`${name}: can be used`);
        if (!depends) {
          console.log(
            `${name}: Warning: it answers ${pictures().length} very different pictures alike. Its ` +
              `input range is probably wrong. Find out: npm run model -- check ${name} --samples PHOTOS/`,
          );
        }
      } catch (error) {
        all = false;
        console.log(`${name}: cannot be used. ${(error as Error).message}`);
        continue;
      }
      for (const line of noteLines(entry)) console.log(line);
    }
  } finally {
    await server.stop();
  }
  return all;
}
