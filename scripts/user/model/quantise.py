"""Quantises a float .tflite classifier to int8, with photos such as it will see.

    python3 quantise.py flowers.tflite photos/ MEAN STD      for example 127.5 127.5, as `npm run model -- list` has it

Writes flowers-int8.tflite. Needs ai-edge-quantizer, ai-edge-litert, NumPy and Pillow.
"""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe
from PIL import Image

model, photos, mean, std = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])

(name, signature), *_ = Interpreter(str(model)).get_signature_list().items()
(taken,) = signature["inputs"]
_, height, width, _ = Interpreter(str(model)).get_signature_runner(name).get_input_details()[taken]["shape"]


def pixels(path):
    photo = Image.open(path).convert("RGB").resize((width, height))
    return ((np.asarray(photo, np.float32) - mean) / std)[np.newaxis]


files = sorted(path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))[:200]
quantise = quantizer.Quantizer(str(model), recipe.static_wi8_ai8())
calibrated = quantise.calibrate({name: [{taken: pixels(path)} for path in files]})
written = model.with_name(model.stem + "-int8.tflite")
quantise.quantize(calibrated).export_model(str(written), overwrite=True)
print(written)
