/** What a file is that is not a TensorFlow Lite file, and the nearest way to one that is. */

interface Format {
  /** What the file begins with, each byte as a character; control characters as their pictures, such as ␃ for 3. */
  readonly begin: RegExp;
  readonly is: string;
  readonly instead: string;
}

/** The first one that fits counts. */
const FORMATS: readonly Format[] = [
  { begin: /^$/, is: "empty", instead: "download or export it again" },
  {
    begin: /^version https:\/\/git-lfs/,
    is: "a pointer of Git LFS and not the file itself",
    instead: "run git lfs pull, or download the file from the repository's web page",
  },
  {
    begin: /^\s*(<\?xml[^>]*>\s*)?<net\s/,
    is: "an OpenVINO model",
    instead: "convert the model that it was made of, such as the ONNX one with onnx2tf",
  },
  { begin: /^\s*<(!doctype|html|\?xml|head)/i, is: "a web page", instead: "download the file itself" },
  {
    begin: /^\x89HDF\r\n␚\n/,
    is: "an HDF5 file, as Keras writes .h5",
    instead: "npm run model -- add FILE.h5 converts it",
  },
  {
    begin: /^PK␃␄.{26,60}(archive|[\w-]+)\/(data\.pkl|\.format_version|version)/s,
    is: "a PyTorch model",
    instead: "convert it with litert-torch",
  },
  {
    begin: /^PK␃␄.{26}(metadata\.json|config\.json|model\.weights\.h5)/s,
    is: "a .keras archive",
    instead: "npm run model -- add FILE.keras converts it",
  },
  { begin: /^PK␃␄/, is: "a zip archive", instead: "take the .tflite file out of it" },
  { begin: /^\x80[␂-␅]/, is: "a Python pickle, as PyTorch writes .pt", instead: "convert it with litert-torch" },
  {
    begin: /^␈[␁-␊]␒.{0,4000}(coremltools|com\.apple)/s,
    is: "a Core ML model",
    instead: "convert the model that it was made of: a Keras one with tf.lite, a PyTorch one with litert-torch",
  },
  {
    begin: /^.{8}\{"/s,
    is: "a safetensors file, which has weights and no network",
    instead: "load it into its PyTorch model, and convert that with litert-torch",
  },
  {
    begin: /^[fp]trt/,
    is: "a TensorRT engine, which runs on one kind of GPU",
    instead: "convert the ONNX model that it was made of with onnx2tf",
  },
  { begin: /^RKNN/, is: "an RKNN model", instead: "convert the ONNX model that it was made of with onnx2tf" },
  {
    begin: /^(\x89PNG|\xff\xd8\xff|GIF8|BM.{4}␀␀␀␀|RIFF.{4}WEBP)/s,
    is: "a picture",
    instead: "name the model, and send the picture to be labelled with npm run label",
  },
  {
    begin: /^(␟\x8b|7z\xbc\xaf|Rar!|BZh|.{257}ustar)/s,
    is: "an archive",
    instead: "unpack it, and name the .tflite file in it",
  },
  {
    begin: /^␈[␃-␎]([:B]|.{0,200}(onnx|pytorch|tf2onnx|skl2onnx))/is,
    is: "an ONNX model",
    instead: "convert it with onnx2tf, which writes .tflite files",
  },
  {
    begin: /^␈␁␒.{0,400}(tensorflow|serve|saved_model|\n␇)/is,
    is: "a TensorFlow SavedModel",
    instead: "convert its folder with tf.lite.TFLiteConverter.from_saved_model(folder)",
  },
  {
    begin: /^\s*\{.{0,4000}"(modelTopology|weightsManifest|format)"/s,
    is: "a TensorFlow.js model",
    instead: "npm run model -- add model.json converts it, with its weights beside it",
  },
  { begin: /^\s*[{[]/, is: "JSON", instead: "name the .tflite file" },
  {
    begin: /^\n.{1,80}(Placeholder|Const)/s,
    is: "a frozen TensorFlow graph",
    instead: "convert it with tf.compat.v1.lite.TFLiteConverter.from_frozen_graph()",
  },
  { begin: /^[\t\n\r\x20-\x7e]+$/, is: "a text file", instead: "name the .tflite file" },
];

/** How much of a file is looked at, in bytes. */
const BEGIN = 4500;
/** Where Unicode has the pictures of control characters. */
const PICTURES = 0x2400;

/** @returns A sentence that says what the file is, as far as its first bytes tell. */
export function describeOther(file: Uint8Array): string {
  const shown = (byte: number) => (byte < 32 && !/[\t\n\r]/.test(String.fromCharCode(byte)) ? PICTURES + byte : byte);
  const begin = String.fromCharCode(...Array.from(file.subarray(0, BEGIN), shown));
  const format = FORMATS.find((candidate) => candidate.begin.test(begin));
  if (format === undefined) return "This is not a TensorFlow Lite file: TFL3 does not stand at byte 4.";
  return `This file is ${format.is}, and not a TensorFlow Lite file: ${format.instead}.`;
}
