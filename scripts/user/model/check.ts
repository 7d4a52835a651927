/** `npm run model -- check`: labels a few pictures with each model, and warns if the answer hardly depends on them. */
import type { IndexEntry } from "../../../worker/model/index-entry.ts";
import type { Layout } from "../../../worker/model/layout.ts";
import { isGuess } from "../../../worker/model/notes.ts";
import { indexModels } from "../../build/model-index.ts";
import { CommandError } from "../../command-line/command.ts";
import { startWorkerd } from "../../labeler/workerd.ts";
import { findModel } from "./installed.ts";
import { noteLines } from "./list.ts";
import { countPictures, type Dependence, dependenceOf } from "./pictures.ts";
import { pixelsAreLikelier, RAW_PIXELS } from "./raw-pixels.ts";

interface Ranged {
  readonly guessed: boolean;
  readonly layout?: Layout | undefined;
}

/** A model whose confidences differ by less than this between any two pictures answers the same for every image. */
const LEAST_DIFFERENCE = 0.02;
/**
 * The same for the mean difference, where the range is a guess. Grey networks are for digits or faces, and may answer anything
 * that is neither alike.
 */
const LEAST_MEAN_DIFFERENCE = 0.1;

/** Whether the answers to very different pictures depend on the picture. */
export const isDependent = ({ largest, mean }: Dependence, { guessed, layout }: Ranged): boolean =>
  largest >= LEAST_DIFFERENCE && !(guessed && layout !== "grey" && mean < LEAST_MEAN_DIFFERENCE);

/** What to tell of a model that can be used, as lines. */
async function remarks(models: string, entry: IndexEntry, dependence: Dependence): Promise<string[]> {
  const { name } = entry;
  const lines: string[] = [];
  if (!isDependent(dependence, { guessed: isGuess(entry), layout: entry.input?.layout })) {
    lines.push(
      `${name}: Warning: it answers ${countPictures()} very different pictures alike. Its input range is probably wrong. ` +
        `Find out: npm run model -- check ${name} --samples PHOTOS/`,
    );
  }
  if (await pixelsAreLikelier(models, entry)) {
    lines.push(
      `${name}: With unscaled pixels the answers differ: it was probably trained on 0…255. Put ` +
        `{"input": ${JSON.stringify(RAW_PIXELS)}} into model.json.`,
    );
  }
  return [...lines, ...noteLines(entry)];
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
        const dependence = await dependenceOf(server.url, name);
        console.log([`${name}: can be used`, ...(await remarks(models, entry, dependence))].join("\n"));
      } catch (error) {
        all = false;
        console.log(`${name}: cannot be used. ${(error as Error).message}`);
      }
    }
  } finally {
    await server.stop();
  }
  return all;
}
