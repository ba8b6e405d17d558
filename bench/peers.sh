#!/bin/sh
# Measures `evo cloud` beside other projects' DynamoDB (dynalite, Node.js) and S3 (gofakes3, Go) in one run. Installs these two first, into
# PEERS; one that cannot be had is left out. Arguments go to bench: -evo PATH, -d 1s, -runs 3.
set -u
cd "$(dirname "$0")/.."
PEERS=${PEERS:-$HOME/.cache/evo-bench-peers}
mkdir -p "$PEERS"
if [ ! -x "$PEERS/node_modules/.bin/dynalite" ]; then
  npm install --silent --prefix "$PEERS" dynalite@4.0.0 || echo "dynalite cannot be installed: it is left out" >&2
fi
if [ ! -x "$PEERS/gofakes3" ]; then
  GOBIN="$PEERS" CGO_ENABLED=0 go install github.com/johannesboyne/gofakes3/cmd/gofakes3@v1.2.0 ||
    echo "gofakes3 cannot be installed: it is left out" >&2
fi
exec go run ./bench -only dynamodb,s3 -peers "$PEERS" "$@"
