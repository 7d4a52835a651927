"""Verifies model-assets/efficientnet_lite0 and records what native TensorFlow Lite makes of the fixtures.

    /tmp/venv-models/bin/python scripts/models/verify_efficientnet_lite0.py

Runs the pictures in test/fixtures through native TensorFlow Lite, and through a forward pass in NumPy of the weights as
PyTorch has them: float64, batch normalisation apart, nothing of the converter. Ends with 1 if a top-1 label differs or a
confidence by more than float16 weights explain. Writes test/fixtures/efficientnet_lite0.json for the tests.
"""

import json
import pathlib

import efficientnet_lite as net
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from efficientnet_lite0 import FOLDER, fetch
from PIL import Image

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"
TOLERANCE = 0.01
"""Of a confidence: what 11 bits of a weight leave."""


def pixels(path):
    """[224, 224, 3] uint8: the central square of 87.5 % of the short side, as worker/image/geometry.ts takes it."""
    image = Image.open(path).convert("RGB")
    side = int(min(image.size) * 0.875 + 0.5)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((net.SIZE, net.SIZE), Image.Resampling.BICUBIC))


def convolve(x, weights, stride):
    """[channels, size, size] with weights [out, in, kernel, kernel]; in is 1 for a depthwise one."""
    kernel = weights.shape[2]
    _, before, after = net.padding(x.shape[1], kernel, stride)
    padded = np.pad(x, ((0, 0), (before, after), (before, after)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride]
    if weights.shape[1] == 1:
        return np.einsum("cyxij,cij->cyx", windows, weights[:, 0])
    channels, height, width, *_ = windows.shape
    columns = windows.transpose(0, 3, 4, 1, 2).reshape(channels * kernel * kernel, height * width)
    return (weights.reshape(len(weights), -1) @ columns).reshape(-1, height, width)


def normalize(x, tensors, norm):
    gamma, beta, mean, variance = (
        tensors[f"{norm}.{part}"].astype(np.float64)[:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + net.EPSILON) * gamma + beta


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def forward(tensors, image):
    """The probabilities as PyTorch's weights have it."""
    x = ((image.astype(np.float64) - net.MEAN) / net.STD).transpose(2, 0, 1)
    kept = None
    for layer in net.layers():
        if isinstance(layer, net.Convolution):
            x = normalize(convolve(x, tensors[layer.weights].astype(np.float64), layer.stride), tensors, layer.norm)
            x = np.clip(x, 0, 6) if layer.relu6 else x
        elif isinstance(layer, net.Save):
            kept = x
        else:
            x = x + kept
    return softmax(tensors["_fc.weight"].astype(np.float64) @ x.mean(axis=(1, 2)) + tensors["_fc.bias"])


def native(interpreter, image):
    """The probabilities as TensorFlow Lite has it."""
    (given,), (taken,) = interpreter.get_input_details(), interpreter.get_output_details()
    values = ((image.astype(np.float32) - np.float32(net.MEAN)) / np.float32(net.STD))[None]
    interpreter.set_tensor(given["index"], values)
    interpreter.invoke()
    return interpreter.get_tensor(taken["index"])[0]


def main():
    tensors = fetch()
    interpreter = Interpreter(str(FOLDER / "model.tflite"), num_threads=1)
    interpreter.allocate_tensors()
    labels = (FOLDER / "labels.txt").read_text().splitlines()
    golden, failed = {}, False
    for path in sorted([*FIXTURES.glob("*.png"), *FIXTURES.glob("*.jpg")]):
        image = pixels(path)
        lite, torch = native(interpreter, image), forward(tensors, image)
        best = np.argsort(-lite, kind="stable")[:5]
        difference = np.abs(lite - torch).max()
        failed |= bool(best[0] != torch.argmax() or difference > TOLERANCE)
        print(f"{path.name}: {labels[best[0]]} {lite[best[0]]:.4f}, from PyTorch's weights {difference:.1e}")
        golden[path.name] = [{"label": labels[i], "confidence": float(lite[i])} for i in best]
    (FIXTURES / "efficientnet_lite0.json").write_text(json.dumps(golden, indent=2) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
