"""A labeler as one writes it in Python: FastAPI, Pillow and LiteRT. Run by npm run bench:peers.

usage: LABELER_MODEL=FOLDER [LABELER_DRAFT=1] uvicorn labeler:app
"""

import json
import os
from io import BytesIO
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from fastapi import FastAPI, Request
from PIL import Image

folder = Path(os.environ["LABELER_MODEL"])
draft = "LABELER_DRAFT" in os.environ
spec = json.loads((folder / "input.json").read_text())
labels = (folder / "labels.txt").read_text().splitlines()
size = (spec["width"], spec["height"])
mean = np.float32(spec["normalization"]["mean"])
std = np.float32(spec["normalization"]["std"])
# With one thread for each worker, as the labeler has.
interpreter = Interpreter(model_path=str(folder / "float32.tflite"), num_threads=1)
interpreter.allocate_tensors()
[given], [gives] = interpreter.get_input_details(), interpreter.get_output_details()

app = FastAPI()


@app.post("/label")
async def label(request: Request):
    image = Image.open(BytesIO(await request.body()))
    if draft:
        image.draft("RGB", size)
    pixels = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC), np.float32)
    interpreter.set_tensor(given["index"], ((pixels - mean) / std)[None])
    interpreter.invoke()
    scores = interpreter.get_tensor(gives["index"])[0]
    return [{"label": labels[i], "confidence": float(scores[i])} for i in np.argsort(-scores, kind="stable")[:5]]
