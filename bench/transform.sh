#!/bin/sh
# Measures evo's SAM transform beside AWS's own translator, on the same templates in one run. Installs the translator first, into a
# temporary folder that is removed again; where it cannot be had, evo is measured alone. Arguments go to bench/transform: -cases DIR,
# -rounds 5, -runs 20.
set -u
cd "$(dirname "$0")/.."
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
python=$dir/python/bin/python
if ! python3 -m venv "$dir/python" || ! "$python" -m pip install --quiet --disable-pip-version-check aws-sam-translator pyyaml; then
  echo "aws-sam-translator cannot be installed: evo is measured alone" >&2
  python=
fi
go run ./bench/transform -python "$python" "$@"
