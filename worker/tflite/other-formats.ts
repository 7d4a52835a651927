/** What a file is that is not a TensorFlow Lite file, and the nearest way to one that is. */

const CONVERT = "convert it with tf.lite.TFLiteConverter";

interface Format {
  /** What the file begins with, each byte as a character. */
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
  { begin: /^\s*<(!doctype|html|\?xml|head)/i, is: "a web page", instead: "download the file itself" },
  {
    begin: /^\x89HDF\r\n\x1a\n/,
    is: "an HDF5 file, as Keras writes .h5",
    instead: "load it in Keras, and convert it with tf.lite.TFLiteConverter.from_keras_model(model)",
  },
  {
    begin: /^PK\x03\x04[^]{26,60}(archive|[\w-]+)\/(data\.pkl|\.format_version|version)/,
    is: "a PyTorch model",
    instead: "convert it with litert-torch",
  },
  {
    begin: /^PK\x03\x04[^]{26}(metadata\.json|config\.json|model\.weights\.h5)/,
    is: "a .keras archive",
    instead: "load it in Keras, and convert it with tf.lite.TFLiteConverter.from_keras_model(model)",
  },
  { begin: /^PK\x03\x04/, is: "a zip archive", instead: "take the .tflite file out of it" },
  { begin: /^\x80[\x02-\x05]/, is: "a Python pickle, as PyTorch writes .pt", instead: "convert it with litert-torch" },
  {
    begin: /^\x08[\x03-\x0d][^]{0,200}(onnx|pytorch|tf2onnx|skl2onnx)/i,
    is: "an ONNX model",
    instead: "convert it with onnx2tf, which writes .tflite files",
  },
  {
    begin: /^\x08\x01\x12[^]{0,400}(tensorflow|serve|saved_model|\x0a\x07)/i,
    is: "a TensorFlow SavedModel",
    instead: "convert its folder with tf.lite.TFLiteConverter.from_saved_model(folder)",
  },
  {
    begin: /^\s*\{[^]{0,4000}"(modelTopology|weightsManifest|format)"/,
    is: "a TensorFlow.js model",
    instead: "export TensorFlow Lite in place of TensorFlow.js, or convert the Keras model that it is made of",
  },
  { begin: /^\s*[{[]/, is: "JSON", instead: "name the .tflite file" },
  { begin: /^\x0a[^]{0,60}(Placeholder|Const|Conv2D|input)/, is: "a frozen TensorFlow graph", instead: CONVERT },
];

/** How much of a file is looked at, in bytes. */
const BEGIN = 4500;

/** @returns A sentence that says what the file is, as far as its first bytes tell. */
export function describeOther(file: Uint8Array): string {
  const begin = Array.from(file.subarray(0, BEGIN), (byte) => String.fromCharCode(byte)).join("");
  const format = FORMATS.find((candidate) => candidate.begin.test(begin));
  if (format === undefined) return "This is not a TensorFlow Lite file: TFL3 does not stand at byte 4.";
  return `This file is ${format.is}, and not a TensorFlow Lite file: ${format.instead}.`;
}
