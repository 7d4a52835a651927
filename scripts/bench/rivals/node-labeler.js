// A labeler as one puts it together on Node: node:http, @jsquash/jpeg and webp, @jsquash/resize, and stock tfjs-wasm with
// the same network and labels. Run by npm run bench:load: node rivals/node-labeler.js PORT FOLDER-OF-THE-MODEL
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import decodeJpeg, { init as initJpeg } from "@jsquash/jpeg/decode.js";
import resize, { initResize } from "@jsquash/resize";
import decodeWebp, { init as initWebp } from "@jsquash/webp/decode.js";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";

const [, , port, folder] = process.argv;
const require = createRequire(import.meta.url);
const wasm = (path) => new WebAssembly.Module(readFileSync(require.resolve(path)));
const read = (name) => readFileSync(join(folder, name));

globalThis.ImageData ??= class ImageData {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};

const { width, height, normalization } = JSON.parse(read("input.json"));
const labels = read("labels.txt").toString().trimEnd().split("\n");
const { modelTopology, weightsManifest } = JSON.parse(read("tfjs.json"));
const weights = read("tfjs.bin");
const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length);

setWasmPaths(`${join(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"), "..")}/wasm-out/`);
await tf.setBackend("wasm");
const model = await loadGraphModel({
  load: async () => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
});
await Promise.all([
  initJpeg(wasm("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm")),
  initWebp(wasm("@jsquash/webp/codec/dec/webp_dec.wasm")),
  initResize(wasm("@jsquash/resize/lib/resize/pkg/squoosh_resize_bg.wasm")),
]);

async function label(bytes) {
  const decoded = await (bytes[0] === 0xff ? decodeJpeg(bytes) : decodeWebp(bytes));
  const { data } = await resize(decoded, { width, height, method: "catrom", premultiply: false, linearRGB: false });
  const values = new Float32Array(width * height * 3);
  for (let from = 0, to = 0; to < values.length; from += 4, to += 3) {
    for (let c = 0; c < 3; c++) values[to + c] = (data[from + c] - normalization.mean[c]) / normalization.std[c];
  }
  const output = tf.tidy(() => model.execute({ input: tf.tensor(values, [1, height, width, 3]) }, "output").dataSync());
  const order = Array.from(output.keys()).sort((a, b) => output[b] - output[a]);
  return order.slice(0, 5).map((index) => ({ confidence: output[index], label: labels[index] }));
}

createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", async () => {
    try {
      const body = JSON.stringify(await label(new Uint8Array(Buffer.concat(chunks))));
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
