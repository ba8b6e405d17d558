package cloudformation

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

func layerHandler(l lambdaLayers) Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &lambda.PublishLayerVersionInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{}, err
			}
			in.LayerName = aws.String(r.Name("LayerName", 64))
			out, err := l.PublishLayerVersion(ctx, in)
			if err != nil {
				return Result{}, err
			}
			arn := aws.ToString(out.LayerVersionArn)
			return Result{Physical: arn, Attributes: map[string]any{"LayerVersionArn": arn}}, nil
		},
		Delete: func(ctx context.Context, r *Request) error {
			i := strings.LastIndex(r.Physical, ":")
			version, err := strconv.ParseInt(r.Physical[i+1:], 10, 64)
			if err != nil {
				return nil
			}
			_, err = l.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: aws.String(r.Physical[:i]), VersionNumber: aws.Int64(version)})
			return err
		},
	}
}

func eventInvokeHandler(l lambdaEventInvoke) Handler {
	put := func(ctx context.Context, r *Request) (Result, error) {
		in := &lambda.PutFunctionEventInvokeConfigInput{}
		if err := fill(in, r.Properties, nil); err != nil {
			return Result{}, err
		}
		_, err := l.PutFunctionEventInvokeConfig(ctx, in)
		physical := r.Physical
		if physical == "" {
			physical = r.generated(100)
		}
		return Result{Physical: physical}, err
	}
	return Handler{
		Create: put,
		Update: put,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := l.DeleteFunctionEventInvokeConfig(ctx, &lambda.DeleteFunctionEventInvokeConfigInput{FunctionName: aws.String(r.Str("FunctionName")), Qualifier: some(r.Str("Qualifier"))})
			return err
		},
	}
}

var urlNames = map[string]string{"TargetFunctionArn": "FunctionName"}

func urlHandler(l lambdaURLs) Handler {
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &lambda.CreateFunctionUrlConfigInput{}
			if err := fill(in, r.Properties, urlNames); err != nil {
				return Result{}, err
			}
			out, err := l.CreateFunctionUrlConfig(ctx, in)
			if r.Retry && exists(err) {
				now, getErr := l.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: in.FunctionName, Qualifier: in.Qualifier})
				if getErr != nil {
					return Result{}, getErr
				}
				return urlResult(now.FunctionArn, now.FunctionUrl), nil
			}
			if err != nil {
				return Result{}, err
			}
			return urlResult(out.FunctionArn, out.FunctionUrl), nil
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			in := &lambda.UpdateFunctionUrlConfigInput{}
			if err := fill(in, r.Properties, urlNames); err != nil {
				return Result{}, err
			}
			out, err := l.UpdateFunctionUrlConfig(ctx, in)
			if err != nil {
				return Result{Physical: r.Physical}, err
			}
			return urlResult(out.FunctionArn, out.FunctionUrl), nil
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := l.DeleteFunctionUrlConfig(ctx, &lambda.DeleteFunctionUrlConfigInput{FunctionName: aws.String(r.Str("TargetFunctionArn")), Qualifier: some(r.Str("Qualifier"))})
			return err
		},
	}
}

func urlResult(arn, url *string) Result {
	return Result{Physical: aws.ToString(arn), Attributes: map[string]any{"FunctionArn": aws.ToString(arn), "FunctionUrl": aws.ToString(url)}}
}

// responseModule is the helper that CloudFormation puts beside inline code, with which it answers for a custom resource.
func responseModule(runtime string) (name, text string) {
	if strings.HasPrefix(runtime, "python") {
		return "cfnresponse.py", pythonResponse
	}
	return "cfn-response.js", nodeResponse
}

const nodeResponse = `// send answers CloudFormation for a custom resource.
const transports = { 'http:': require('http'), 'https:': require('https') };

exports.SUCCESS = 'SUCCESS';
exports.FAILED = 'FAILED';

exports.send = function (event, context, status, data, physicalId, noEcho) {
  const body = JSON.stringify({
    Status: status,
    Reason: 'See the details in CloudWatch Log Stream: ' + context.logStreamName,
    PhysicalResourceId: physicalId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: data,
  });
  const url = new URL(event.ResponseURL);
  const headers = { 'content-type': '', 'content-length': Buffer.byteLength(body) };
  const request = transports[url.protocol].request(url, { method: 'PUT', headers }, (response) => {
    response.resume();
    context.done();
  });
  request.on('error', (error) => {
    console.log('send failed: ' + error);
    context.done();
  });
  request.end(body);
};
`

const pythonResponse = `"""send answers CloudFormation for a custom resource."""
import json
import urllib.request

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(event, context, responseStatus, responseData, physicalResourceId=None, noEcho=False, reason=None):
    body = json.dumps({
        "Status": responseStatus,
        "Reason": reason or "See the details in CloudWatch Log Stream: " + context.log_stream_name,
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }).encode("utf-8")
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"content-type": ""})
    try:
        urllib.request.urlopen(request)
    except Exception as error:
        print("send failed: %s" % error)
`
