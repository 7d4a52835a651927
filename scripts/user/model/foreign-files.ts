/** Files that tell only by their names what they are, and the nearest way to a .tflite file from each. */
import { stat } from "node:fs/promises";
import { extname, join } from "node:path";

const FROM_ONNX = "Convert the ONNX model that it was made of with onnx2tf.";

/** By the ends of names. */
const FOREIGN: Readonly<Record<string, string>> = {
  ".mlmodel": "a Core ML model. Convert the Keras or PyTorch model that it was made of.",
  ".mlpackage": "a Core ML model. Convert the Keras or PyTorch model that it was made of.",
  ".engine": `a TensorRT engine. ${FROM_ONNX}`,
  ".trt": `a TensorRT engine. ${FROM_ONNX}`,
  ".blob": `a model for Myriad X. ${FROM_ONNX}`,
  ".rknn": `a model for Rockchip's processors. ${FROM_ONNX}`,
  ".hef": `a model for Hailo's processors. ${FROM_ONNX}`,
  ".kmodel": `a model for Kendryte's processors. ${FROM_ONNX}`,
  ".dlc": `a model for Qualcomm's processors. ${FROM_ONNX}`,
  ".mnn": `a model for MNN. ${FROM_ONNX}`,
  ".param": `a model for ncnn. ${FROM_ONNX}`,
  ".ncnn": `a model for ncnn. ${FROM_ONNX}`,
  ".bin": `the weights of a model for OpenVINO or ncnn. ${FROM_ONNX}`,
  ".caffemodel": "a Caffe model, which has to be converted to ONNX, and with onnx2tf from there.",
  ".ckpt": "a checkpoint: weights without a network. Load it into its model, and convert that.",
  ".index": "a checkpoint: weights without a network. Load it into its model, and convert that.",
};

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function describeFolder(path: string): Promise<string> {
  if (await exists(join(path, "saved_model.pb"))) {
    return "a TensorFlow SavedModel. Convert it with tf.lite.TFLiteConverter.from_saved_model(folder).";
  }
  return "a folder. Name the .tflite file in it.";
}

/** @returns What a path is that is not a file with a model for the labeler, and what to do; undefined if it may be one. */
export async function describeForeign(path: string): Promise<string | undefined> {
  const named = FOREIGN[extname(path).toLowerCase()];
  if (named !== undefined) return named;
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? describeFolder(path) : undefined;
}
