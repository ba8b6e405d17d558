#!/bin/sh
# Measures `evo check` beside cfn-guard and checkov on the same templates. Installs these two first, into PEERS (some minutes, once);
# one that cannot be had is left out. Arguments go to bench/check: -evo PATH, -n 200, -seed 1, -runs 5.
set -u
cd "$(dirname "$0")/.."
PEERS=${PEERS:-$HOME/.cache/evo-bench-peers}
mkdir -p "$PEERS"
if [ ! -x "$PEERS/bin/cfn-guard" ]; then
  cargo install --quiet cfn-guard --root "$PEERS" || echo "cfn-guard cannot be installed: it is left out" >&2
fi
if [ ! -x "$PEERS/python/bin/checkov" ]; then
  python3 -m venv "$PEERS/python" && "$PEERS/python/bin/pip" install --quiet checkov ||
    echo "checkov cannot be installed: it is left out" >&2
fi
exec go run ./bench/check -guard "$PEERS/bin/cfn-guard" -checkov "$PEERS/python/bin/checkov" "$@"
