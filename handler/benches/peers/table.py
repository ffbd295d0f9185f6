"""Makes the pictures, runs the peers by turns and prints the table."""

import argparse
import platform
import shlex
import statistics
import subprocess
from pathlib import Path

import numpy
from PIL import Image, ImageChops, ImageOps
from skimage.metrics import structural_similarity

Image.MAX_IMAGE_PIXELS = None


def make_pictures(corpus, to):
    """The photographs of the corpus side by side, with grain, as enlarged pictures have too little detail."""
    for name, width, height in ("12mp", 4000, 3000), ("24mp", 6000, 4000):
        whole = Image.new("RGB", (width, height))
        for number, photo in enumerate(("astronaut", "rocket", "coffee", "chelsea")):
            part = Image.open(corpus / f"{photo}.jpg").convert("RGB").resize((width // 2, height // 2), Image.LANCZOS)
            whole.paste(part, (number % 2 * width // 2, number // 2 * height // 2))
        grain = Image.effect_noise((width, height), 8).convert("RGB")
        whole = ImageChops.add(whole, grain, offset=-128)
        whole.save(to / f"{name}-420.jpg", quality=88, subsampling="4:2:0")
        whole.save(to / f"{name}-444.jpg", quality=88, subsampling="4:4:4")
        whole.save(to / f"{name}-progressive.jpg", quality=88, subsampling="4:2:0", progressive=True)
        if name == "24mp":
            continue
        whole.save(to / f"{name}-rgb.png", compress_level=6)
        whole.save(to / f"{name}-lossy.webp", quality=85, method=2)
        alpha = Image.linear_gradient("L").resize((width, height))
        rgba = whole.copy()
        rgba.putalpha(alpha)
        rgba.save(to / f"{name}-rgba.png", compress_level=6)
        rgba.save(to / f"{name}-alpha.webp", quality=85, method=2)
        deep = numpy.asarray(alpha, dtype=numpy.uint16) * 257 + numpy.asarray(grain.convert("L"), dtype=numpy.uint16)
        Image.fromarray(deep).save(to / f"{name}-gray16.png")


class Peer:
    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, form, widths, source, dest):
        """The times that it tells, in milliseconds; none for a source that it does not read."""
        print(form, widths, source, dest, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().split()
        if not answer:
            raise SystemExit(f"{self.name} ended at {source} to {widths}")
        return [float(millis) for millis in answer if millis != "-"]


def on_white(picture):
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value / 257 + 0.5).convert("L").convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def closeness(source, result):
    """SSIM, and PSNR in dB, of what is seen on white against all of the source scaled with Lanczos3, unrounded."""
    small = on_white(Image.open(result))
    upright = on_white(ImageOps.exif_transpose(Image.open(source)))
    scaled = [channel.convert("F").resize(small.size, Image.LANCZOS) for channel in upright.split()]
    reference = numpy.stack(scaled, axis=2).clip(0, 255)
    small = numpy.asarray(small, dtype=float)
    error = ((reference - small) ** 2).mean()
    psnr = 99.0 if error == 0 else 10 * numpy.log10(255**2 / error)
    side = min(reference.shape[:2])
    window = min(7, side - (side + 1) % 2)
    ssim = structural_similarity(reference, small, data_range=255, channel_axis=2, win_size=window) if window >= 3 else 1.0
    return ssim, psnr


def print_formats(peers, source, work, rounds):
    """What a format costs and gives: CPU time, bytes, and SSIM to the scaled source."""
    print(f"\n{source.name + ' to 500':<22}{'ms ours':>12}{'ms sharp':>12}{'kB ours':>12}{'kB sharp':>12}{'SSIM ours':>12}{'SSIM sharp':>12}")
    for form in "jpeg", "webp", "avif":
        columns = []
        for peer in peers:
            result = work / f"{peer.name}.out"
            times = [peer.run(form, "500", source, result)[0] for _ in range(rounds)]
            columns.append((statistics.median(times), result.stat().st_size / 1000, closeness(source, result)[0]))
        (millis, size, ssim), (their_millis, their_size, their_ssim) = columns
        print(f"{form:<22}{millis:12.1f}{their_millis:12.1f}{size:12.1f}{their_size:12.1f}{ssim:12.4f}{their_ssim:12.4f}", flush=True)


def print_closeness(peers, corpus, work):
    """How close each picture of the corpus comes, as PNG, which adds no loss of its own; an enlarged one shows nothing."""
    print(f"\n{'corpus':<20}{'to':>5}{'SSIM ours':>12}{'SSIM sharp':>12}{'dB ours':>12}{'dB sharp':>12}")
    for source in sorted(corpus.iterdir()):
        # AVIF is not read here.
        if source.name.startswith("bad-") or source.suffix in (".avif", ".md", ".json"):
            continue
        for width in 200, 500:
            if width > ImageOps.exif_transpose(Image.open(source)).width:
                continue
            columns = []
            for peer in peers:
                result = work / f"{peer.name}.out"
                reads = peer.run("png", str(width), source, result)
                columns.append(closeness(source, result) if reads else (float("nan"),) * 2)
            (ssim, decibels), (their_ssim, their_decibels) = columns
            print(f"{source.name:<20}{width:>5}{ssim:12.4f}{their_ssim:12.4f}{decibels:12.1f}{their_decibels:12.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("corpus", "work", "ours", "sharp", "pillow"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    work, corpus = Path(options.work), Path(options.corpus)
    pictures = work / "pictures"
    if not pictures.exists():
        pictures.mkdir()
        make_pictures(corpus, pictures)
    peers = [Peer(name, getattr(options, name)) for name in ("ours", "sharp", "pillow")]
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"{model}, {platform.system()}; CPU ms on one thread, medians of {options.rounds} interleaved rounds\n")
    # The floor is of one result: libjpeg-turbo's decoding at an eighth.
    header = ("ours", "sharp", "Pillow full", "thumbnail", "floor", "/sharp", "/full", "dB ours", "dB sharp")
    print(f"{'source':<22}{'to':<20}" + "".join(f"{title:>12}" for title in header))
    for source in sorted(pictures.iterdir()):
        forms = {".jpg": "jpeg", ".png": "png", ".webp": "webp"}
        for widths in ["200", "500", "1024"] + (["1600,800,200"] if source.name == "12mp-420.jpg" else []):
            form = forms[source.suffix]
            if options.only not in f"{source.name} {widths}":
                continue
            times = {peer.name: [] for peer in peers}
            for _ in range(options.rounds):
                for peer in peers:
                    times[peer.name].append(peer.run(form, widths, source, work / f"{peer.name}.out"))
            ours, sharp = (statistics.median(run[0] for run in times[name]) for name in ("ours", "sharp"))
            full, thumbnail, *floor = (statistics.median(column) for column in zip(*times["pillow"]))
            decibels = [closeness(source, work / f"{name}.out")[1] for name in ("ours", "sharp")]
            row = [ours, sharp, full, thumbnail, *floor]
            print(
                f"{source.name:<22}{form + ' ' + widths:<20}"
                + "".join(f"{millis:12.1f}" for millis in row).ljust(60)
                + f"{ours / sharp:12.2f}{ours / full:12.2f}{decibels[0]:12.1f}{decibels[1]:12.1f}",
                flush=True,
            )
    if not options.only:
        print_formats(peers[:2], pictures / "12mp-420.jpg", work, options.rounds)
    if not options.only:
        print_closeness(peers[:2], corpus, work)


main()
