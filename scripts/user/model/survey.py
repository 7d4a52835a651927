"""What LiteRT computes of models, for `npm run model -- survey`: reads a line of JSON for each, and answers with one.

    {"file": PATH, "values": PATH}    the raw bytes of the input tensor, as the model takes them

The answer is the first output as real numbers, or {"error": REASON}. Needs ai-edge-litert and NumPy.
"""

import json
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def run(file, values):
    # Of LiteRT's engines, whose bytes differ by up to four steps, the one that rounds as the specification of int8 says.
    engine = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_path=file, experimental_op_resolver_type=engine, num_threads=1)
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


for line in sys.stdin:
    request = json.loads(line)
    try:
        print(json.dumps({"outputs": run(request["file"], request["values"])}), flush=True)
    except Exception as error:  # whatever it refuses, the next model is to be tried
        print(json.dumps({"error": str(error)}), flush=True)
