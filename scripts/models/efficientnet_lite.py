"""EfficientNet-Lite0 as a list of layers that name their weights in the PyTorch file.

The architecture is that of https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite: no
squeeze-and-excitation, ReLU6 for swish, padding SAME as TensorFlow has it.
"""

from dataclasses import dataclass

SIZE = 224
CLASSES = 1000
EPSILON = 1e-3
"""Of the batch normalisation; PyTorch's own default is another."""
MEAN, STD = 127, 128
"""Normalised = (pixel - MEAN) / STD."""

# repeats, kernel, stride of the first, expansion, channels
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class Convolution:
    """A convolution without bias and the batch normalisation behind it."""

    weights: str
    norm: str
    stride: int = 1
    depthwise: bool = False
    relu6: bool = True


@dataclass(frozen=True)
class Save:
    """Keeps what has been computed so far, for the next Add."""


@dataclass(frozen=True)
class Add:
    """Adds what Save kept."""


def layers():
    """What stands before the average over height and width and the fully connected layer (`_fc`)."""
    yield Convolution("_conv_stem.weight", "_bn0", stride=2)
    block, channels = 0, 32
    for repeats, _kernel, first_stride, expansion, out in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            residual = stride == 1 and channels == out
            name = f"_blocks.{block}"
            if residual:
                yield Save()
            if expansion != 1:
                yield Convolution(f"{name}._expand_conv.weight", f"{name}._bn0")
            yield Convolution(f"{name}._depthwise_conv.weight", f"{name}._bn1", stride=stride, depthwise=True)
            yield Convolution(f"{name}._project_conv.weight", f"{name}._bn2", relu6=False)
            if residual:
                yield Add()
            block, channels = block + 1, out
    yield Convolution("_conv_head.weight", "_bn1")


def padding(size, kernel, stride):
    """SAME: (output size, padding before, padding after); the odd one comes after."""
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return out, total // 2, total - total // 2
