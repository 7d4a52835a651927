/**
 * `npm run model` with typical files of users: archives, lists of labels in any format, files that are something else,
 * and guesses.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { labelsOfModel } from "../../scripts/build/model-index.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { readLabelList } from "../../scripts/user/model/label-files.ts";
import { readGraph } from "../../worker/inference/operators/registry.ts";
import { runScript } from "../script.ts";
import { labelsOf, post } from "./client.ts";

const TINY = "test/fixtures/ops/tiny-float.tflite";
let folder: string;
let models: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "add-model-"));
  models = join(folder, "models");
  mkdirSync(models);
});
afterEach(() => rmSync(folder, { recursive: true }));

const model = (...args: string[]) => runScript("model", [...args, "--models", models]);
const given = (name: string, contents: string | Uint8Array): string => {
  const path = join(folder, "given", name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
  return path;
};

describe("a list of labels is", () => {
  it.each([
    ["lines", "red\r\ngreen\r\nblue\r\n", ["red", "green", "blue"]],
    ["lines with a byte order mark and commas", "\ufefftench, Tinca tinca\nhen\n", ["tench, Tinca tinca", "hen"]],
    ["lines that count up from 0", "0 Cat\n1 Dog\n2 No one\n", ["Cat", "Dog", "No one"]],
    ["lines that count up with colons", "0:background\n1:tench\n", ["background", "tench"]],
    ["lines that count up from 1", "1. Rose\n2. Lily\n", ["Rose", "Lily"]],
    ["lines of which some begin with a number", "7 up\n3 musketeers\n", ["7 up", "3 musketeers"]],
    ["names that are numbers", "0\n1\n2\n", ["0", "1", "2"]],
    ["a JSON list", '["a", "b"]', ["a", "b"]],
    ["a JSON list of objects", '[{"id": 0, "name": "a"}, {"id": 1, "name": "b"}]', ["a", "b"]],
    ["class_indices.json of Keras", '{"rose": 1, "daisy": 0, "tulip": 2}', ["daisy", "rose", "tulip"]],
    [
      "a map from numbers, in any order",
      '{"1": "b", "0": "a", "10": "k", "2": "c", "3": "d", "4": "e", "5": "f", "6": "g", "7": "h", "8": "i", "9": "j"}',
      [..."abcdefghijk"],
    ],
    ["id2label of Hugging Face", '{"architectures": ["ViT"], "id2label": {"0": "cat", "1": "dog"}}', ["cat", "dog"]],
    [
      "metadata.json of Teachable Machine",
      '{"tfjsVersion": "1.3.1", "labels": ["Open", "Shut"], "imageSize": 224}',
      ["Open", "Shut"],
    ],
    ["a table with a head", "ClassId,SignName\n0,Speed limit\n1,Stop\n", ["Speed limit", "Stop"]],
    ["a table in any order, quoted", '"Stop, now",1\n"Go ""on""",0\n', ['Go "on"', "Stop, now"]],
    ["a table with tabs", "0\tcat\n1\tdog\n", ["cat", "dog"]],
    [
      "a label map",
      "item {\n  id: 2\n  name: 'b'\n}\nitem {\n  id: 1\n  name: 'a'\n  display_name: \"A\"\n}\n",
      ["A", "b"],
    ],
    ["a list of Python", "['cat', 'dog', \"it's\"]", ["cat", "dog", "it's"]],
    ["a dictionary of Python", "{'dog': 1, 'cat': 0}", ["cat", "dog"]],
    ["a dictionary of Python by number", "{0: 'cat', 1: 'dog'}", ["cat", "dog"]],
    ["names in YAML", "nc: 2\nnames:\n  0: cat\n  1: 'dog'\ntask: classify\n", ["cat", "dog"]],
    ["names in a row of YAML", "names: ['cat', 'dog']\n", ["cat", "dog"]],
    ["one line with commas", "cat, dog, bird\n", ["cat", "dog", "bird"]],
    ["lines with empty ones between", "cat\n\ndog\n\n", ["cat", "dog"]],
  ])("%s", (_, text, labels) => {
    expect(readLabelList(text).labels).toEqual(labels);
  });

  it("said to have lost its numbers, or to have been a table", () => {
    expect(readLabelList("0 Cat\n1 Dog\n").note).toBe(
      'The numbers in front of the labels were taken off: "0 Cat" became "Cat".',
    );
    expect(readLabelList("0,Cat\n1,Dog\n").note).toMatch(/from a table/);
    expect(readLabelList("Cat\nDog\n").note).toBeUndefined();
  });

  it.each([
    ["", /empty/],
    ["{", /looks like JSON but is not/],
    ['{"a": 1.5}', /neither a list of labels nor a map/],
    ['{"a": 0, "b": 2}', /do not count up/],
    ['{"2": "a", "3": "b"}', /do not count up/],
    ["[1, 2]", /neither a list/],
  ])("refused with the reason: %j", (text, message) => {
    expect(() => readLabelList(text)).toThrow(message);
  });
});

describe("npm run model -- add", () => {
  it("takes the model and its labels out of a zip, as Teachable Machine exports it", async () => {
    const archive = given(
      "Converted Tflite.zip",
      zipSync({
        "model_unquant.tflite": readFileSync(TINY),
        "labels.txt": Buffer.from("0 Red\n1 Green\n2 Blue\n3 Grey\n"),
      }),
    );
    const { code, out, err } = await model("add", archive);
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toMatch(/The labels come from labels\.txt\.\n.*"0 Red" became "Red"/);
    expect(out).toMatch(/0…1 \(guess\)/);
    expect(await labelsOfModel(models, "converted-tflite")).toEqual(["Red", "Green", "Blue", "Grey"]);
  });

  it("takes the list beside the file that fits", async () => {
    const file = given("net.tflite", readFileSync(TINY));
    given("class_indices.json", '{"d": 3, "a": 0, "b": 1, "c": 2}');
    given("labels_of_something_else.txt", "one\ntwo\n");
    given("unlabelled.json", "{{");
    expect((await model("add", file)).out).toMatch(/The labels come from class_indices\.json\./);
    expect(await labelsOfModel(models, "net")).toEqual(["a", "b", "c", "d"]);
    given("names.txt", "p\nq\nr\ns\n");
    const { out } = await model("add", file, "--name", "none");
    expect(out).toContain(
      "Several lists of labels fit: class_indices.json, names.txt. None was taken: name one with --labels.",
    );
    expect(await labelsOfModel(models, "none")).toEqual(["0", "1", "2", "3"]);
    expect((await model("add", file, "--name", "other", "--labels", join(folder, "given/names.txt"))).code).toBe(0);
    expect(await labelsOfModel(models, "other")).toEqual(["p", "q", "r", "s"]);
    given("net_labels.txt", "A\nB\nC\nD\n");
    expect((await model("add", file, "--name", "third")).out).toMatch(
      /come from net_labels\.txt\.[\s\S]*Several lists/,
    );
    expect(await labelsOfModel(models, "third")).toEqual(["A", "B", "C", "D"]);
  });

  it("finds a list in a folder of labels, or with the name of the model, in UTF-16 or in Latin-1", async () => {
    const file = given("models/soil.tflite", readFileSync(TINY));
    given(
      "labels/all.names",
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("é\r\nb\r\nc\r\nd\r\n", "utf16le")]),
    );
    given("models/readme.txt", "1\n2\n3\n4\n");
    expect((await model("add", file, "--name", "wide")).out).toContain("The labels come from ../labels/all.names.");
    expect(await labelsOfModel(models, "wide")).toEqual(["é", "b", "c", "d"]);
    given("models/soil.txt", Buffer.from("grès\nb\nc\nd\n", "latin1"));
    expect((await model("add", file)).out).toContain("The labels come from soil.txt.");
    expect(await labelsOfModel(models, "soil")).toEqual(["grès", "b", "c", "d"]);
  });

  it("numbers the classes where there are no labels, and says so", async () => {
    const { code, out } = await model("add", given("net.tflite", readFileSync(TINY)));
    expect(code).toBe(0);
    expect(out).toMatch(
      /net: There are no labels, so that classes are called 0 to 3: put labels\.txt beside model\.tflite\./,
    );
  });

  it.each([
    ["empty.tflite", "", /is empty/],
    [
      "pointer.tflite",
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
      /pointer of Git LFS.*git lfs pull/,
    ],
    ["page.tflite", "<!DOCTYPE html><html>", /is a web page.*download the file itself/],
    ["keras_model.h5", "\x89HDF\r\n\x1a\n\0\0", /HDF5 file is damaged: .*Save or download it again/],
    ["net.onnx", "\x08\x07\x12\x07pytorch\x1a\x052.1.0", /ONNX model.*onnx2tf/],
    ["net.pt", "\x80\x02\x8a\nl\xfc\x9cF\xf9", /pickle.*litert-torch/],
    ["model.pt", zipSync({ "archive/data.pkl": Buffer.from("x") }), /PyTorch model/],
    [
      "net.keras",
      zipSync({ "metadata.json": Buffer.from("{}"), "config.json": Buffer.from("{}") }),
      /\.keras file is incomplete: it has no config\.json or no model\.weights\.h5/,
    ],
    ["saved_model.pb", "\x08\x01\x12\xff\n\x07serve", /SavedModel.*from_saved_model/],
    ["frozen.pb", "\n\x23\n\x05input\x12\x0bPlaceholder*", /frozen TensorFlow graph/],
    [
      "none.zip",
      zipSync({ "weights.bin": Buffer.from("x"), "labels.txt": Buffer.from("a") }),
      /has no \.tflite file in it, and no model of Keras or TensorFlow\.js\. Teachable Machine/,
    ],
    [
      "two.zip",
      zipSync({ "a.tflite": Buffer.from("x"), "b.tflite": Buffer.from("y") }),
      /has several models in it: a\.tflite, b\.tflite/,
    ],
    ["net.safetensors", '\x40\0\0\0\0\0\0\0{"__metadata__":{}}', /safetensors file, which has weights and no network/],
    ["net.mlmodel", "\x08\x04\x12\x10", /is a Core ML model\. Convert the Keras or PyTorch model/],
    ["net.xml", '<?xml version="1.0"?>\n<net name="a" version="11">', /is an OpenVINO model/],
    ["net.engine", "ftrt", /is a TensorRT engine\..*onnx2tf/],
    ["photo.tflite", "\x89PNG\r\n\x1a\n", /is a picture/],
    ["code.tflite", "import tensorflow as tf\n", /is a text file/],
    ["net.tflite", "\x1f\x8b\x08", /is an archive.*unpack it/],
    ["plain.onnx", "\x08\x08:\x90\x01", /is an ONNX model/],
    ["cut.zip", zipSync({ "a.tflite": Buffer.alloc(500, "x") }).subarray(0, 60), /damaged zip archive/],
  ])("says what %s is", async (name, contents, message) => {
    const file = given(name, typeof contents === "string" ? Buffer.from(contents, "latin1") : contents);
    const { code, out, err } = await model("add", file);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/^\s+at /m);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(readdirSync(models).filter((entry) => ![".assetsignore", "index.json"].includes(entry))).toEqual([]);
  });
});

/** A picture of noise, 12 × 8 pixels, so that crops differ. */
function noise(seed: number): Uint8Array<ArrayBuffer> {
  const head = Buffer.from("424d000000000000000036000000280000000c00000008000000010018000000000000000000", "hex");
  const pixels = new Uint8Array(12 * 8 * 3);
  let state = seed * 7919 + 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (state * 48271) % 2147483647;
    pixels[i] = state & 255;
  }
  return new Uint8Array(Buffer.concat([head, Buffer.alloc(54 - head.length), pixels]));
}

