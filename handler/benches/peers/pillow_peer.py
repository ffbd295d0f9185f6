"""Pillow as a peer: for each line `FORMAT WIDTHS SOURCE DEST`, the CPU milliseconds it took and a result for each width.

`full` decodes every pixel, as the function this project replaces did; `thumbnail` lets the JPEG decoder scale. Of a JPEG, the
time that its decoder, libjpeg-turbo, takes at its smallest scale comes third: one result's floor, were there no other decoder.
"""

import io
import sys
import time

from PIL import Image


def save(picture, form):
    out = io.BytesIO()
    if form == "jpeg":
        if picture.mode not in ("L", "RGB", "CMYK"):
            picture = picture.convert("RGB")
        picture.save(out, "JPEG", quality=80)
    elif form == "png":
        picture.save(out, "PNG", compress_level=6)
    else:
        picture.save(out, "WEBP", quality=80)
    return out.getvalue()


def shrink(source, width, way):
    picture = Image.open(io.BytesIO(source))
    if picture.mode.startswith("I"):
        # Pillow scales 16 bits no more than it writes them as JPEG.
        picture = picture.convert("I").point(lambda value: value / 257).convert("L")
    if way == "thumbnail":
        picture.thumbnail((width, 100_000), Image.LANCZOS)
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.LANCZOS)


for line in sys.stdin:
    form, widths, path, dest = line.split()
    with open(path, "rb") as file:
        source = file.read()
    took = []
    for way in ("full", "thumbnail"):
        start = time.process_time()
        results = [save(shrink(source, int(width), way), form) for width in widths.split(",")]
        took.append((time.process_time() - start) * 1000)
    with open(dest, "wb") as file:
        file.write(results[0])
    picture = Image.open(io.BytesIO(source))
    if picture.format == "JPEG":
        start = time.process_time()
        picture.draft(None, (1, 1))
        picture.load()
        took.append((time.process_time() - start) * 1000)
    print(*(f"{millis:.2f}" for millis in took), flush=True)
