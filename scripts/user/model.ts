/** `npm run model -- list|add|check|explain|remove`: the models in model-assets/. */
import type { IndexEntry } from "../../worker/model/index-entry.ts";
import { indexModels, MODELS } from "../build/model-index.ts";
import { CommandError, fromUser, runCommand, UsageError, type Values } from "../command-line/command.ts";
import { startWorkerd } from "../labeler/workerd.ts";
import { explainModel } from "./model/explain.ts";
import { explanation } from "./model/explanation.ts";
import { addModel, nameOf, removeModel } from "./model/folder.ts";

const usage = `npm run model -- COMMAND

  list                          what is installed
  add FILE [--labels F] [--spec model.json] [--name N]
                                puts a .tflite classifier into ${MODELS}/
  check [NAME …]                whether models can be used: reads them, and labels an image with each
  explain NAME [--precision P] [--json]
                                how a model is computed here: kernel, shapes, bytes and time of each step
  remove NAME                   takes a model out of ${MODELS}/

  --models FOLDER               another folder than ${MODELS}/`;

const options = {
  labels: { type: "string" },
  spec: { type: "string" },
  name: { type: "string" },
  models: { type: "string" },
  precision: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1)} MB`;

/** The range that pixels come to, of the first channel: "-1…1". */
function range({ type, normalization }: NonNullable<IndexEntry["input"]>): string {
  if (normalization === undefined) return type === "int8" ? "-128…127" : "0…255";
  const [[mean], [std]] = [normalization.mean, normalization.std];
  return [0, 255].map((pixel) => Number(((pixel - mean) / std).toFixed(2))).join("…");
}

function row({ name, bytes, input, classes, precisions, error }: IndexEntry): string[] {
  if (error !== undefined) return [name, megabytes(bytes), "–", "–", `not usable: ${error}`];
  const size =
    input === undefined ? "–" : `${input.width}×${input.height} ${input.layout} ${input.type} ${range(input)}`;
  return [name, megabytes(bytes), size, `${classes}`, (precisions ?? []).join(", ")];
}

function print(entries: readonly IndexEntry[]): void {
  const rows = [["MODEL", "SIZE", "INPUT", "CLASSES", "PRECISIONS"], ...entries.map(row)];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  for (const cells of rows)
    console.log(
      cells
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

/** A picture of 2 × 2 grey pixels. */
const PICTURE = Buffer.from(
  "Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAgICAgICAAACAgICAgIAAAA==",
  "base64",
);

/** Runs each model in a local workerd. @returns Whether all can be used. */
async function check(models: string, names: readonly string[]): Promise<boolean> {
  const entries = await indexModels(models);
  const unknown = names.find((name) => !entries.some((entry) => entry.name === name));
  if (unknown !== undefined)
    throw new CommandError(`There is no model "${unknown}"; npm run model -- list shows what there is.`, 1);
  const chosen = entries.filter(({ name }) => names.length === 0 || names.includes(name));
  if (chosen.length === 0) throw new CommandError(`There are no models in ${models}.`, 1);
  const server = await startWorkerd({ models, settings: { DEFAULT_MODEL: chosen[0]?.name ?? "" } });
  let all = true;
  try {
    for (const { name, error } of chosen) {
      const response =
        error === undefined
          ? await fetch(`${server.url}/label?model=${name}`, { method: "POST", body: PICTURE })
          : undefined;
      const text = await response?.text();
      const reason =
        error ?? (response?.ok ? undefined : ((JSON.parse(text ?? "{}") as { detail?: string }).detail ?? text));
      if (reason !== undefined) all = false;
      console.log(`${name}: ${reason === undefined ? "can be used" : `cannot be used. ${reason}`}`);
    }
  } finally {
    await server.stop();
  }
  return all;
}

async function main(values: Values<typeof options>, [command, ...names]: readonly string[]): Promise<number> {
  const [first] = names;
  const models = values.models === undefined ? MODELS : fromUser(values.models);
  if (command === "list" && names.length === 0) {
    print(await indexModels(models));
  } else if (command === "add" && first !== undefined && names.length === 1) {
    const { labels, spec, name = nameOf(first) } = values;
    const added = await addModel(models, { file: first, labels, spec, name });
    print([added]);
    console.log(`\nUse it: POST /label?model=${added.name}, or npm run label -- --model ${added.name} photo.jpg`);
  } else if (command === "check") {
    return (await check(models, names)) ? 0 : 1;
  } else if (command === "explain" && first !== undefined && names.length === 1) {
    const explained = await explainModel(models, first, values.precision);
    console.log(values.json ? JSON.stringify(explained, undefined, 2) : explanation(explained));
  } else if (command === "remove" && first !== undefined && names.length === 1) {
    await removeModel(models, first);
    console.log(`Removed ${first}. If DEFAULT_MODEL in wrangler.toml names it, set another there.`);
  } else {
    const wrong = command === undefined ? "There is no command." : `What is "${[command, ...names].join(" ")}"?`;
    throw new UsageError(`${wrong} The commands are list, add FILE, check, explain NAME and remove NAME.`);
  }
  return 0;
}

await runCommand({ usage, options, operands: Number.POSITIVE_INFINITY }, main);
