#!/usr/bin/env bash
# Prints tables of the image work here beside sharp and Pillow: CPU milliseconds on one thread, medians of one interleaved
# run; how close each result is to a full decode scaled with Lanczos3; what a start costs, and how much memory. `run.sh [ROUNDS]`; at first 5.
# Needs node with npm, python3 and the network. What it sets up lands in a temporary folder.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
handler=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Compiled as for Lambda.
target=$(cargo metadata --no-deps --format-version 1 --manifest-path "$handler/Cargo.toml" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/lambda
build() {
    cargo build --quiet --release --config "$handler/../src/package/profile/lambda.toml" --target-dir "$target" \
        --manifest-path "$handler/Cargo.toml" "$@"
}
build --no-default-features --bin bootstrap
build --example peer
(cd "$work" && npm init -y && npm install sharp @aws-sdk/client-s3) > "$work/log" 2>&1 || { echo "sharp: npm cannot install it" >&2; exit 1; }
(python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet Pillow numpy scikit-image boto3) >> "$work/log" 2>&1 ||
    { echo "Pillow: pip cannot install it" >&2; exit 1; }
cp "$here/sharp_peer.js" "$work/"
peers=(--ours "$target/release/examples/peer" --sharp "node $work/sharp_peer.js"
    --pillow "$work/venv/bin/python $here/pillow_peer.py")

"$work/venv/bin/python" "$here/table.py" \
    --corpus "$handler/tests/corpus" --work "$work" --rounds "${1:-5}" "${peers[@]}"
NODE_NO_WARNINGS=1 "$work/venv/bin/python" "$here/process.py" \
    --corpus "$handler/tests/corpus" --work "$work" --rounds "${1:-5}" "${peers[@]}" \
    --bootstrap "$target/release/bootstrap" --python "$work/venv/bin/python"
