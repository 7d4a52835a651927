"""Reads the tensors of a PyTorch file in the format of before version 1.6, without PyTorch and without running its pickles."""

import collections
import pickle

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


def _tensor(storage, offset, size, stride, *_):
    """Stands in for torch._utils._rebuild_tensor_v2; the values come later in the file."""
    return storage, offset, size, stride


class _Unpickler(pickle.Unpickler):
    """Knows the few names that a dictionary of tensors needs and refuses all others."""

    def find_class(self, module, name):
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        raise pickle.UnpicklingError(f"{module}.{name} is not expected in a file of weights")

    def persistent_load(self, pid):
        kind, dtype, key, *_ = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"{kind} is not expected in a file of weights")
        return key, dtype


def read(path):
    """The tensors of a file by name, as arrays."""
    with open(path, "rb") as file:
        if _Unpickler(file).load() != MAGIC or _Unpickler(file).load() != PROTOCOL:
            raise ValueError(f"{path} is not a PyTorch file of protocol {PROTOCOL}")
        if not _Unpickler(file).load()["little_endian"]:
            raise ValueError(f"{path} is big endian")
        tensors = _Unpickler(file).load()
        keys = _Unpickler(file).load()
        dtypes = dict(storage for storage, *_ in tensors.values())
        storages = {}
        for key in keys:
            dtype = np.dtype(dtypes[key])
            count = int.from_bytes(file.read(8), "little")
            storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
        if file.read(1):
            raise ValueError(f"{path} goes on behind its last tensor")
    arrays = {}
    for name, ((key, _), offset, size, stride) in tensors.items():
        values = storages[key][offset:]
        if sum((n - 1) * step for n, step in zip(size, stride, strict=True)) >= len(values):
            raise ValueError(f"{name} reaches beyond its storage")
        steps = [step * values.itemsize for step in stride]
        arrays[name] = np.ascontiguousarray(np.lib.stride_tricks.as_strided(values, size, steps))
    return arrays
