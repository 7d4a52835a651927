"""Pillow for npm run bench:decode: from a file to 224 × 224 as the labeler makes it. Its argument is the file.

Each line of standard input is a number, and has the file decoded as often; a line of JSON answers. Pillow reads the file
from memory, as the others do.
"""

import io
import json
import sys
import time

from PIL import Image, ImageOps, ImageStat

SIDE = 224


def decode(file):
    with Image.open(io.BytesIO(file)) as image:
        return image.size, ImageOps.exif_transpose(image).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def main():
    with open(sys.argv[1], "rb") as opened:
        file = opened.read()
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            (width, height), pixels = decode(file)
        ms = (time.perf_counter() - start) * 1000 / int(line)
        mean = sum(ImageStat.Stat(pixels).mean) / 3
        print(json.dumps({"ms": ms, "width": width, "height": height, "mean": mean}), flush=True)


main()
