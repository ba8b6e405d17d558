# What the scripts of this folder share: evo built from this tree, an embedded cloud of their own, and answers compared with files.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
cloud_pid=
passed=0 failed=0

stop_cloud() {
  [ -n "$cloud_pid" ] || return 0
  kill "$cloud_pid" 2>/dev/null || true
  wait "$cloud_pid" 2>/dev/null || true
  cloud_pid=
}

cleanup() {
  local status=$?
  stop_cloud
  rm -rf "$work"
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# need COMMAND…: without one of them the script is skipped.
need() {
  local c
  for c in "$@"; do
    command -v "$c" >/dev/null || skip "there is no $c"
  done
}

skip() {
  echo "skipped: $1"
  exit 0
}

cache=${XDG_CACHE_HOME:-$HOME/.cache}/evo-test

# installed FOLDER PACKAGE… is a folder of the cache with these packages, made by the function that the folder is named after.
installed() {
  local kind=$1 key
  shift
  key=$(printf '%s\n' "$kind" "$@" | cksum | tr -d ' ')
  folder=$cache/$kind-$key
  [ -e "$folder/complete" ] && return
  echo "installing $kind: $*" | cut -c1-120
  rm -rf "$folder"
  mkdir -p "$folder"
  if ! "$kind" "$@" >"$folder/log" 2>&1; then
    tail -n 5 "$folder/log"
    return 1
  fi
  touch "$folder/complete"
}

python() { python3 -m venv "$folder" && timeout 240 "$folder/bin/pip" install -q --disable-pip-version-check "$@"; }
node_modules() { echo '{}' >"$folder/package.json" && timeout 240 npm install --prefix "$folder" --no-audit --no-fund "$@"; }

# build_evo builds evo, or takes the one that EVO names.
build_evo() {
  mkdir "$work/bin"
  PATH="$work/bin:$PATH"
  if [ -n "${EVO:-}" ]; then
    ln -s "$EVO" "$work/bin/evo"
  else
    (cd "$here/.." && CGO_ENABLED=0 go build -o "$work/bin/evo" ./cmd/evo)
  fi
}

# start_cloud [FLAG…] starts a cloud on a free port, and leads AWS clients to it.
start_cloud() {
  stop_cloud
  : >"$work/ready"
  evo cloud --ephemeral --port 0 --output json "$@" >"$work/ready" 2>"$work/cloud.log" &
  cloud_pid=$!
  local i
  for i in $(seq 100); do
    [ -s "$work/ready" ] && break
    kill -0 "$cloud_pid" 2>/dev/null || { cat "$work/cloud.log"; return 1; }
    sleep 0.1
  done
  cloud_url=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' "$work/ready")
  [ -n "$cloud_url" ] || { echo "the cloud did not start"; return 1; }
  cloud_port=${cloud_url##*:}
  unset AWS_PROFILE AWS_SESSION_TOKEN AWS_CA_BUNDLE
  export AWS_ENDPOINT_URL=$cloud_url EVO_ENDPOINT_URL=$cloud_url
  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
  export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
}

ok() {
  passed=$((passed + 1))
  echo "  ok   $1"
}

bad() {
  failed=$((failed + 1))
  echo "  FAIL $1"
}

# same WHAT WANT GOT compares two files; with UPDATE=1 it makes what was got the file to compare with.
same() {
  local d
  [ -z "${UPDATE:-}" ] || cp "$3" "$2"
  if d=$(diff -u --label "$2" --label got "$2" "$3"); then
    ok "$1"
  else
    bad "$1"
    sed 's/^/       /' <<<"$d"
  fi
}

# equal WHAT WANT GOT compares two texts.
equal() {
  if [ "$2" = "$3" ]; then
    ok "$1"
  else
    bad "$1: want $2, got $3"
  fi
}

# contains WHAT FILE TEXT… looks for each text in the file.
contains() {
  local what=$1 file=$2 text
  shift 2
  for text in "$@"; do
    if ! grep -qF -- "$text" "$file"; then
      bad "$what: nothing says \"$text\" in:"
      tail -n 60 "$file" | sed 's/^/       /'
      return
    fi
  done
  ok "$what"
}

# call [CURL'S ARGUMENTS] shows the request, the answer's status, the headers that matter, and the body.
call() {
  echo "> ${*: -1}" | sed -E "s#http://[a-z0-9]+\.execute-api\.localhost:[0-9]+##"
  curl -s --max-time 60 -D "$work/headers" -o "$work/body" "$@" || echo "curl failed: $?"
  tr -d '\r' <"$work/headers" | sed -n '1s#HTTP/1.1 \([0-9]*\).*#\1#p'
  tr -d '\r' <"$work/headers" | sed 's/^[^:]*:/\L&/' | grep -E '^(content-type|content-encoding|location|set-cookie|access-control-[a-z-]+|x-[a-z]+):' | sort || true
  cat "$work/body"
  echo
}

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
