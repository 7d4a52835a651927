/** `npm run model -- list|add|check|explain|survey|teach|statistics|remove`: manages the models. */
import { indexModels } from "../build/model-index.ts";
import { fromUser, runCommand, UsageError, type Values } from "../command-line/command.ts";
import { modelsFolder, modelsToChange, modelsToRead } from "../labeler/folders.ts";
import { checkModels } from "./model/check.ts";
import { explainModel } from "./model/explain.ts";
import { explanation } from "./model/explanation.ts";
import { addModel, nameOf, removeModel } from "./model/folder.ts";
import { printModels } from "./model/list.ts";
import { improveGuess } from "./model/raw-pixels.ts";
import { trySamples } from "./model/samples.ts";
import { makeStatistics } from "./model/statistics.ts";
import { survey, surveyText } from "./model/survey.ts";
import { teach } from "./model/teach.ts";

const usage = `npm run model -- COMMAND

  list                          what is installed
  add FILE [--labels F] [--spec model.json] [--name N] [--samples PHOTOS/]
                                puts a classifier into the folder of models: a .tflite, a Keras model (.h5, .keras), a
                                model of TensorFlow.js (model.json, or its folder), or a zip of Teachable Machine;
                                labels are looked for inside and beside it, as lines, JSON, CSV or pbtxt
  add FILE.json [--labels F] [--groups F] [--name N]
                                puts a model there that derives from another one, which the file names as its base
  check [NAME …]                whether models can be used: reads them, and labels some pictures with each
  check NAME --samples PHOTOS/  tries input ranges, orders of colours and crops on photos of known class (a folder for
                                each), and writes the best into model.json
  explain NAME [--precision P] [--plain] [--json]
                                how a model is computed here: kernel, shapes, bytes and time of each step; with
                                --plain as on a processor that has no dot product of bytes
  survey FOLDER [--json]        what would become of all models in a folder: accepted or refused and why, range known or
                                guessed, answers that depend on the picture, agreement with LiteRT where Python has it
  teach NAME PHOTOS             teaches a model your own classes with photos: PHOTOS has a folder for each class
  teach NAME --class open open/*.jpg --class closed closed/*.jpg
                                the same, of files; again with more photos takes seconds
  teach NAME add CLASS FILE … | move CLASS FILE … | remove FILE …
                                adds photos, gives them another class, or takes them out; a photo whose file is gone
                                is named by the beginning of its SHA-256
    --base NAME                 the model whose features are used (efficientnet_lite0)
    --crop C                    how photos are fitted to its input, or which part of them: squash (the default), center,
                                or x0,y0,x1,y1 in fractions
    --precision P               in which arithmetic it is computed
    --regions                   crops photos of the whole scene by the regions of NAME's model.json. PHOTOS with a
                                folder for each class serves all regions; with bay1/free/, bay2/taken/ and so on each
                                region is taught apart, as with --class bay1/free and add bay1/free FILE
  statistics NAME FOLDER --source TEXT [--crop C]
                                writes features.json, by which \`teach\` compares photos, from 500 photos or more of
                                many kinds, which need no labels
  remove NAME                   takes a model out of the folder of models

  --models FOLDER               another folder of models than ${modelsFolder}`;

const options = {
  labels: { type: "string" },
  samples: { type: "string" },
  spec: { type: "string" },
  groups: { type: "string" },
  name: { type: "string" },
  models: { type: "string" },
  precision: { type: "string" },
  json: { type: "boolean", default: false },
  plain: { type: "boolean", default: false },
  source: { type: "string" },
  crop: { type: "string" },
  base: { type: "string" },
  class: { type: "string", multiple: true },
  regions: { type: "boolean", default: false },
} as const;

/** The commands that do not change a model, unless `--samples` has `check` write what it found. */
const READING: readonly (string | undefined)[] = ["list", "check", "explain", "survey"];

/** The commands that need the name of a file, a folder or a model. */
const NAMING = ["add", "explain", "survey", "teach", "statistics", "remove"];

async function main(values: Values<typeof options>, [command, ...names]: readonly string[]): Promise<number> {
  const [first] = names;
  const ownModels = READING.includes(command) && values.samples === undefined ? modelsToRead : modelsToChange;
  const models = values.models === undefined ? ownModels() : fromUser(values.models);
  if (command === "list" && names.length === 0) {
    printModels(await indexModels(models));
  } else if (command === "add" && first !== undefined && names.length === 1) {
    const { labels, spec, groups, name = nameOf(first) } = values;
    const added = await addModel(models, { file: first, labels, spec, groups, name });
    printModels([values.samples === undefined ? await improveGuess(models, added) : added]);
    if (values.samples !== undefined) await trySamples(models, added.name, values.samples);
    console.log(`\nUse it: POST /label?model=${added.name}, or npm run label -- --model ${added.name} photo.jpg`);
  } else if (command === "check") {
    if (values.samples === undefined) return (await checkModels(models, names)) ? 0 : 1;
    if (first === undefined || names.length > 1)
      throw new UsageError("--samples is for one model: check NAME --samples PHOTOS/.");
    await trySamples(models, first, values.samples);
  } else if (command === "explain" && first !== undefined && names.length === 1) {
    const explained = await explainModel(models, first, values);
    console.log(values.json ? JSON.stringify(explained, undefined, 2) : explanation(explained));
  } else if (command === "survey" && first !== undefined && names.length === 1) {
    const surveyed = await survey(first);
    console.log(values.json ? JSON.stringify(surveyed, undefined, 2) : surveyText(surveyed));
  } else if (command === "teach" && first !== undefined) {
    await teach(models, first, names.slice(1), values, { args: process.argv.slice(2), options });
  } else if (command === "statistics" && first !== undefined && names.length === 2) {
    const { source, crop = "squash" } = values;
    if (source === undefined) throw new UsageError("--source says where the photos are from, for features.json.");
    const made = await makeStatistics(models, first, names[1] ?? "", { source, crop });
    console.log(`Wrote ${made.path}, of ${made.photos} photos.`);
  } else if (command === "remove" && first !== undefined && names.length === 1) {
    await removeModel(models, first);
    console.log(`Removed ${first}. If DEFAULT_MODEL in wrangler.toml names it, set another there.`);
  } else {
    const wrong =
      command === undefined
        ? "Name a command."
        : names.length === 0 && NAMING.includes(command)
          ? `${command} does not say of what.`
          : `"${[command, ...names].join(" ")}" is not a command.`;
    throw new UsageError(
      `${wrong} The commands are list, add FILE, check, explain NAME, survey FOLDER, teach NAME, statistics NAME and remove NAME.`,
    );
  }
  return 0;
}

await runCommand({ usage, options, operands: Number.POSITIVE_INFINITY }, main);
