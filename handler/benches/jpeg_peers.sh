#!/usr/bin/env bash
# Prints how long JPEGs take here, with sharp and with Pillow: CPU milliseconds, medians of one run, on one thread.
# Needs node with npm, python3 and the network. Everything lands in a temporary folder.
set -euo pipefail

handler=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

jpeg_speed() { cargo run --quiet --release --manifest-path "$handler/Cargo.toml" --example jpeg_speed -- "$@"; }
jpeg_speed > "$work/log"
(cd "$work" && npm init -y && npm install sharp) >> "$work/log" 2>&1 || { echo "sharp: npm cannot install it" >&2; exit 1; }
(python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet Pillow) >> "$work/log" 2>&1 ||
    { echo "Pillow: pip cannot install it" >&2; exit 1; }

# The photographs of the corpus side by side, with grain, as enlarged pictures have too little detail.
cat > "$work/make.py" <<'PYTHON'
import sys
from PIL import Image, ImageChops
corpus, to = sys.argv[1:]
for name, width, height in ("12mp", 4000, 3000), ("24mp", 6000, 4000):
    whole = Image.new("RGB", (width, height))
    for number, photo in enumerate(("astronaut", "rocket", "coffee", "chelsea")):
        part = Image.open(f"{corpus}/{photo}.jpg").convert("RGB").resize((width // 2, height // 2), Image.LANCZOS)
        whole.paste(part, (number % 2 * width // 2, number // 2 * height // 2))
    grain = Image.effect_noise((width, height), 8).convert("RGB")
    whole = ImageChops.add(whole, grain, offset=-128)
    whole.save(f"{to}/{name}-420.jpg", quality=88, subsampling="4:2:0")
    whole.save(f"{to}/{name}-444.jpg", quality=88, subsampling="4:4:4")
    whole.save(f"{to}/{name}-progressive.jpg", quality=88, subsampling="4:2:0", progressive=True)
PYTHON
cat > "$work/pillow.py" <<'PYTHON'
import io, sys, time
from PIL import Image
source = open(sys.argv[1], "rb").read()
for width in 200, 500, 1024:
    times = []
    for _ in range(5):
        start = time.process_time()
        picture = Image.open(io.BytesIO(source))
        picture.thumbnail((width, 100000), Image.LANCZOS)
        picture.save(io.BytesIO(), "JPEG", quality=80)
        times.append((time.process_time() - start) * 1000)
    print(f"to-{width} {sorted(times)[2]:.1f}")
PYTHON
cat > "$work/sharp.js" <<'JAVASCRIPT'
const sharp = require('sharp');
const source = require('fs').readFileSync(process.argv[2]);
sharp.concurrency(1);
sharp.cache(false);
(async () => {
  for (const width of [200, 500, 1024]) {
    const times = [];
    for (let run = 0; run < 7; run++) {
      const before = process.cpuUsage();
      await sharp(source).resize(width).jpeg({ quality: 80 }).toBuffer();
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1000);
    }
    console.log(`to-${width} ${times.sort((a, b) => a - b)[3].toFixed(1)}`);
  }
})();
JAVASCRIPT

"$work/venv/bin/python" "$work/make.py" "$handler/tests/corpus" "$work"
printf '%-20s %8s %8s %8s %8s %9s %9s\n' file work ours sharp Pillow /sharp /Pillow
for file in "$work"/*.jpg; do
    jpeg_speed "$file" | awk '$2 ~ /^to-/ { print $2, $3 }' > "$work/ours.txt"
    (cd "$work" && node sharp.js "$file" > sharp.txt && venv/bin/python pillow.py "$file" > pillow.txt)
    paste -d ' ' "$work/ours.txt" "$work/sharp.txt" "$work/pillow.txt" | while read -r what ours _ sharp _ pillow; do
        awk -v file="$(basename "$file")" -v what="$what" -v ours="$ours" -v sharp="$sharp" -v pillow="$pillow" \
            'BEGIN { printf "%-20s %8s %8.1f %8.1f %8.1f %9.2f %9.2f\n", file, what, ours, sharp, pillow, ours / sharp, ours / pillow }'
    done
done
