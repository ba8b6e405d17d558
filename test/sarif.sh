#!/usr/bin/env bash
# What evo says in SARIF is held against the standard by Microsoft's own validator.
# Needs Go, Node.js and npm; installs the validator into a cache folder, or is skipped if it cannot be had.
. "$(dirname "$0")/lib/evo.bash"

need go node npm
installed node_modules @microsoft/sarif-multitool@5.7.0 || skip "sarif-multitool cannot be had"
build_evo
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1

cd "$here/.."
mkdir "$work/said"
for template in internal/diagnose/testdata/*.yaml examples/*/template.yaml; do
  name=$(tr / - <<<"$template")
  evo validate -t "$template" --output sarif >"$work/said/validate-$name.sarif" 2>"$work/err" || true
  evo check -t "$template" --output sarif >"$work/said/check-$name.sarif" 2>"$work/err" || true
done
find "$work/said" -empty -delete # of what is no template, check says nothing in SARIF
echo '{"version": "2.1.0", "runs": 3}' >"$work/said/wrong.sarif"

"$folder/node_modules/.bin/sarif-multitool" validate "$work"/said/*.sarif >"$work/log" 2>&1 || true
for said in "$work"/said/*.sarif; do
  name=$(basename "$said")
  if grep -F "$said(" "$work/log" | grep ': error ' >"$work/errors"; then
    valid=no
  else
    valid=yes
  fi
  case $name-$valid in
  wrong.sarif-no) ok "the validator finds what is wrong" ;;
  wrong.sarif-yes) bad "the validator finds nothing wrong with what is"; cat "$work/log" ;;
  *-yes) ok "$name" ;;
  *) bad "$name"; sed 's/^/       /' "$work/errors" ;;
  esac
done
finish
