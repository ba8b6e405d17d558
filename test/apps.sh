#!/usr/bin/env bash
# Applications as teams write them for AWS, in apps/, are built, packaged and deployed to the embedded cloud with the three commands of
# SAM's tutorials, released again with changed code, and called; what they answer is compared with the files beside them.
# Needs Go, Node.js, npm, Python and curl; the AWS SDKs that functions find in AWS's runtimes come from the registries, once.
. "$(dirname "$0")/lib/evo.bash"

need go node npm python3 curl make
npm view aws-sdk version >/dev/null 2>&1 || skip "npm's registry does not answer"

# release APP STACK [OVERLAY…] deploys the application, with the files of a later release laid over it, and what deploy_flags has.
deploy_flags=()
release() {
  local app=$work/$1 stack=$2 overlay
  [ -d "$app" ] || cp -r "$here/apps/$1" "$app"
  for overlay in "${@:3}"; do cp -r "$here/apps/$1/releases/$overlay/." "$app"; done
  (
    cd "$app" &&
      evo build &&
      evo package --s3-bucket code --output-template-file packaged.yaml &&
      evo deploy --template-file packaged.yaml --stack-name "$stack" --capabilities CAPABILITY_IAM "${deploy_flags[@]}"
  ) >"$work/$stack.out" 2>&1
}

# released WHAT APP STACK [OVERLAY…] is a release that must succeed.
released() {
  if release "${@:2}"; then
    ok "$1"
  else
    bad "$1"
    tail -n 40 "$work/$3.out" | sed 's/^/       /'
    return 1
  fi
}

# output STACK KEY is one of the stack's outputs, with AWS's addresses turned into local ones.
output() {
  evo list stack-outputs --stack-name "$1" --output json |
    node -e 'const o = JSON.parse(require("fs").readFileSync(0)).find((o) => o.OutputKey === process.argv[1]); console.log(o.OutputValue)' "$2" |
    sed -E "s#https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com#http://\1.execute-api.localhost:$cloud_port#"
}

# fitness_metrics shows who has published a metric Fitness of what, and how often.
fitness_metrics() {
  local of
  for of in "Orders Of Report" "Orders Stack orders" "evo Stack orders"; do
    # shellcheck disable=SC2086
    set -- $of
    curl -s -H "Authorization: AWS4-HMAC-SHA256 Credential=local/20300101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0" \
      --data-urlencode "Namespace=$1" --data-urlencode "Dimensions.member.1.Name=$2" --data-urlencode "Dimensions.member.1.Value=$3" \
      -d "Action=GetMetricStatistics&Version=2010-08-01&MetricName=Fitness&Period=864000&Statistics.member.1=SampleCount&StartTime=2020-01-01T00:00:00Z&EndTime=2040-01-01T00:00:00Z" \
      "$cloud_url/" |
      node -e 'const counts = [...require("fs").readFileSync(0, "utf8").matchAll(/<SampleCount>([^<]*)</g)].map((m) => Number(m[1]));
        const [namespace, name, value] = process.argv.slice(1);
        console.log(`${namespace} ${name}=${value}: ${counts.reduce((a, b) => a + b, 0)}`)' "$@"
  done | paste -sd, | sed 's/,/, /g'
}

