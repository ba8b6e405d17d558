#!/usr/bin/env bash
# Templates that were changed by chance go through AWS's own translator and through evo's transform, and must come out the same.
# Needs Go and Python; installs the translator into a cache folder, or is skipped if it cannot be had. Arguments go to the test:
# -n 3000, -seed 1, -bases EXPRESSION, -keep FOLDER.
. "$(dirname "$0")/lib/evo.bash"

need go python3
# The conformance data is of this version.
installed python aws-sam-translator==1.110.0 || skip "aws-sam-translator cannot be had"
cd "$here/.."
go test -count=1 -v ./test/translator -args -python "$folder/bin/python" "$@"
