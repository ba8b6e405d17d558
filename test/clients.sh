#!/usr/bin/env bash
# Clients that others wrote do the same work against the embedded cloud, and must all see the same: boto3, the AWS CLI, the AWS SDKs for
# JavaScript (v2, v3) and Go, by the steps of clients/work.mjs; SAM CLI deploys applications; and both CLIs publish one.
# Needs Go, Node.js, npm and Python; installs the clients into a cache folder, or skips those that cannot be had.
. "$(dirname "$0")/lib/evo.bash"

need go node npm python3 curl
python_packages=(awscli==1.46.3 boto3==1.44.5)
sam_packages=(aws-sam-cli==1.170.0)

node_packages=(aws-sdk@2.1693.0 @aws-sdk/s3-request-presigner@3)
for service in api-gateway cloudformation cloudwatch cloudwatch-logs codedeploy dynamodb iam lambda s3 sts; do
  node_packages+=("@aws-sdk/client-$service@3")
done

sam() { python "$@"; }

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
  echo "sdks: the same steps through ten services by every client"
  start_cloud
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

# tries WHAT COMMAND… runs what must succeed, and leaves what it says in $out.
tries() {
  local what=$1
  shift
  if timeout 240 "$@" >"$out" 2>&1; then
    ok "$what"
  else
    bad "$what ends with $?"
    tail -n 40 "$out" | sed 's/^/       /'
    return 1
  fi
}

aws_cli() {
  echo "aws_cli: the AWS CLI's own commands, which take many calls each"
  if ! installed python "${python_packages[@]}"; then
    echo "  skipped: the AWS CLI cannot be had"
    return
  fi
  start_cloud
  local aws=$folder/bin/aws out=$work/aws.out dir=$work/tree
  mkdir -p "$dir/sub" "$work/copy"
  echo one >"$dir/one.txt"
  echo two >"$dir/sub/two ü.html"
  head -c 20000000 /dev/zero >"$dir/large.bin"
  tries "s3 mb" "$aws" s3 mb s3://cli-tree
  tries "s3 sync, a large file in parts" "$aws" s3 sync "$dir" s3://cli-tree/base --no-progress
  tries "s3 ls" "$aws" s3 ls --recursive s3://cli-tree
  equal "it lists names and sizes" "20000000 base/large.bin 4 base/one.txt 4 base/sub/two ü.html" "$(sed -E 's/^[0-9-]+ [0-9:]+ +//' "$out" | xargs)"
  tries "s3 sync back" "$aws" s3 sync s3://cli-tree/base "$work/copy" --no-progress
  equal "what comes back is the same" "" "$(diff -r "$dir" "$work/copy")"
  tries "s3 cp from one key to another" "$aws" s3 cp s3://cli-tree/base/large.bin s3://cli-tree/large.copy --no-progress
  tries "s3api head-object" "$aws" s3api head-object --bucket cli-tree --key large.copy --query ContentLength
  equal "it has the length" 20000000 "$(cat "$out")"
  tries "s3 rb --force" "$aws" s3 rb --force s3://cli-tree

  "$aws" s3 mb s3://cli-code >/dev/null
  cp -r "$here/apps/custom-resources" "$work/words"
  tries "cloudformation package" "$aws" cloudformation package --template-file "$work/words/template.yaml" --s3-bucket cli-code --output-template-file "$work/words/packaged.yaml" &&
    tries "cloudformation deploy" "$aws" cloudformation deploy --template-file "$work/words/packaged.yaml" --stack-name cli-words --capabilities CAPABILITY_IAM &&
    tries "cloudformation deploy, once more" "$aws" cloudformation deploy --template-file "$work/words/packaged.yaml" --stack-name cli-words --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset &&
    contains "it has nothing to change" "$out" "No changes to deploy. Stack cli-words is up to date"
  tries "describe-stacks" "$aws" cloudformation describe-stacks --stack-name cli-words --query 'sort_by(Stacks[0].Outputs,&OutputKey)[].[OutputKey,OutputValue]' --output text
  sed 's/\t/: /' "$out" >"$work/words.txt"
  same "the stack's outputs" "$here/apps/custom-resources/expected/1.txt" "$work/words.txt"
  "$aws" cloudformation delete-stack --stack-name cli-words
  tries "wait stack-delete-complete" "$aws" cloudformation wait stack-delete-complete --stack-name cli-words
}