/** A network whose answers are alike for pixels of 0…1, and whose weights do not show that it takes 0…255. */
function trainedOnPixels(): Uint8Array<ArrayBuffer> {
  const tflite = new Uint8Array(readFileSync("test/fixtures/ops/tiny-merged-255.tflite"));
  const { operators, tensors } = readGraph(tflite);
  const convolution = operators.find(({ op }) => op === "CONV_2D");
  for (const input of convolution?.inputs.slice(1) ?? []) {
    const { data } = tensors[input] ?? {};
    if (data === undefined) throw new Error("it is not a constant");
    const view = new DataView(tflite.buffer, data.byteOffset, data.byteLength);
    for (let i = 0; i < view.byteLength; i += 4) view.setFloat32(i, view.getFloat32(i, true) * 80, true);
  }
  return tflite;
}

describe("npm run model -- check", () => {
  it("warns where a model answers very different pictures alike", async () => {
    // 1/255 is merged into the first convolution, so that −1…1 leaves next to nothing of the picture.
    const file = given("net.tflite", readFileSync("test/fixtures/ops/tiny-merged-255.tflite"));
    const spec = given("wrong.json", '{"input": {"mean": 127.5, "std": 127.5}}');
    expect((await model("add", file, "--name", "right")).code).toBe(0);
    expect((await model("add", file, "--name", "wrong", "--spec", spec)).code).toBe(0);
    const { code, out } = await model("check");
    expect(code).toBe(0);
    expect(out).toMatch(/^right: can be used$/m);
    expect(out).not.toMatch(/^right: Warning/m);
    expect(out).toMatch(
      /^wrong: Warning: it answers 6 very different pictures alike\. .*check wrong --samples PHOTOS\/$/m,
    );
  });

  it("and add find that a network was trained on unscaled pixels where nothing else shows it", async () => {
    const file = given("net.tflite", trainedOnPixels());
    const spec = given("spec.json", '{"description": "Raw", "input": {"mean": 0, "std": 255}}');
    expect((await model("add", file, "--name", "stated", "--spec", spec)).out).toMatch(/ 0…1 +4 /);
    const { out } = await model("add", file);
    expect(out).toMatch(/ 0…255 \(guess\) +4 /);
    expect(out).toMatch(/The input range 0…255 is a guess, as model\.json says\./);
    const written = JSON.parse(readFileSync(join(models, "net/model.json"), "utf8"));
    expect(written).toEqual({ input: { mean: 0, std: 1, guessed: true } });
    rmSync(join(models, "net/model.json"));
    expect((await model("check", "net")).out).toMatch(/With unscaled pixels the answers differ: .*"guessed":true/);
    expect((await model("check", "stated")).out).not.toMatch(/unscaled pixels|guess/);
  });

  it("--samples finds the range, the order of colours and the crop that a model was trained with", async () => {
    const truth = { input: { mean: 0, std: 255 }, order: "bgr", crop: "center" };
    const file = given("net.tflite", readFileSync(TINY));
    given("labels.txt", "red\ngreen\nblue\ngrey\n");
    const spec = given("truth.json", JSON.stringify(truth));
    expect((await model("add", file, "--name", "trained", "--spec", spec)).code).toBe(0);
    expect((await model("add", file, "--name", "found")).code).toBe(0);
    // The photos are of the class that the model sees in them where it is used as it was trained.
    const labeler = await startWorkerd({ models, settings: { DEFAULT_MODEL: "trained" } });
    try {
      for (let seed = 1; seed <= 24; seed++) {
        const [{ label }] = await labelsOf(await post(`${labeler.url}/label`, noise(seed)));
        given(`photos/${label}/${seed}.bmp`, noise(seed));
      }
    } finally {
      await labeler.stop();
    }
    const { code, out, err } = await model("check", "found", "--samples", join(folder, "given/photos"));
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toMatch(/^24 photos;.*\n +100\.0 % .* 0…1 {2}bgr {2}center$/m);
    expect(JSON.parse(readFileSync(join(models, "found/model.json"), "utf8"))).toEqual(truth);
    expect(readdirSync(models).filter((name) => name.startsWith(".") && name !== ".assetsignore")).toEqual([]);
    expect((await model("list")).out).not.toMatch(/found.*guess/);
  });

  it("--samples says that no photo is of a class of the model, and leaves model.json alone", async () => {
    cpSync("test/fixtures/coffee.png", join(folder, "photos/espresso/1.png"));
    expect((await model("add", given("net.tflite", readFileSync(TINY)))).code).toBe(0);
    const { code, err } = await model("check", "net", "--samples", join(folder, "photos"));
    expect(code).toBe(1);
    expect(err).toMatch(/No photo in .*photos is of a class of the model\. No label of the model is named "espresso"/);
    expect(readdirSync(join(models, "net"))).toEqual(["model.tflite"]);
  });
});

