"""What the process costs beside the image work: its start, and its memory. Prints two tables."""

import argparse
import http.server
import os
import shlex
import statistics
import subprocess
import sys
import threading
from pathlib import Path

PYTHON_FUNCTION = """
import io, os, urllib.request
import boto3
from PIL import Image
s3 = boto3.client("s3")
urllib.request.urlopen(f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/next").read()
"""

NODE_FUNCTION = """
const { S3Client } = require('@aws-sdk/client-s3');
const sharp = require('sharp');
const s3 = new S3Client({});
fetch(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next`);
"""


class NextInvocation(http.server.BaseHTTPRequestHandler):
    """Lambda's runtime API, as far as a function that waits for its first event sees it."""

    def do_GET(self):
        self.server.asked.set()
        self.server.ended.wait()

    def log_message(self, *_):
        pass


def resident(process, which):
    """A line of /proc/PID/status in MiB: VmRSS is now, VmHWM at most. (getrusage counts what was there before exec.)"""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(which):
            return int(line.split()[1]) / 1024
    return 0.0


def cold_start(command):
    """The CPU milliseconds, and the resident MiB, from the start of a function to its wait for an event."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NextInvocation)
    server.asked, server.ended = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "resize",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_LOG_GROUP_NAME": "g",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "RESIZED_BUCKET": "b",
    }
    process = subprocess.Popen(shlex.split(command), env=environment, cwd=options.work)
    if not server.asked.wait(30):
        sys.exit(f"{command} asked for no event")
    mebibytes = resident(process, "VmRSS")
    process.kill()
    _, _, usage = os.wait4(process.pid, 0)
    server.ended.set()
    server.shutdown()
    return (usage.ru_utime + usage.ru_stime) * 1000, mebibytes


def peak(command, small, line):
    """The resident MiB that one piece of work takes at most, above what the process has after a small one."""
    process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    above = []
    for work in (small, line):
        print(work, file=process.stdin, flush=True)
        process.stdout.readline()
        above.append(resident(process, "VmHWM"))
    process.kill()
    process.wait()
    return above[1] - above[0]


def again(command, environment, line, rounds):
    """The CPU milliseconds of a piece of work that was done before, and the new pages that it touches."""
    process = subprocess.Popen(
        shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    runs = []
    for _ in range(rounds + 1):
        before = minor_faults(process)
        print(line, file=process.stdin, flush=True)
        millis = float(process.stdout.readline())
        runs.append((millis, minor_faults(process) - before))
    process.kill()
    process.wait()
    return [statistics.median(column) for column in zip(*runs[1:])]


def minor_faults(process):
    """Pages that were touched for the first time so far (proc(5), stat, minflt)."""
    return int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[7])


parser = argparse.ArgumentParser()
for name in ("work", "corpus", "bootstrap", "ours", "sharp", "pillow", "python"):
    parser.add_argument(f"--{name}", required=True)
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()
work = Path(options.work)
(work / "function.py").write_text(PYTHON_FUNCTION)
(work / "function.js").write_text(NODE_FUNCTION)

functions = {
    "ours": options.bootstrap,
    "Python, Pillow, boto3": f"{options.python} function.py",
    "Node, sharp, S3 client": "node function.js",
}
starts = {name: [] for name in functions}
for _ in range(options.rounds):
    for name, command in functions.items():
        starts[name].append(cold_start(command))
print(f"\n{'start to the first event':<28}{'CPU ms':>10}{'ours / it':>12}{'MiB':>10}")
medians = {name: [statistics.median(column) for column in zip(*runs)] for name, runs in starts.items()}
for name, (millis, mebibytes) in medians.items():
    print(f"{name:<28}{millis:10.1f}{medians['ours'][0] / millis:12.3f}{mebibytes:10.1f}")

# As `up` sets it (src/stack.rs).
kept = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "33554432"}
print(f"\n{'again, in the same process':<28}{'to':<14}{'CPU ms':>10}{'pages':>10}{'unset: ms':>12}{'pages':>10}")
for name, form in ("12mp-420.jpg", "jpeg"), ("12mp-lossy.webp", "webp"), ("12mp-rgb.png", "png"):
    line = f"{form} 1024 {work}/pictures/{name} {work}/again.out"
    columns = [again(options.ours, environment, line, options.rounds) for environment in (kept, {})]
    (millis, pages), (unset_millis, unset_pages) = columns
    print(f"{name:<28}{form + ' 1024':<14}{millis:10.1f}{pages:10.0f}{unset_millis:12.1f}{unset_pages:10.0f}", flush=True)

print(f"\n{'peak MiB above idle':<28}{'to':<14}{'ours':>10}{'sharp':>10}{'Pillow':>10}")
for source in sorted((work / "pictures").iterdir()):
    form = {".jpg": "jpeg", ".png": "png", ".webp": "webp"}[source.suffix]
    row = []
    for command in (options.ours, options.sharp, options.pillow):
        dest = work / "memory.out"
        small = f"jpeg 10 {options.corpus}/exif-1.jpg {dest}"
        row.append(statistics.median(peak(command, small, f"{form} 500 {source} {dest}") for _ in range(3)))
    print(f"{source.name:<28}{form + ' 500':<14}" + "".join(f"{mebibytes:10.1f}" for mebibytes in row), flush=True)