safe_deployments() {
  echo "safe-deployments: hooks, a linear and a canary shift, and a release that a hook refuses"
  released "the first release" safe-deployments orders || return 0
  local api
  api=$(output orders OrdersApi)
  {
    call -X PUT -d '{"items":[{"sku":"tea","price":2.5,"quantity":3}]}' "${api}1"
    call "${api}1"
    call "${api}2"
    call "${api%orders/}report"
  } >"$work/orders.1"
  same "its answers" "$here/apps/safe-deployments/expected/1.txt" "$work/orders.1"

  release safe-deployments orders 2 &
  local deploying=$! status=0
  : >"$work/seen"
  for _ in $(seq 600); do
    kill -0 "$deploying" 2>/dev/null || break
    curl -s --max-time 20 -o /dev/null -D - "${api}1" | tr -d '\r' | sed -n 's/^X-Release: //Ip' >>"$work/seen"
    sleep 0.1
  done
  wait "$deploying" || status=$?
  equal "the second release ends with" 0 "$status"
  contains "it shifts as the preferences say" "$work/orders.out" \
    Linear10PercentEvery1Minute Canary10Percent5Minutes \
    "PreTraffic CodeDeployHook_orders_before Succeeded" "PostTraffic CodeDeployHook_orders_after Succeeded" \
    "PreTraffic CodeDeployHook_orders_report Succeeded" "PostTraffic CodeDeployHook_orders_reported Succeeded" "Stack orders is deployed"
  equal "customers met both releases while traffic shifted" "1 2" "$(sort -u "$work/seen" | xargs)"
  {
    call "${api}1"
    call "${api%orders/}report"
  } >"$work/orders.2"
  same "its answers" "$here/apps/safe-deployments/expected/2.txt" "$work/orders.2"
  evo logs --stack-name orders >"$work/orders.logs" 2>&1
  contains "the hooks found what they asked AWS's services for" "$work/orders.logs" \
    "OrdersTable encryption: ENABLED" "ReportsBucket encryption: aws:kms" "functions: 7, violations: 4, points: 15" \
    "bucket: aws:kms" "table: ACTIVE by id" "AWS::S3::Bucket has 7 evaluations" "executed version 2 of 2" \
    "after CodeDeployDefault.LambdaLinear10PercentEvery1Minute: version 2, 0 weights" \
    "after CodeDeployDefault.LambdaCanary10Percent5Minutes version 2"
  equal "the hooks' own metric is beside evo's" "Orders Of=Report: 1, Orders Stack=orders: 1, evo Stack=orders: 2" "$(fitness_metrics)"
  equal "evo's hook has not taken the place of any" 0 "$(grep -cE '(Pre|Post)Traffic CodeDeployHook_orders_EvoFitness' "$work/orders.out")"
  contains "the release gate judged the release" "$work/orders.out" "v2: accepted (release gate)"
  equal "the SDKs' warnings to move to a newer Node.js are not in the logs" 0 "$(grep -c NodeVersionSupportWarning "$work/orders.logs")"

  status=0
  release safe-deployments orders 2 3 || status=$?
  equal "a release that its hook refuses ends with" 3 "$status"
  contains "it says why, in the hook's words, and what serves now" "$work/orders.out" \
    "PreTraffic says no: the order's total is undefined, not 8" HOOK_EXECUTION_FAILURE "version 2 serves all of its traffic"
  {
    call "${api}1"
    call "${api%orders/}report"
  } >"$work/orders.3"
  same "the second release still answers" "$here/apps/safe-deployments/expected/2.txt" "$work/orders.3"
}

runtimes() {
  echo "runtimes: every Node.js and Python runtime, every style of handler, SDKs that are not bundled"
  released "the release" runtimes notes || return 0
  local api
  api=$(output notes Api)
  {
    call "$api/node8"
    call "$api/node12?a=1&a=2"
    call "$api/node14"
    call "$api/node16"
    call "$api/node18"
    call -H 'X-Note: hello' "$api/node20"
    call "$api/node22"
    call -X PUT -d 'a note' "$api/python/first"
    call "$api/python/first"
    call "$api/python/second"
    call "$api/python"
    call "$api/python/fails"
    call -X DELETE "$api/python"
  } >"$work/notes.1"
  same "its answers" "$here/apps/runtimes/expected/1.txt" "$work/notes.1"
  local status=0
  release runtimes notes || status=$?
  equal "the same release again ends with" 0 "$status"
  contains "it says that nothing changes" "$work/notes.out" "No changes"
}

