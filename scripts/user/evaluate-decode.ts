/**
 * `npm run evaluate:decode -- DIR`: compares how the labeler decodes any files with Pillow and native TensorFlow Lite.
 */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { indexModels, inspectFolder, MODELS } from "../build/model-index.ts";
import { CommandError, countIn, fromUser, runCommand, UsageError, type Values } from "../command-line/command.ts";
import { Progress } from "../command-line/progress.ts";
import { readDeclared } from "../labeler/declared.ts";
import { NoPython, pythonPrograms, REFERENCES } from "../system/python.ts";
import { type Bench, evaluateFile } from "./evaluate-decode/evaluate-file.ts";
import { filesIn } from "./evaluate-decode/files.ts";
import { PixelProcess } from "./evaluate-decode/pixels.ts";
import { Product } from "./evaluate-decode/product.ts";
import { ReferenceProcess, type Task, type Versions, whyNoReference } from "./evaluate-decode/reference.ts";
import { report, summaryOf } from "./evaluate-decode/report.ts";
import { Totals } from "./evaluate-decode/totals.ts";

/** Another version of Pillow may decode to other pixels. */
const PILLOW = "12.2";

const usage = `npm run evaluate:decode -- [options] DIR

Decodes and labels every file in DIR, whatever its name, with the labeler and with Pillow and native TensorFlow Lite,
and compares pixels, top-1 labels, confidences and refusals. Also compares scale=auto with full scale. Damaged or
hostile files do not stop it.

The first run installs Pillow ${PILLOW} and TensorFlow Lite from PyPI into .cache/python. If that fails, the
command uses python3 with its installed packages, and without Python compares the labeler only with itself.

  --model NAME      the model, instead of the default (npm run model -- list)
  --models FOLDER   the folder of models (${MODELS})
  --crop C          squash or center (squash)
  --exif E          apply or ignore: the orientation stored in the file (apply)
  --python PROGRAM  a Python with Pillow, numpy and, for labels, ai-edge-litert, tflite-runtime or tensorflow
  --no-python       compares the labeler only with itself
  --timeout N       the most seconds for a file (60)
  --json            one object with every exception, instead of tables

Exits with 0 if the labeler answered everything and every undamaged file has the reference's pixels and confidences
within 1e-5, 1 if not, 2 if nothing could be done.`;

const options = {
  model: { type: "string" },
  models: { type: "string" },
  crop: { type: "string", default: "squash" },
  exif: { type: "string", default: "apply" },
  python: { type: "string" },
  "no-python": { type: "boolean" },
  timeout: { type: "string", default: "60" },
  json: { type: "boolean" },
} as const;

function oneOfTwo<A extends string, B extends string>(name: string, value: string, first: A, second: B): A | B {
  if (value === first) return first;
  if (value === second) return second;
  throw new UsageError(`--${name} ${value}: there is ${first} and ${second}.`);
}

async function tryReference(python: string, task: Task, timeoutMs: number) {
  const reason = whyNoReference(python);
  if (reason !== undefined) throw new NoPython(reason);
  const process = new ReferenceProcess(python, task, timeoutMs);
  return { process, versions: await process.start() };
}

/** Chooses a Python: the one that was named, else the first that has all modules, else any. */
async function startReference(
  { python, "no-python": none }: Values<typeof options>,
  task: Task,
  timeoutMs: number,
): Promise<{ process: ReferenceProcess; versions: Versions } | undefined> {
  if (none) return undefined;
  const candidates =
    python === undefined
      ? [() => join(pythonPrograms("references", REFERENCES), "python"), () => "python3"]
      : [() => python];
  for (const candidate of candidates) {
    try {
      const reference = await tryReference(candidate(), task, timeoutMs);
      const { pillow, tflite } = reference.versions;
      if (!pillow.startsWith(`${PILLOW}.`)) {
        console.error(`Pillow is ${pillow}: only ${PILLOW} is known to have the labeler's pixels.`);
      }
      if (tflite === null) console.error("Confidences are not compared: Python has no TensorFlow Lite for the model.");
      return reference;
    } catch (error) {
      if (!(error instanceof NoPython)) throw error;
      console.error(error.message);
    }
  }
  console.error("Nothing is compared with Pillow and TensorFlow Lite: no Python with them was found.");
  return undefined;
}

async function main(values: Values<typeof options>, [folder]: readonly string[]): Promise<number> {
  if (folder === undefined) throw new UsageError("Name a folder of files.");
  const crop = oneOfTwo("crop", values.crop, "squash", "center");
  const exif = oneOfTwo("exif", values.exif, "apply", "ignore");
  const timeoutMs = countIn("timeout", values.timeout) * 1000;
  const found = await stat(fromUser(folder)).catch(() => undefined);
  if (!found?.isDirectory()) throw new CommandError(`${folder} is not a folder.`);
  const models = values.models === undefined ? MODELS : fromUser(values.models);
  const { vars } = await readDeclared();
  const model = values.model ?? vars.DEFAULT_MODEL ?? "";
  const entries = await indexModels(models);
  const entry = entries.find(({ name }) => name === model);
  if (entry === undefined) {
    const names = entries.map(({ name }) => name).join(", ");
    throw new CommandError(`There is no model "${model}". There are: ${names || "none"}.`);
  }
  if (entry.error !== undefined) throw new CommandError(entry.error);
  const { input, output, labels } = await inspectFolder(models, model);
  const { width, height, layout, normalization } = input;
  const decoding = { width, height, crop, exif, maxPixels: Number(vars.MAX_PIXELS) };
  const task: Task = {
    ...decoding,
    model: layout === "grey" ? null : resolve(join(models, model, "model.tflite")),
    normalization: normalization ?? null,
    planes: layout === "planes",
    logits: output === "logits",
    labels: labels.length,
  };
  const precision = entry.precisions?.includes("exact") ? "exact" : (entry.precision ?? "exact");
  const reference = await startReference(values, task, timeoutMs);
  const bench: Bench = {
    product: new Product(models, model, timeoutMs),
    pixels: new PixelProcess(timeoutMs),
    reference: reference?.process,
    labels,
    query: { precision, crop, exif, top: String(labels.length) },
    task: decoding,
    maxBytes: Number(vars.MAX_BODY_BYTES),
  };
  const totals = new Totals();
  try {
    await Promise.all([bench.product.start(), bench.pixels.start()]);
    await evaluate(fromUser(folder), bench, totals);
  } finally {
    await Promise.all([bench.product.stop(), bench.pixels.stop(), bench.reference?.stop()]);
  }
  if (totals.files === 0) throw new CommandError(`${folder} has no files in it that can be read.`);
  const versions = reference?.versions;
  if (values.json) {
    const about = { model, precision, crop, exif, reference: versions };
    console.log(JSON.stringify({ ...about, ...summaryOf(totals) }, undefined, 2));
  } else {
    const compared =
      versions && `Pillow ${versions.pillow}${versions.tflite === null ? "" : ` and ${versions.tflite}`}`;
    console.log(report(totals, `${model} ${precision}`, compared));
  }
  return totals.passed ? 0 : 1;
}

async function evaluate(folder: string, bench: Bench, totals: Totals): Promise<void> {
  const progress = new Progress();
  const trouble = (file: string, reason: string) => totals.unread.push({ file, reason });
  try {
    for await (const file of filesIn(folder, trouble)) {
      const result = await evaluateFile(bench, file);
      if (result !== undefined) totals.add(result);
      progress.show(totals.files);
    }
  } finally {
    progress.clear();
  }
}

await runCommand({ usage, options, operands: 1 }, main);
