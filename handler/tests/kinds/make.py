"""Makes the pictures of this folder, which `../kinds.rs` looks at: `pip install Pillow numpy tifffile imagecodecs`, then
`python make.py`. Each shows four patches of 16x16: red and green above, blue and gray below; or four grays. It prints what a
colour engine makes of the inks of `profiled.jpg` and `profiled.tif`, whose profile is Clinton Ingram's stand-in for SWOP
(https://github.com/saucecontrol/Compact-ICC-Profiles, CC0)."""

import io
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy
import tifffile
from PIL import Image, ImageCms

HERE = Path(__file__).parent
COLOURS = [(220, 30, 40), (40, 180, 60), (30, 60, 200), (128, 128, 128)]
GRAYS = [0, 85, 170, 255]
# The gray of this patch is what a file with one transparent gray makes transparent; and alpha where there is a channel.
ALPHAS = [255, 128, 255, 0]


def patches(values, dtype=numpy.uint8):
    first = numpy.array(values, dtype=dtype).reshape(2, 2, -1)
    return first.repeat(16, axis=0).repeat(16, axis=1).squeeze()


RGB = patches(COLOURS)
GRAY = patches(GRAYS)
ALPHA = patches(ALPHAS)
RGBA = numpy.dstack([RGB, ALPHA])
GRAY_ALPHA = numpy.dstack([GRAY, ALPHA])
INDEXES = patches([0, 1, 2, 3])


def deep(samples):
    return samples.astype(numpy.uint16) * 257


