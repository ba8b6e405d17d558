#!/usr/bin/env bash
# Clients that others wrote do the same work against the embedded cloud, and must all see the same: boto3, the AWS CLI, the AWS SDKs for
# JavaScript (v2, v3) and Go, by the steps of clients/work.mjs; and SAM CLI deploys an application.
# Needs Go, Node.js, npm and Python; installs the clients into a cache folder, or skips those that cannot be had.
. "$(dirname "$0")/lib/evo.bash"

need go node npm python3 curl
cache=${XDG_CACHE_HOME:-$HOME/.cache}/evo-test
python_packages=(awscli==1.46.3 boto3==1.44.5)
sam_packages=(aws-sam-cli==1.170.0)

node_packages=(aws-sdk@2.1693.0 @aws-sdk/s3-request-presigner@3)
for service in api-gateway cloudformation cloudwatch cloudwatch-logs codedeploy dynamodb iam lambda s3 sts; do
  node_packages+=("@aws-sdk/client-$service@3")
done

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
sam() { python "$@"; }
node_modules() { echo '{}' >"$folder/package.json" && timeout 240 npm install --prefix "$folder" --no-audit --no-fund "$@"; }

# work NAME COMMAND… has a client do the work.
work() {
  local name=$1
  shift
  if timeout 180 "$@" "$work/work.json" "$work/$name.json" "$work" >"$work/$name.log" 2>&1; then
    clients+=("$name")
  else
    bad "$name does the work"
    tail -n 20 "$work/$name.log" | sed 's/^/       /'
  fi
}

sdks() {
  clients=()
  node "$here/clients/work.mjs" "$work/work.json"
  python3 "$here/clients/function.py" "$work"
  if installed python "${python_packages[@]}"; then
    work boto3 "$folder/bin/python" "$here/clients/boto.py"
    work aws-cli "$folder/bin/python" "$here/clients/cli.py"
  else
    echo "  skipped: boto3 and the AWS CLI cannot be had"
  fi
  if installed node_modules "${node_packages[@]}"; then
    export NODE_PATH=$folder/node_modules
    work javascript-v2 node "$here/clients/sdk2.mjs"
    work javascript-v3 node "$here/clients/sdk3.mjs"
  else
    echo "  skipped: the SDKs for JavaScript cannot be had"
  fi
  (cd "$here/.." && CGO_ENABLED=0 go build -o "$work/bin/gosdk" ./test/clients/gosdk)
  work go "$work/bin/gosdk"
  node "$here/clients/compare.mjs" "$work/work.json" "$work" "${clients[@]/%/.json}"
  local c
  for c in "${clients[@]}"; do same "$c sees what is expected" "$here/clients/expected/work.txt" "$work/$c.txt"; done
}

sam_cli() {
  if ! installed sam "${sam_packages[@]}"; then
    echo "  skipped: SAM CLI cannot be had"
    return
  fi
  local sam=$folder/bin/sam out=$work/sam.out
  export SAM_CLI_TELEMETRY=0
  cp -r "$here/apps/apis" "$work/apis"
  cd "$work/apis"
  if timeout 240 "$sam" deploy --template-file template.yaml --stack-name sam-apis --resolve-s3 --capabilities CAPABILITY_IAM --no-progressbar >"$out" 2>&1; then
    ok "sam deploy"
  else
    bad "sam deploy"
    tail -n 40 "$out" | sed 's/^/       /'
    return
  fi
  local api
  api=$(sed -n 's#.*https://\([a-z0-9]*\)\.execute-api\.[a-z0-9.-]*/Prod.*#\1#p' "$out" | head -n 1)
  {
    call -A test "http://$api.execute-api.localhost:$cloud_port/Prod/pets/7?kind=cat"
    timeout 60 "$sam" remote invoke Odd --stack-name sam-apis --event '{"pathParameters":{"what":"redirect"}}' 2>/dev/null
    echo
    timeout 60 "$sam" list stack-outputs --stack-name sam-apis --output json 2>/dev/null | grep OutputKey | sort
  } >"$work/sam"
  same "what it deployed answers, through sam remote invoke too" "$here/clients/expected/sam.txt" "$work/sam"
  timeout 60 "$sam" deploy --template-file template.yaml --stack-name sam-apis --resolve-s3 --capabilities CAPABILITY_IAM --no-progressbar --no-fail-on-empty-changeset >"$out" 2>&1 || true
  contains "sam deploy once more" "$out" "No changes to deploy. Stack sam-apis is up to date"
  timeout 60 "$sam" logs --stack-name sam-apis --name Echo >"$out" 2>&1 || true
  contains "sam logs" "$out" "START RequestId" "REPORT RequestId"
  timeout 120 "$sam" delete --stack-name sam-apis --no-prompts >"$out" 2>&1 || true
  contains "sam delete" "$out" "Deleted successfully"
}

start_cloud
parts=("$@")
[ $# -gt 0 ] || parts=(sdks sam_cli)
for part in "${parts[@]}"; do "$part"; done
finish
