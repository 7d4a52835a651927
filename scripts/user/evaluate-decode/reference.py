"""Pillow and native TensorFlow Lite for `npm run evaluate:decode`: decodes files and labels them, a line of JSON each.

Starts with the JSON of its task as its argument (see Task in reference.ts) and says first which versions it has. Then
each line of standard input is a path in base64, since names need not be UTF-8, and each line of standard output what
came of it. TensorFlow Lite may be missing: there are no confidences then.
"""

import base64
import importlib
import json
import os
import sys
import warnings

# Decoders and TensorFlow write to the standard output; what is meant for the parent goes where they do not reach.
ANSWERS = os.fdopen(os.dup(1), "w", encoding="ascii")
os.dup2(2, 1)

from PIL import Image, ImageFile, ImageOps, __version__  # noqa: E402

# A hostile file may ask for more than the machine has: it is to fail, not the machine.
MEMORY = 4 << 30
# This one has Ghostscript run the file.
UNSAFE = {"EPS"}


def answer(value):
    print(json.dumps(value), file=ANSWERS, flush=True)


def limit_memory():
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):
        pass  # not on this system


def find_interpreter():
    for module in ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite"):
        try:
            return module, importlib.import_module(module).Interpreter
        except (ImportError, AttributeError):
            continue
    return None, None


class Network:
    """A network whose first input is an image, and which takes pixels as the labeler hands them to it."""

    def __init__(self, Interpreter, task):
        import numpy

        self.numpy = numpy
        self.interpreter = Interpreter(model_path=task["model"], num_threads=1)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        self.output = self.interpreter.get_output_details()[0]
        self.normalization = task["normalization"]
        self.logits = task["logits"]
        self.labels = task["labels"]
        self.planes = task["planes"]

    def quantised(self, values):
        scale, zero = self.input["quantization"]
        return self.numpy.clip(self.numpy.round(values / scale) + zero, -128, 127).astype(self.numpy.int8)

    def input_of(self, pixels):
        numpy = self.numpy
        kind = self.input["dtype"]
        if kind == numpy.uint8:
            return pixels
        if self.normalization is None:
            return (pixels.astype(numpy.int16) - 128).astype(numpy.int8) if kind == numpy.int8 else pixels.astype(kind)
        mean, std = (numpy.array(self.normalization[name], numpy.float32) for name in ("mean", "std"))
        values = (pixels.reshape(-1, 3).astype(numpy.float32) - mean) / std
        return self.quantised(values) if kind == numpy.int8 else values

    def confidences(self, pixels):
        numpy = self.numpy
        shape = self.input["shape"]
        values = self.input_of(pixels)
        if self.planes:
            values = values.reshape(shape[2], shape[3], 3).transpose(2, 0, 1)
        self.interpreter.set_tensor(self.input["index"], numpy.ascontiguousarray(values.reshape(shape)))
        self.interpreter.invoke()
        values = self.interpreter.get_tensor(self.output["index"]).ravel()
        if values.dtype != numpy.float32:
            scale, zero = self.output["quantization"]
            values = (values.astype(numpy.float64) - zero) * scale
        values = numpy.nan_to_num(values.astype(numpy.float64))  # JSON has no NaN
        if values.size == 1:  # one score tells two classes apart
            second = 1 / (1 + numpy.exp(-values[0])) if self.logits else values[0]
            return [second] if self.labels == 1 else [1 - second, second]
        if self.logits:
            values = numpy.exp(values - values.max())
            values = values / values.sum()
        return values.tolist()


def center(image):
    """The central square of 87.5 % of the short side, as worker/image/geometry.ts has it."""
    width, height = image.size
    side = max(1, int(min(width, height) * 0.875 + 0.5))
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def load(path, formats, tolerant):
    ImageFile.LOAD_TRUNCATED_IMAGES = tolerant
    with Image.open(path, formats=formats) as image:
        image.load()
        return image


def decode(path, task, formats):
    partial = None
    try:
        image = load(path, formats, False)
    except Exception as error:  # a file that ends early has pixels nevertheless
        partial = f"{type(error).__name__}: {error}"[:300]
        image = load(path, formats, True)
    upright = ImageOps.exif_transpose(image) if task["exif"] == "apply" else image
    rgb = upright.convert("RGB")
    box = center(rgb) if task["crop"] == "center" else None
    resized = rgb.resize((task["width"], task["height"]), Image.Resampling.BICUBIC, box)
    return {"format": image.format, "mode": image.mode, "partial": partial}, resized.tobytes()


def main():
    task = json.loads(sys.argv[1])
    name, Interpreter = find_interpreter()
    limit_memory()
    warnings.simplefilter("ignore")
    Image.init()
    Image.MAX_IMAGE_PIXELS = task["maxPixels"]
    formats = [kind for kind in Image.ID if kind not in UNSAFE]
    network = None if Interpreter is None or task["model"] is None else Network(Interpreter, task)
    answer({"pillow": __version__, "tflite": None if network is None else name})
    for line in sys.stdin:
        try:
            about, pixels = decode(base64.b64decode(line), task, formats)
            found = {**about, "pixels": base64.b64encode(pixels).decode()}
            if network is not None:
                found["confidences"] = network.confidences(network.numpy.frombuffer(pixels, "uint8"))
            answer(found)
        except Exception as error:  # whatever a hostile file makes of Pillow is its answer
            answer({"error": f"{type(error).__name__}: {error}"[:300]})


main()