def tiff():
    rgb = Image.fromarray(RGB)
    for name in "raw", "tiff_lzw", "tiff_adobe_deflate", "packbits":
        rgb.save(HERE / f"rgb-{name.replace('tiff_', '').replace('adobe_', '')}.tif", compression=name)
    rgb.save(HERE / "ycbcr-jpeg.tif", compression="jpeg", quality=95)
    rgb.save(HERE / "rgb-big.tif", big_tiff=True)
    rgb.convert("CMYK").save(HERE / "cmyk.tif")
    palette().save(HERE / "palette.tif")
    palette4()
    Image.fromarray(GRAY).convert("1", dither=Image.Dither.NONE).save(HERE / "gray1-group4.tif", compression="group4")
    write = lambda name, samples, **more: tifffile.imwrite(HERE / f"{name}.tif", samples, metadata=None, **more)
    write("gray8", GRAY, photometric="minisblack")
    write("gray8-white-is-zero", 255 - GRAY, photometric="miniswhite")
    write("gray16", deep(GRAY), photometric="minisblack", byteorder=">")
    alpha = {"extrasamples": ["unassalpha"]}
    write("gray-alpha8", GRAY_ALPHA, photometric="minisblack", planarconfig="contig", **alpha)
    write("gray-alpha16", deep(GRAY_ALPHA), photometric="minisblack", planarconfig="contig", **alpha)
    write("gray-float", (GRAY / 255).astype(numpy.float32), photometric="minisblack")
    write("rgb16", deep(RGB), photometric="rgb", compression="zlib", predictor=True)
    write("rgb-float", (RGB / 255).astype(numpy.float32), photometric="rgb", compression="zlib")
    write("rgba8", RGBA, photometric="rgb", **alpha)
    write("rgba16", deep(RGBA), photometric="rgb", compression="lzw", **alpha)
    write("rgb-tiled", RGB, photometric="rgb", tile=(16, 16), compression="zlib")
    associated = {"extrasamples": ["assocalpha"]}
    faded = lambda samples: (samples * (ALPHA[..., None] / 255)).round().astype(numpy.uint8)
    write("rgba8-premultiplied", numpy.dstack([faded(RGB), ALPHA]), photometric="rgb", **associated)
    premultiplied = numpy.dstack([faded(GRAY[..., None]), ALPHA])
    write("gray-alpha8-premultiplied", premultiplied, photometric="minisblack", planarconfig="contig", **associated)
    write("gray-alpha8-planar", GRAY_ALPHA.transpose(2, 0, 1).copy(), photometric="minisblack", planarconfig="separate", **alpha)
    write("gray32", GRAY.astype(numpy.uint32) * 0x01010101, photometric="minisblack")
    table = numpy.zeros((3, 256), numpy.uint16)
    table[:, :4] = deep(numpy.array(COLOURS)).T
    write("palette-big-endian", INDEXES, photometric="palette", colormap=table, byteorder=">", compression="lzw")
    write("palette-big", INDEXES, photometric="palette", colormap=table, bigtiff=True)
    cmyk = numpy.asarray(rgb.convert("CMYK"))
    write("cmyk-planar", cmyk.transpose(2, 0, 1).copy(), photometric="separated", planarconfig="separate")
    write("cmyk16", deep(cmyk), photometric="separated", compression="zlib", predictor=True)
    # What it is given it takes for YCbCr already.
    ycbcr = numpy.asarray(rgb.convert("YCbCr"))
    pieces = {"tile": (16, 16), "subsampling": (2, 2), "compressionargs": {"level": 95}}
    write("ycbcr-tiled", ycbcr, photometric="ycbcr", compression="jpeg", **pieces)
    write("rgb-planar", RGB.transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate")


def palette4():
    """Two indexes a byte, which none of the libraries writes."""
    table = numpy.zeros((3, 16), "<u2")
    table[:, :4] = deep(numpy.array(COLOURS)).T
    data = bytes(left << 4 | right for left, right in INDEXES.reshape(-1, 2).tolist())
    after = 8 + 2 + 10 * 12 + 4
    short = {256: 32, 257: 32, 258: 4, 259: 1, 262: 3, 277: 1, 278: 32}
    entries = [(tag, 3, 1, value) for tag, value in short.items()]
    entries += [(273, 4, 1, after + 96), (279, 4, 1, len(data)), (320, 3, 48, after)]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    header = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    (HERE / "palette4.tif").write_bytes(header + directory + bytes(4) + table.tobytes() + data)


def palette():
    picture = Image.fromarray(INDEXES).convert("P")
    picture.putdata(INDEXES.ravel().tolist())
    picture.putpalette([sample for colour in COLOURS for sample in colour])
    return picture


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(name, depth, colour, samples, *, more=b"", interlaced=False, after=b""):
    """`samples` are indexed by row, column and channel."""
    samples = samples.reshape(32, 32, -1)
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for left, top, across, down in passes:
        for row in samples[top::down, left::across]:
            if depth == 16:
                packed = row.astype(">u2").tobytes()
            elif depth == 8:
                packed = row.astype(numpy.uint8).tobytes()
            else:
                bits = "".join(f"{sample:0{depth}b}" for sample in row.ravel().tolist())
                bits += "0" * (-len(bits) % 8)
                packed = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
            rows += b"\0" + packed
    header = struct.pack(">IIBBBBB", 32, 32, depth, colour, 0, 0, int(interlaced))
    data = chunk(b"IDAT", zlib.compress(rows, 9))
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + data + after + chunk(b"IEND", b"")
    (HERE / f"{name}.png").write_bytes(file)


def pngs():
    table = chunk(b"PLTE", bytes(sample for colour in COLOURS for sample in colour))
    for depth in 1, 2, 4:
        png(f"gray{depth}", depth, 0, (GRAY >> (8 - depth)))
    png("gray8-interlaced", 8, 0, GRAY, interlaced=True)
    png("gray8-transparent", 8, 0, GRAY, more=chunk(b"tRNS", struct.pack(">H", 255)))
    png("gray16", 16, 0, deep(GRAY))
    png("gray-alpha8", 8, 4, GRAY_ALPHA)
    png("gray-alpha16", 16, 4, deep(GRAY_ALPHA))
    png("gray-alpha16-interlaced", 16, 4, deep(GRAY_ALPHA), interlaced=True)
    for depth in 2, 4, 8:
        png(f"palette{depth}", depth, 3, INDEXES, more=table)
    png("palette-transparent", 2, 3, INDEXES, more=table + chunk(b"tRNS", bytes(ALPHAS)))
    png("rgb8", 8, 2, RGB)
    png("rgb8-interlaced", 8, 2, RGB, interlaced=True)
    png("rgb8-transparent", 8, 2, RGB, more=chunk(b"tRNS", struct.pack(">HHH", *COLOURS[3])))
    png("rgb16", 16, 2, deep(RGB))
    png("rgba8", 8, 6, RGBA)
    png("rgba16", 16, 6, deep(RGBA))
    frame = lambda number: struct.pack(">IIIIIHHBB", number, 32, 32, 0, 0, 1, 10, 0, 0)
    second = zlib.compress(b"\0".join([b""] + [bytes(96)] * 32), 9)
    png(
        "animated",
        8,
        2,
        RGB,
        more=chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", frame(0)),
        after=chunk(b"fcTL", frame(1)) + chunk(b"fdAT", struct.pack(">I", 2) + second),
    )


def bmp(name, bits, data, *, compression=0, table=b"", masks=b"", height=32):
    offset = 14 + 40 + len(masks) + len(table)
    header = struct.pack("<IiiHHIIiiII", 40, 32, height, 1, bits, compression, len(data), 0, 0, len(table) // 4, 0)
    file = struct.pack("<2sIHHI", b"BM", offset + len(data), 0, 0, offset) + header + masks + table + data
    (HERE / f"{name}.bmp").write_bytes(file)


def bmps():
    def packed(indexes, depth):
        rows = b""
        for row in indexes[::-1]:
            bits = "".join(f"{index:0{depth}b}" for index in row.tolist())
            rows += bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
        return rows

    table = b"".join(bytes([blue, green, red, 0]) for red, green, blue in COLOURS)
    bmp("gray1", 1, packed(GRAY >> 7, 1), table=bytes(4) + b"\xff\xff\xff\0")
    bmp("palette4", 4, packed(INDEXES, 4), table=table)
    bmp("palette8", 8, packed(INDEXES, 8), table=table)
    bgr = RGB[::-1, :, ::-1]
    bmp("rgb24", 24, bgr.tobytes())
    bmp("rgb24-top-down", 24, RGB[:, :, ::-1].tobytes(), height=-32)
    bmp("rgb32", 32, numpy.dstack([bgr, numpy.zeros((32, 32), numpy.uint8)]).tobytes())
    red, green, blue = (RGB[::-1, :, channel].astype(numpy.uint16) for channel in range(3))
    bmp("rgb16-555", 16, (red >> 3 << 10 | green >> 3 << 5 | blue >> 3).astype("<u2").tobytes())
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    bmp("rgb16-565", 16, (red >> 3 << 11 | green >> 2 << 5 | blue >> 3).astype("<u2").tobytes(), compression=3, masks=masks)
    runs = lambda left, right: bytes([16, left, 16, right, 0, 0]) * 16
    bmp("rle8", 8, runs(2, 3) + runs(0, 1) + b"\0\1", compression=1, table=table)
    bmp("rle4", 4, runs(0x22, 0x33) + runs(0x00, 0x11) + b"\0\1", compression=2, table=table)


def jpegs():
    rgb = Image.fromarray(RGB)
    rgb.save(HERE / "rgb.jpg", quality=95, subsampling=0)
    Image.fromarray(GRAY).save(HERE / "gray.jpg", quality=95)
    cmyk = numpy.dstack([255 - RGB, numpy.zeros((32, 32), numpy.uint8)])
    Image.fromarray(cmyk, "CMYK").save(HERE / "cmyk.jpg", quality=95, subsampling=0)
    ycck = imagecodecs.jpeg8_encode(255 - cmyk, level=95, colorspace="CMYK", outcolorspace="YCCK", subsampling="444")
    (HERE / "ycck.jpg").write_bytes(ycck)
    twelve = imagecodecs.jpeg8_encode(GRAY.astype(numpy.uint16) * 16, level=95, bitspersample=12)
    (HERE / "twelve-bits.jpg").write_bytes(twelve)
    (HERE / "lossless.jpg").write_bytes(imagecodecs.ljpeg_encode(GRAY, bitspersample=8))
    # Only the header is looked at before it is refused.
    arithmetic = (HERE / "gray.jpg").read_bytes().replace(b"\xff\xc0", b"\xff\xc9", 1)
    (HERE / "arithmetic.jpg").write_bytes(arithmetic)


def profiled():
    """Inks that no formula without a profile would get right."""
    inks = patches([(0, 200, 180, 20), (180, 20, 200, 10), (220, 160, 0, 30), (60, 50, 50, 90)])
    profile = (HERE / "CGATS001Compat-v2-micro.icc").read_bytes()
    picture = Image.fromarray(inks, "CMYK")
    picture.save(HERE / "profiled.tif", icc_profile=profile)
    picture.save(HERE / "profiled.jpg", icc_profile=profile, quality=95, subsampling=0)
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    seen = ImageCms.profileToProfile(picture, opened, ImageCms.createProfile("sRGB"), outputMode="RGB")
    print([seen.getpixel(place) for place in [(0, 0), (31, 0), (0, 31), (31, 31)]])


tiff()
pngs()
bmps()
jpegs()
profiled()
