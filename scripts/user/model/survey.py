"""What LiteRT computes of models, for `npm run model -- survey`: reads a line of JSON for each, and answers with one.

    {"file": PATH, "values": PATH}    the raw bytes of the input tensor, as the model takes them

The answer has the outputs as real numbers, or is {"error": REASON}. Needs ai-edge-litert and NumPy.
"""

import json
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def with_float_weights(content):
    """A network with the weights of its dynamic-range operators as float32; the content itself if it has none.

    LiteRT rounds the values of such operators to int8 as it runs, each engine in its own way, so that the outputs of its
    engines differ by some hundredths. The labeler computes them in float32.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    (graph,) = model.subgraphs[:1]
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    done = set()
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if names.get(max(code.builtinCode, code.deprecatedBuiltinCode)) not in CONVOLUTIONS:
            continue
        weights = graph.tensors[operator.inputs[1]]
        is_float = graph.tensors[operator.inputs[0]].type == schema.TensorType.FLOAT32
        stored = model.buffers[weights.buffer].data
        if not is_float or weights.type != schema.TensorType.INT8 or stored is None or operator.inputs[1] in done:
            continue
        done.add(operator.inputs[1])
        axis = weights.quantization.quantizedDimension
        along = [-1 if i == axis else 1 for i in range(len(weights.shape))]
        scale = np.asarray(weights.quantization.scale, np.float32)
        scale = scale.reshape(along) if scale.size > 1 else scale
        values = np.asarray(stored, np.uint8).view(np.int8).reshape(weights.shape).astype(np.float32) * scale
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = values.astype(np.float32).ravel().view(np.uint8)
        weights.buffer, weights.type, weights.quantization = len(model.buffers) - 1, schema.TensorType.FLOAT32, None
    if not done:
        return content
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def computes_uint8(content):
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    given = (graph.tensors[operator.inputs[0]] for operator in graph.operators if len(operator.inputs) > 1)
    return any(tensor.type == schema.TensorType.UINT8 and len(tensor.shape) == 4 for tensor in given)


def run(file, values):
    with open(file, "rb") as opened:
        content = with_float_weights(opened.read())
    # LiteRT's engines differ by up to four bytes. For int8, the optimised kernels round as its specification says; for
    # uint8, the reference kernels round as the optimised ones of TensorFlow Lite 2.14, unlike those of LiteRT 2.
    uint8 = computes_uint8(content)
    engine = OpResolverType.BUILTIN_REF if uint8 else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=engine, num_threads=1)
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    interpreter.set_tensor(given["index"], np.fromfile(values, given["dtype"]).reshape(given["shape"]))
    interpreter.invoke()
    outputs = {}
    for details in interpreter.get_output_details():
        value = interpreter.get_tensor(details["index"]).astype(float)
        scale, zero = details["quantization"]
        outputs[details["name"]] = ((value - zero) * scale if scale else value).ravel().tolist()
    return outputs


if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        try:
            print(json.dumps({"outputs": run(request["file"], request["values"])}), flush=True)
        except Exception as error:  # whatever it refuses, the next model is to be tried
            print(json.dumps({"error": str(error)}), flush=True)