sam_cli() {
  echo "sam_cli: SAM CLI deploys the applications"
  if ! installed sam "${sam_packages[@]}"; then
    echo "  skipped: SAM CLI cannot be had"
    return
  fi
  start_cloud
  local sam=$folder/bin/sam out=$work/sam.out deploy=(deploy --template-file template.yaml --resolve-s3 --capabilities CAPABILITY_IAM --no-progressbar)
  export SAM_CLI_TELEMETRY=0
  cp -r "$here/apps/apis" "$here/apps/safe-deployments" "$work"
  cd "$work/apis"
  tries "sam deploy" "$sam" "${deploy[@]}" --stack-name sam-apis || return 0
  local api
  api=$(sed -n 's#.*https://\([a-z0-9]*\)\.execute-api\.[a-z0-9.-]*/Prod.*#\1#p' "$out" | head -n 1)
  {
    call -A test "http://$api.execute-api.localhost:$cloud_port/Prod/pets/7?kind=cat"
    timeout 60 "$sam" remote invoke Odd --stack-name sam-apis --event '{"pathParameters":{"what":"redirect"}}' 2>/dev/null
    echo
    timeout 60 "$sam" list stack-outputs --stack-name sam-apis --output json 2>/dev/null | grep OutputKey | sort
  } >"$work/sam"
  same "what it deployed answers, through sam remote invoke too" "$here/clients/expected/sam.txt" "$work/sam"
  tries "sam deploy, once more" "$sam" "${deploy[@]}" --stack-name sam-apis --no-fail-on-empty-changeset
  contains "it has nothing to change" "$out" "No changes to deploy. Stack sam-apis is up to date"
  tries "sam logs" "$sam" logs --stack-name sam-apis --name Echo
  contains "it has the functions' lines" "$out" "START RequestId" "REPORT RequestId"
  tries "sam delete" "$sam" delete --stack-name sam-apis --no-prompts

  start_cloud --speed 60
  cd "$work/safe-deployments"
  tries "sam deploy with hooks" "$sam" "${deploy[@]}" --stack-name sam-orders || return 0
  cp -r releases/2/. .
  tries "the second release shifts" "$sam" "${deploy[@]}" --stack-name sam-orders
  cp -r releases/3/. .
  if timeout 240 "$sam" "${deploy[@]}" --stack-name sam-orders >"$out" 2>&1; then bad "the third release should fail"; else ok "the third release is refused"; fi
  contains "it is rolled back by its hook" "$out" "CodeDeploy rollback" "validation functions" UPDATE_ROLLBACK_COMPLETE
}