apis() {
  echo "apis: REST APIs, implicit and from OpenAPI, and HTTP APIs"
  released "the release" apis apis || return 0
  local rest inventory web what
  rest=$(output apis Rest)
  inventory=$(output apis Inventory)
  web=$(output apis Web)
  {
    call -A test "$rest/"
    call -A test "$rest/pets/7?kind=cat&kind=dog&q=a%20b"
    call -A test -d '{"name":"Rex"}' -H 'Content-Type: application/json' "$rest/pets"
    call -A test -X DELETE "$rest/files/a/b%2Fc/d.txt?x="
    call -X OPTIONS -H 'Origin: https://example.com' -H 'Access-Control-Request-Method: GET' "$rest/pets/7"
    call -X PATCH "$rest/pets"
    for what in text object nothing redirect empty error exit other; do call "$rest/odd/$what"; done
  } >"$work/rest"
  same "the implicit REST API's answers" "$here/apps/apis/expected/rest.txt" "$work/rest"
  {
    curl -s -H 'Accept: image/png' "$rest/picture" | od -An -tx1
    printf '\x89PNG\xff' | curl -s -X PUT -H 'Content-Type: image/png' --data-binary @- "$rest/picture"
    echo
    curl -s -X PUT -H 'Content-Type: text/plain' -d 'text' "$rest/picture"
    echo
  } >"$work/binary"
  same "what is binary stays so" "$here/apps/apis/expected/binary.txt" "$work/binary"
  {
    call "$inventory/health"
    call -A test "$inventory/stock/tea"
    call "$inventory/nothing"
  } >"$work/inventory"
  same "the API from OpenAPI" "$here/apps/apis/expected/inventory.txt" "$work/inventory"
  {
    call -b 'a=1; b=2' "$web/items/7?x=1&x=2&y=%C3%BC"
    call -d '{"name":"tea"}' -H 'Content-Type: application/json' "$web/items"
    call -X PUT --data-binary @<(printf '\x89PNG\xff') -H 'Content-Type: image/png' "$web/rest/a/b%20c"
    call "$web/old?x=1&x=2"
    call -X PATCH "$web/somewhere/else"
    call -X OPTIONS -H 'Origin: https://example.com' -H 'Access-Control-Request-Method: POST' "$web/items"
    call -X OPTIONS -H 'Origin: https://elsewhere.example' -H 'Access-Control-Request-Method: POST' "$web/items"
    call -H 'Origin: https://example.com' "$web/items/8"
  } >"$work/web"
  same "the HTTP API's answers" "$here/apps/apis/expected/web.txt" "$work/web"
}

# outputs STACK shows a stack's outputs, sorted.
outputs() {
  evo list stack-outputs --stack-name "$1" --output json |
    node -e 'for (const o of JSON.parse(require("fs").readFileSync(0)).sort((a, b) => a.OutputKey < b.OutputKey ? -1 : 1)) console.log(o.OutputKey + ": " + o.OutputValue)'
}

custom_resources() {
  echo "custom-resources: cfn-response in Node.js and Python, and an answer by hand"
  released "the release" custom-resources words || return 0
  outputs words >"$work/words.1"
  same "its outputs" "$here/apps/custom-resources/expected/1.txt" "$work/words.1"
  local deploy_flags=(--parameter-overrides Words=evolve,safely,always)
  released "the second release" custom-resources words || return 0
  outputs words >"$work/words.2"
  same "its outputs" "$here/apps/custom-resources/expected/2.txt" "$work/words.2"
  deploy_flags=(--parameter-overrides Words=refuse,this)
  if release custom-resources words; then bad "the third release should be refused"; else ok "the third release is refused"; fi
  contains "in the provider's words" "$work/words.out" "refused by the provider"
  outputs words >"$work/words.3"
  same "the outputs are the second's again" "$here/apps/custom-resources/expected/2.txt" "$work/words.3"
  if evo delete --stack-name words --no-prompts >"$work/words.out" 2>&1; then ok "it is deleted"; else bad "delete"; cat "$work/words.out"; fi
}

builds() {
  echo "builds: npm, esbuild, pip, a layer, a makefile and Go"
  released "the release" builds tools || return 0
  local api what
  api=$(output tools Api)
  { for what in npm typescript pip makefile go; do call "$api/$what"; done; } >"$work/tools"
  same "its answers" "$here/apps/builds/expected/1.txt" "$work/tools"
}

build_evo
start_cloud --speed 60
node -e 'fetch(process.argv[1] + "/code", { method: "PUT" }).then((r) => process.exit(r.ok ? 0 : 1))' "$cloud_url"
apps=("$@")
[ $# -gt 0 ] || apps=(safe_deployments runtimes apis custom_resources builds)
for app in "${apps[@]}"; do "$app"; done
finish
