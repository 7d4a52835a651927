"""Native TensorFlow Lite for npm run bench: answers commands on standard input with a line of JSON each.

    load FILE       loads a model, XNNPACK, one thread
    run FILE        sets its input to the pixels in a file, bytes [height, width, 3], and runs it
    time REPEAT     runs it again and again; milliseconds of one run

Needs ai-edge-litert and NumPy; says which version it is when it starts.
"""

import json
import sys
import time
from importlib.metadata import version

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def answer(value):
    print(json.dumps(value), flush=True)


def main():
    mean, std = np.float32(sys.argv[1]), np.float32(sys.argv[2])
    answer(version("ai-edge-litert"))
    interpreter = details = None
    for line in sys.stdin:
        command, argument = line.rstrip("\n").split(" ", 1)
        if command == "load":
            interpreter = Interpreter(model_path=argument, num_threads=1)
            interpreter.allocate_tensors()
            details = interpreter.get_input_details()[0]
            answer({})
        elif command == "run":
            pixels = np.fromfile(argument, np.uint8).reshape(details["shape"])
            if details["dtype"] == np.float32:
                pixels = (pixels.astype(np.float32) - mean) / std
            interpreter.set_tensor(details["index"], pixels)
            interpreter.invoke()
            output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
            answer(output.astype(float).ravel().tolist())
        else:
            start = time.perf_counter()
            for _ in range(int(argument)):
                interpreter.invoke()
            answer({"ms": (time.perf_counter() - start) * 1000 / int(argument)})


main()
