/** `npm run label -- IMAGES`: labels files without a running server, by the same code in a local workerd. */

import { runCommand, UsageError, type Values } from "../command-line/command.ts";
import { inOrder } from "../command-line/in-order.ts";
import { Progress } from "../command-line/progress.ts";
import { type Answer, csv, json, table } from "./label/answers.ts";
import { ask, type Server } from "./label/ask.ts";
import { type Image, imagesOfAll } from "./label/images.ts";
import { readSecret } from "./read-secret.ts";

const usage = `npm run label -- [options] FILE|FOLDER|PATTERN|- …

Labels images; - reads one from stdin.

  --model NAME      the model, instead of the default (npm run model -- list)
  --top N           the most labels for an image (3)
  --min X           the lowest confidence, 0 to 1 (0)
  --crop C          squash, center or a rectangle x0,y0,x1,y1 in fractions of the upright image
  --region R        a region that is labelled by itself: NAME:x0,y0,x1,y1, or the NAME of one of the model's; repeatable
  --precision P     exact, fast or quantised
  --scale S         full or auto: whether JPEGs may be decoded at a smaller scale
  --exif E          apply or ignore: the orientation stored in the file
  --json | --csv    output for programs, instead of a table
  --url URL         a labeler that is running; its token is read from LABELER_TOKEN

Exits with 0 if every image was labelled, 1 if one was not, 2 if the labeler could not be asked.`;

const options = {
  model: { type: "string" },
  top: { type: "string", default: "3" },
  min: { type: "string" },
  crop: { type: "string" },
  region: { type: "string", multiple: true },
  precision: { type: "string" },
  scale: { type: "string" },
  exif: { type: "string" },
  json: { type: "boolean" },
  csv: { type: "boolean" },
  url: { type: "string" },
} as const;

async function main(values: Values<typeof options>, names: readonly string[]): Promise<number> {
  if (names.length === 0) throw new UsageError("Name at least one image.");
  if (values.json && values.csv) throw new UsageError("--json and --csv exclude each other.");
  const images = await imagesOfAll(names);
  const query = new URLSearchParams();
  for (const name of ["model", "top", "min", "crop", "precision", "scale", "exif"] as const) {
    const value = values[name];
    if (value !== undefined) query.set(name, value);
  }
  for (const region of values.region ?? []) query.append("region", region);
  if (values.url !== undefined) {
    if (!/^https?:\/\//.test(values.url))
      throw new UsageError(`--url ${values.url} is not an http:// or https:// address.`);
    const server = { url: values.url.replace(/\/+$/, ""), token: readSecret("LABELER_TOKEN") };
    return label(server, query, images, values);
  }
  // Imported here: a labeler that runs elsewhere does not need it.
  const { startWorkerd } = await import("../labeler/workerd.ts");
  const server = await startWorkerd();
  try {
    return await label({ url: server.url, token: undefined }, query, images, values);
  } finally {
    await server.stop();
  }
}

async function label(
  server: Server,
  query: URLSearchParams,
  images: readonly Image[],
  form: { json?: boolean; csv?: boolean },
): Promise<number> {
  const printer = form.json ? json : form.csv ? csv : table(images.map(({ name }) => name));
  const progress = new Progress(images.length);
  let failed = 0;
  const take = (answer: Answer, index: number) => {
    if (answer.error !== undefined) failed++;
    progress.clear();
    process.stdout.write((index === 0 ? printer.head : "") + printer.answer(answer, index));
    progress.show(index + 1);
  };
  progress.show(0);
  try {
    await inOrder(images, (image) => ask(server, query, image), take);
  } finally {
    progress.clear();
  }
  process.stdout.write(printer.foot);
  return failed > 0 ? 1 : 0;
}

await runCommand({ usage, options, operands: Number.POSITIVE_INFINITY }, main);
