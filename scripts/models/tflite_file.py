"""Writes a .tflite file of one graph: tensors, float16 constants, operators."""

import ai_edge_litert.schema_py_generated as tfl
import flatbuffers
import numpy as np

TYPES = {
    "float32": tfl.TensorType.FLOAT32,
    "float16": tfl.TensorType.FLOAT16,
    "int32": tfl.TensorType.INT32,
}


class Graph:
    """A graph under construction. Tensors are known by their index."""

    def __init__(self, description):
        self.description = description
        self.buffers = [tfl.BufferT()]  # buffer 0 is empty by convention: "no data"
        self.tensors, self.operators = [], []
        self.codes = {}

    def tensor(self, name, shape, dtype="float32", data=None):
        """Adds a tensor. @returns Its index."""
        tensor = tfl.TensorT(name=name, shape=list(shape), type=TYPES[dtype])
        if data is not None:
            little = np.ascontiguousarray(data, np.dtype(dtype).newbyteorder("<"))
            self.buffers.append(tfl.BufferT(data=np.frombuffer(little.tobytes(), np.uint8)))
            tensor.buffer = len(self.buffers) - 1
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, name, values, dtype="float32"):
        """Adds a constant. @returns Its index."""
        return self.tensor(name, values.shape, dtype, values)

    def halves(self, name, values):
        """Adds weights as float16 behind a DEQUANTIZE, as TensorFlow's converter writes them. @returns Their index as float32."""
        half = self.constant(f"{name}/float16", values, "float16")
        return self.op("DEQUANTIZE", [half], name, values.shape, version=3)

    def op(self, operator, inputs, name, shape, options=None, version=1):
        """Adds an operator. @returns The index of its output, a float32 tensor of that name and shape."""
        output = self.tensor(name, shape)
        code = self.codes.setdefault((operator, version), len(self.codes))
        op = tfl.OperatorT(opcodeIndex=code, inputs=list(inputs), outputs=[output])
        if options is not None:
            op.builtinOptions = options
            op.builtinOptionsType = getattr(tfl.BuiltinOptions, type(options).__name__[:-1])
        self.operators.append(op)
        return output

    def finish(self, inputs, outputs):
        """@returns The bytes of the file."""
        codes = []
        for operator, version in self.codes:
            builtin = getattr(tfl.BuiltinOperator, operator)
            codes.append(tfl.OperatorCodeT(deprecatedBuiltinCode=min(builtin, 127), builtinCode=builtin, version=version))
        graph = tfl.SubGraphT(name="main", tensors=self.tensors, operators=self.operators, inputs=inputs, outputs=outputs)
        model = tfl.ModelT(
            version=3, description=self.description, operatorCodes=codes, subgraphs=[graph], buffers=self.buffers
        )
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())
