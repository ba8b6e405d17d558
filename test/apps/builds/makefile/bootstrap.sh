#!/bin/sh
# A runtime of one's own, in shell.
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  id=$(curl -sS -D - -o /dev/null "$api/invocation/next" | tr -d '\r' | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //Ip')
  [ -n "$id" ] || exit 1
  curl -sS -o /dev/null -d "{\"how\": \"$(cat "$LAMBDA_TASK_ROOT/how")\"}" "$api/invocation/$id/response"
done
