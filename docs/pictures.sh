#!/usr/bin/env bash
# Draws the README's pictures anew, from a real run on this machine: needs Chromium for the report.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
cd "$root"
cargo build --workspace --bins --example terminal_svg
built="${CARGO_TARGET_DIR:-$root/target}/debug"
resizer="$built/resizer"
place="$(mktemp -d)"
cd "$place"
trap '"$resizer" local stop; rm -rf "$place"' EXIT

"$resizer" graph >"$root/docs/stack.svg"

"$resizer" up --local
mkdir album
cp "$root"/samples/*.jpg album
"$resizer" invoke --local --file album
printf 'not a picture' >notes.jpg
"$resizer" invoke --local --file notes.jpg || true
"$resizer" status --local --color always | "$built/examples/terminal_svg" >"$root/docs/status.svg"

"$resizer" report --local
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --user-data-dir="$place/browser" \
    --window-size=1100,2740 --screenshot="$root/docs/report.png" "file://$place/resizer-report.html"