describe("npm run model -- survey", () => {
  it("says what would become of all models in a folder, and installs none", async () => {
    given("a/net.tflite", readFileSync("test/fixtures/ops/tiny-merged-255.tflite"));
    given("a/labels.txt", "red\ngreen\nblue\ngrey\n");
    given("b/guess.tflite", readFileSync(TINY));
    given("c/broken.tflite", "no model");
    given("d/export.zip", zipSync({ "model.tflite": readFileSync("test/fixtures/ops/tiny-uint8.tflite") }));
    const python = { environment: { PYTHON: "no-such-python" } };
    const { code, out, err } = await runScript("model", ["survey", join(folder, "given"), "--json"], python);
    expect(err).toBe("");
    expect(code).toBe(0);
    const common = { classes: 4, depends: true, engine: "plan", difference: "no LiteRT" };
    expect(JSON.parse(out)).toEqual([
      { ...common, file: "a/net.tflite", input: "8×8 rgb float32", range: "0…255", guessed: false, numbered: false },
      { ...common, file: "b/guess.tflite", input: "8×8 rgb float32", range: "0…1", guessed: true, numbered: true },
      { file: "c/broken.tflite", refused: expect.stringMatching(/not a TensorFlow Lite file/) },
      { ...common, file: "d/export.zip", input: "8×8 rgb uint8", range: "0…255", guessed: false, numbered: true },
    ]);
    const text = (await runScript("model", ["survey", join(folder, "given")], python)).out;
    expect(text).toMatch(/^accepted at once: 3 of 4\ninput range known: 2 of 4, guessed: 1 of 4$/m);
  });
});
