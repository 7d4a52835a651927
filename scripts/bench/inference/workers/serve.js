// The Worker around an engine: loads a model that its binding MODELS serves, and runs it as often as it is asked to.
import { decodeToInput } from "../../../../worker/image/decode.ts";
import { ByteStream } from "../../../../worker/runtime/byte-stream.ts";

const wholeBody = async (response) => new Uint8Array(await response.arrayBuffer());

/** Reads a file of a model's folder. */
const reader = (env, folder, wholeOf) => async (name) => {
  const response = await env.MODELS.fetch(`http://models/${folder}/${name}`);
  if (!response.ok) throw new Error(`${folder}/${name} could not be read`);
  return await wholeOf(response);
};

/** What the input of a model wants: see InputSpec in worker/model/inspect.ts. */
export const inputOf = async (read) => JSON.parse(new TextDecoder().decode(await read("input.json")));

/**
 * What a float engine takes for a pixel: (pixel − mean) / std, or what a quantised input's scale makes of it.
 *
 * @param planar Whether all of red comes first, then green, then blue (NCHW), instead of pixel by pixel.
 * @returns A function that fills the same array at each call.
 */
export function floats({ width, height, normalization, quantization, type }, planar = false) {
  if (type === "int8") throw new Error("int8 inputs are not looked after here");
  const table = new Float32Array(768);
  for (let pixel = 0; pixel < 256; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      table[256 * channel + pixel] =
        type === "uint8"
          ? (pixel - quantization.zeroPoint[0]) * quantization.scale[0]
          : (pixel - normalization.mean[channel]) / normalization.std[channel];
    }
  }
  const size = width * height;
  const values = new Float32Array(3 * size);
  const [step, plane] = planar ? [1, size] : [3, 1];
  return (pixels) => {
    for (let i = 0, to = 0; i < pixels.length; i += 3, to += step) {
      values[to] = table[pixels[i]];
      values[to + plane] = table[256 + pixels[i + 1]];
      values[to + 2 * plane] = table[512 + pixels[i + 2]];
    }
    return values;
  };
}

/** Pixels as they are, but all of red first, then green, then blue. */
export function bytes({ width, height }) {
  const size = width * height;
  const values = new Uint8Array(3 * size);
  return (pixels) => {
    for (let i = 0, to = 0; i < pixels.length; i += 3, to += 1) {
      values[to] = pixels[i];
      values[to + size] = pixels[i + 1];
      values[to + 2 * size] = pixels[i + 2];
    }
    return values;
  };
}

/** An image file to the pixels of an input, as the labeler does it. */
export async function decode(bytes, { width, height }) {
  const options = { width, height, crop: "squash", exif: "apply", maxPixels: 1e8, fileSize: bytes.length };
  return (await decodeToInput(new ByteStream([bytes]), options)).pixels;
}

const top = (values, labels, count) =>
  Array.from(values, (value, i) => ({ confidence: value, label: labels[i] }))
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, count);

let engine;
let labels;
let pixels;

const ROUTES = {
  /** Loads the model. */
  async "/load"({ searchParams }, env, { load, wholeOf }) {
    engine = await load(reader(env, searchParams.get("model"), wholeOf), Object.fromEntries(searchParams));
    return engine.details ?? {};
  },
  /** Runs it on these pixels, which are kept. */
  async "/run"(_url, _env, _parts, request) {
    pixels = new Uint8Array(await request.arrayBuffer());
    return Array.from(await engine.run(pixels));
  },
  /** Labels an image file, and before the first one loads the model. */
  async "/label"({ searchParams }, env, { load, decode, wholeOf }, request) {
    const read = reader(env, searchParams.get("model"), wholeOf);
    labels ??= new TextDecoder().decode(await read("labels.txt")).split("\n");
    engine ??= await load(read, Object.fromEntries(searchParams));
    const image = await decode(new Uint8Array(await request.arrayBuffer()), engine.input);
    return top(await engine.run(image), labels, 5);
  },
  /** Milliseconds of one run, on average of as many as are asked for. */
  async "/time"({ searchParams }) {
    const repeat = Number(searchParams.get("repeat"));
    const start = performance.now();
    for (let i = 0; i < repeat; i += 1) await engine.run(pixels);
    return { ms: (performance.now() - start) / repeat };
  },
};

/**
 * @param load Makes an engine of a function that reads the model's files, and of the query: `run` takes pixels, bytes
 *   [height, width, 3], and gives the numbers of the classes, or a promise of them; `input` is what the pixels have to
 *   be; `details` say what there is to say.
 * @param others What differs from the usual: `decode`, `wholeOf`, which gives the bytes of a file's response, and further
 *   routes.
 */
export const serve = (load, { decode: decodeImage = decode, wholeOf = wholeBody, ...routes } = {}) => ({
  async fetch(request, env) {
    try {
      const url = new URL(request.url);
      const route = { ...ROUTES, ...routes }[url.pathname];
      return Response.json(await route(url, env, { load, decode: decodeImage, wholeOf }, request));
    } catch (error) {
      return Response.json({ error: String(error?.stack ?? error) });
    }
  },
});
