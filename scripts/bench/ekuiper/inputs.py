"""Writes the images that pyai is known to have trouble with, made from one photograph: inputs.py PHOTOGRAPH FOLDER."""
import sys
from pathlib import Path

from PIL import Image

Image.MAX_IMAGE_PIXELS = None
photograph, folder = Image.open(sys.argv[1]).convert("RGB"), Path(sys.argv[2])
photograph.save(folder / "good.png")
photograph.convert("L").save(folder / "grey.png")
photograph.convert("P", palette=Image.Palette.ADAPTIVE).save(folder / "palette.png")
photograph.convert("RGBA").save(folder / "rgba.png")
photograph.convert("CMYK").save(folder / "cmyk.jpg", quality=90)
photograph.save(folder / "rgb.jpg", quality=90)
photograph.resize((12000, 12000), Image.Resampling.NEAREST).save(folder / "12000x12000.png", compress_level=1)
