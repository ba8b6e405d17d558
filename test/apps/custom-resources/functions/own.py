import json
import urllib.request


def handler(event, context):
    properties = {k: v for k, v in event["ResourceProperties"].items() if k != "ServiceToken"}
    answer = {
        "Status": "SUCCESS",
        "PhysicalResourceId": event.get("PhysicalResourceId", "own-1"),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Seen": event["RequestType"] + " " + json.dumps(properties, sort_keys=True)},
    }
    if properties.get("Text") == "refuse this":
        answer.update(Status="FAILED", Reason="refused by the provider")
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, headers={"Content-Type": ""}, method="PUT")
    with urllib.request.urlopen(request) as response:
        print("status", response.status)