publishing() {
  echo "publishing: the AWS CLI and SAM CLI publish an application, and others use it"
  if ! installed python "${python_packages[@]}"; then
    echo "  skipped: the AWS CLI cannot be had"
    return
  fi
  start_cloud
  local aws=$folder/bin/aws out=$work/publish.out text=(--output text)
  cp -r "$here/../examples/announcer" "$here/../examples/announced" "$work"
  cd "$work/announcer"
  "$aws" s3 mb s3://cli-publish >/dev/null
  tries "cloudformation package uploads code, licence and readme" "$aws" cloudformation package --template-file template.yaml --s3-bucket cli-publish --output-template-file packaged.yaml || return 0
  grep -v '^ *\(ReadmeUrl\|LicenseUrl\):' template.yaml >plain.yaml
  "$aws" cloudformation package --template-file plain.yaml --s3-bucket cli-publish --output-template-file plain-packaged.yaml >/dev/null
  tries "serverlessrepo create-application" "$aws" serverlessrepo create-application --name cli-announcer --author ann --description "from the AWS CLI" \
    --semantic-version 1.0.0 --template-body file://plain-packaged.yaml --readme-body "# Read me" --spdx-license-id MIT --license-body "do what you want" \
    --source-code-url https://example.com/source --labels release --query ApplicationId "${text[@]}" || return 0
  local id
  id=$(cat "$out")
  equal "it has an ARN" arn:aws:serverlessrepo:us-east-1:000000000000:applications/cli-announcer "$id"
  tries "serverlessrepo create-application-version" "$aws" serverlessrepo create-application-version --application-id "$id" --semantic-version 1.10.0 --template-body file://plain-packaged.yaml
  "$aws" serverlessrepo create-application-version --application-id "$id" --semantic-version 1.9.0 --template-body file://plain-packaged.yaml >/dev/null
  tries "serverlessrepo get-application" "$aws" serverlessrepo get-application --application-id "$id" \
    --query 'Version.[SemanticVersion,RequiredCapabilities[0],ParameterDefinitions[0].Name]' "${text[@]}"
  equal "the latest version, its capabilities and parameters" "1.10.0 CAPABILITY_IAM WebhookUrl" "$(xargs <"$out")"
  "$aws" serverlessrepo get-application --application-id "$id" --query ReadmeUrl "${text[@]}" >"$out"
  equal "the readme's URL leads to it" "# Read me" "$(curl -s "$(cat "$out")")"
  "$aws" serverlessrepo list-application-versions --application-id "$id" --query 'Versions[].SemanticVersion' "${text[@]}" >"$out"
  equal "list-application-versions" "1.0.0 1.9.0 1.10.0" "$(xargs <"$out")"
  tries "serverlessrepo put-application-policy" "$aws" serverlessrepo put-application-policy --application-id "$id" --statements 'Principals=*,Actions=Deploy'
  tries "serverlessrepo create-cloud-formation-change-set" "$aws" serverlessrepo create-cloud-formation-change-set --application-id "$id" --stack-name announcer \
    --capabilities CAPABILITY_IAM --query ChangeSetId "${text[@]}" &&
    tries "cloudformation execute-change-set" "$aws" cloudformation execute-change-set --change-set-name "$(cat "$out")" &&
    tries "wait stack-create-complete" "$aws" cloudformation wait stack-create-complete --stack-name serverlessrepo-announcer
  "$aws" cloudformation describe-stacks --stack-name serverlessrepo-announcer --query 'Stacks[0].Outputs[0].OutputValue' "${text[@]}" >"$out"
  tries "lambda invoke" "$aws" lambda invoke --function-name "$(cat "$out")" --payload '{"Application":"shop","Version":"7"}' said.json
  equal "the published function answers" '"shop 7 is out: no notes"' "$(cat said.json)"

  if installed sam "${sam_packages[@]}"; then
    export SAM_CLI_TELEMETRY=0
    local sam=$folder/bin/sam
    tries "sam publish" "$sam" publish -t packaged.yaml --region us-east-1
    contains "it has made an application" "$out" "Publish Succeeded" "Created new application"
    tries "sam publish, the same version again" "$sam" publish -t packaged.yaml --region us-east-1
    contains "it has updated the application" "$out" "Publish Succeeded" "has been updated"
    if "$sam" publish -t packaged.yaml --region us-east-1 --fail-on-same-version >"$out" 2>&1; then bad "--fail-on-same-version should fail"; else ok "--fail-on-same-version fails"; fi
    cd "$work/announced"
    tries "sam deploy of a stack that nests it" "$sam" deploy --template-file template.yaml --stack-name sam-greeter --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND \
      --no-progressbar --parameter-overrides "Announcer=${id/cli-announcer/release-announcer}"
    contains "the nested application has announced the release" "$out" "greeter 1 is out: no notes"
  else
    echo "  skipped: SAM CLI cannot be had"
  fi
  tries "serverlessrepo delete-application" "$aws" serverlessrepo delete-application --application-id "$id"
}

build_evo
parts=("$@")
[ $# -gt 0 ] || parts=(sdks aws_cli sam_cli publishing)
for part in "${parts[@]}"; do "$part"; done
finish
