// A labeler as one puts it together on Node with native packages: node:http, sharp and onnxruntime-node, with the same
// network and labels. Run by npm run bench:peers: node rivals/sharp-labeler.js PORT FOLDER-OF-THE-MODEL
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";

const [, , port, folder] = process.argv;
const { width, height, normalization } = JSON.parse(readFileSync(join(folder, "input.json"), "utf8"));
const labels = readFileSync(join(folder, "labels.txt"), "utf8").trimEnd().split("\n");

// One thread, as the labeler has.
sharp.concurrency(1);
const session = await InferenceSession.create(join(folder, "model.onnx"), {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const [input] = session.inputNames;
const [output] = session.outputNames;

async function label(bytes) {
  const { data } = await sharp(bytes)
    .removeAlpha()
    .toColourspace("srgb")
    .resize(width, height, { fit: "fill", kernel: "cubic" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const plane = width * height;
  const values = new Float32Array(3 * plane);
  for (let i = 0; i < 3 * plane; i++) {
    const c = i % 3;
    values[c * plane + (i - c) / 3] = (data[i] - normalization.mean[c]) / normalization.std[c];
  }
  const results = await session.run({ [input]: new Tensor("float32", values, [1, 3, height, width]) });
  const scores = results[output].data;
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
  return order.slice(0, 5).map((index) => ({ confidence: scores[index], label: labels[index] }));
}

createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", async () => {
    try {
      const body = JSON.stringify(await label(Buffer.concat(pieces)));
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
}).listen(Number(port), "127.0.0.1");
