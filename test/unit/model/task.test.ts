/** What is said of networks that are not classifiers of pictures that the labeler can run. */
import { expect, it } from "vitest";
import { inspectModel } from "../../../worker/model/inspect.ts";
import { refuseOtherTasks } from "../../../worker/model/task.ts";
import { fixture } from "../files.ts";

const graphOf = (op: string) => ({
  tensors: [],
  operators: [{ index: 0, op, inputs: [], outputs: [], options: undefined }],
  inputs: [],
  outputs: [],
  metadata: new Map(),
});

it.each([
  ["VAR_HANDLE", /weights of this network are variables, .*from_keras_model.* \.keras/],
  ["HASHTABLE", /labels up in a table.*labels\.txt/],
  ["BATCH_MATMUL", /attention \(BATCH_MATMUL\).*Train a convolutional network/],
  ["UNIDIRECTIONAL_SEQUENCE_LSTM", /recurrent layers/],
  ["LSTM", /recurrent layers/],
  ["NON_MAX_SUPPRESSION_V4", /object detector/],
  ["CUSTOM TFLite_Detection_PostProcess", /object detector/],
  ["CUSTOM edgetpu-custom-op", /compiled for the Edge TPU/],
  ["CUSTOM ethos-u", /compiled by Vela/],
  ["CUSTOM FlexErf", /SELECT_TF_OPS/],
])("%s", (op, reason) => {
  expect(() => refuseOtherTasks(graphOf(op))).toThrow(expect.objectContaining({ kind: "model-unusable" }));
  expect(() => refuseOtherTasks(graphOf(op))).toThrow(reason);
});

it("more classes than a classifier has are refused before their labels are made", async () => {
  const tflite = await fixture("ops/tiny-float.tflite");
  const dims = new Uint32Array(tflite.buffer.slice(0, tflite.length & ~3));
  // The shape [1, 4] of the output is in the file as its length and its dimensions.
  const at = dims.findIndex((value, i) => value === 2 && dims[i + 1] === 1 && dims[i + 2] === 4);
  new DataView(tflite.buffer).setUint32(4 * (at + 2), 4_718_596, true);
  await expect(inspectModel({ tflite })).rejects.toThrow(/\[1, 4718596\]: a classifier may have 262144 classes/);
});
