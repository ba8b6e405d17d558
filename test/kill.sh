#!/usr/bin/env bash
# Kills the embedded cloud: as a process, KILLS times (50) at random moments of linear deployments with writers beside them, and in
# process after every write of its journals. SEED repeats a run's moments; EVO names a built evo. Needs Go.
set -euo pipefail
cd "$(dirname "$0")/.."

seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
echo "kill: ${KILLS:-50} kills, seed $seed"
export EVO_KILLS=${KILLS:-50} EVO_SEED=$seed EVO_EVERY_WRITE=1
go test -count=1 -v -timeout 15m -run '^TestKilled' ./test/kill ./internal/cloud | grep -Ev '^ *(=== |--- PASS: .*/)|killed again at'
