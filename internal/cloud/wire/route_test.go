package wire

import (
	"fmt"

	"net/http/httptest"
	"strings"
	"testing"
)

// TestRouting says which operation, bucket and region a request asks for: in the forms of current and older clients, and of
// those that sign nothing.
func TestRouting(t *testing.T) {
	signed := func(service string) string {
		return "AWS4-HMAC-SHA256 Credential=test/20261105/eu-west-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
	}
	for _, c := range []struct {
		request string // method, host and path
		headers string // name: value, lines
		body    string
		want    string // service.Operation region labels, or an error's code
	}{
		{"POST localhost/", "X-Amz-Target: DynamoDB_20120810.PutItem\nContent-Type: application/x-amz-json-1.0\nAuthorization: " + signed("dynamodb"), "", "dynamodb.PutItem eu-west-1"},
		{"POST localhost/", "X-Amz-Target: DynamoDB_20120810.PutItem", "", "dynamodb.PutItem us-east-1"},
		{"POST localhost/", "X-Amz-Target: DynamoDB_20120810.Nonsense", "", "UnknownOperationException"},
		{"POST localhost/", "X-Amz-Target: AWSStepFunctions.ListActivities", "", "NotImplemented"},
		{"POST localhost/", "X-Amz-Target: GraniteServiceVersion20100801.ListMetrics\nContent-Type: application/x-amz-json-1.0", "", "cloudwatch.ListMetrics us-east-1"},
		{"POST localhost/service/GraniteServiceVersion20100801/operation/ListMetrics", "Smithy-Protocol: rpc-v2-cbor", "", "cloudwatch.ListMetrics us-east-1"},
		{"POST localhost/service/Other/operation/Do", "Smithy-Protocol: rpc-v2-cbor", "", "NotImplemented"},
		{"POST localhost/", "Content-Type: application/x-www-form-urlencoded\nAuthorization: " + signed("monitoring"), "Action=ListMetrics&Version=2010-08-01", "cloudwatch.ListMetrics eu-west-1"},
		{"POST localhost/", "Content-Type: application/x-www-form-urlencoded", "Action=ListStacks&Version=2010-05-15", "cloudformation.ListStacks us-east-1"},
		{"GET localhost/?Action=GetCallerIdentity&Version=2011-06-15", "", "", "sts.GetCallerIdentity us-east-1"},
		{"GET localhost/?Action=Nonsense&Version=2011-06-15", "", "", "InvalidAction"},
		{"POST localhost/", "Content-Type: application/x-www-form-urlencoded\nAuthorization: " + signed("ec2"), "Action=DescribeVpcs&Version=2016-11-15", "NotImplemented"},
		{"POST lambda.ap-south-1.amazonaws.com/2015-03-31/functions/f/invocations", "", "", "lambda.Invoke ap-south-1 FunctionName=f"},
		{"GET localhost/2015-03-31/functions/", "Authorization: " + signed("lambda"), "", "lambda.ListFunctions eu-west-1"},
		{"GET localhost/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af", "Authorization: " + signed("lambda"), "",
			"lambda.GetFunction eu-west-1 FunctionName=arn:aws:lambda:us-east-1:000000000000:function:f"},
		{"GET localhost/2015-03-31/nonsense", "Authorization: " + signed("lambda"), "", "UnknownOperationException"},
		{"GET localhost/restapis/abc", "Authorization: " + signed("apigateway"), "", "apigateway.GetRestApi eu-west-1 restApiId=abc"},
		{"PUT localhost/restapis/abc?mode=merge", "Authorization: " + signed("apigateway"), "", "apigateway.PutRestApi eu-west-1 restApiId=abc"},
		{"GET localhost/v2/apis/abc", "Authorization: " + signed("apigateway"), "", "apigatewayv2.GetApi eu-west-1 ApiId=abc"},
		{"GET localhost/v2/apis", "", "", "apigatewayv2.GetApis us-east-1"},
		{"GET localhost/thing", "Authorization: " + signed("execute-api"), "", "NotImplemented"},

		{"GET localhost/", "", "", "s3.ListBuckets us-east-1"},
		{"GET localhost/b", "", "", "s3.ListObjects us-east-1 Bucket=b"},
		{"GET localhost/b/?list-type=2&prefix=x", "", "", "s3.ListObjectsV2 us-east-1 Bucket=b"},
		{"GET b.localhost/?versions", "", "", "s3.ListObjectVersions us-east-1 Bucket=b"},
		{"GET b.s3.localhost:4566/k", "", "", "s3.GetObject us-east-1 Bucket=b Key=k"},
		{"GET s3.localhost:4566/b/k//l/", "", "", "s3.GetObject us-east-1 Bucket=b Key=k//l/"},
		{"GET a.b.s3.eu-central-1.amazonaws.com/k%20%2B%2F", "", "", "s3.GetObject eu-central-1 Bucket=a.b Key=k +/"},
		{"GET b.s3.us-west-2.localhost/k", "", "", "s3.GetObject us-east-1 Bucket=b Key=k"},
		{"GET localhost/b/2015-03-31/functions", "Authorization: " + signed("s3"), "", "s3.GetObject eu-west-1 Bucket=b Key=2015-03-31/functions"},
		{"HEAD localhost/b", "", "", "s3.HeadBucket us-east-1 Bucket=b"},
		{"HEAD localhost/b/k", "", "", "s3.HeadObject us-east-1 Bucket=b Key=k"},
		{"PUT localhost/b", "", "", "s3.CreateBucket us-east-1 Bucket=b"},
		{"PUT localhost/b/k", "", "", "s3.PutObject us-east-1 Bucket=b Key=k"},
		{"PUT localhost/b/k", "X-Amz-Copy-Source: /b/l", "", "s3.CopyObject us-east-1 Bucket=b Key=k"},
		{"PUT localhost/b/k?partNumber=1&uploadId=u", "", "", "s3.UploadPart us-east-1 Bucket=b Key=k"},
		{"PUT localhost/b/k?partNumber=1&uploadId=u", "X-Amz-Copy-Source: /b/l", "", "s3.UploadPartCopy us-east-1 Bucket=b Key=k"},
		{"GET localhost/b/k?uploadId=u", "", "", "s3.ListParts us-east-1 Bucket=b Key=k"},
		{"GET localhost/b/k?attributes", "X-Amz-Object-Attributes: ETag", "", "s3.GetObjectAttributes us-east-1 Bucket=b Key=k"},
		{"GET localhost/b/k?partNumber=1&versionId=v", "", "", "s3.GetObject us-east-1 Bucket=b Key=k"},
		{"GET localhost/b?analytics", "", "", "s3.ListBucketAnalyticsConfigurations us-east-1 Bucket=b"},
		{"GET localhost/b?analytics&id=x", "", "", "s3.GetBucketAnalyticsConfiguration us-east-1 Bucket=b"},
		{"POST localhost/b/k?uploads", "", "", "s3.CreateMultipartUpload us-east-1 Bucket=b Key=k"},
		{"POST localhost/b/k?uploadId=u", "", "", "s3.CompleteMultipartUpload us-east-1 Bucket=b Key=k"},
		{"DELETE localhost/b/k?uploadId=u", "", "", "s3.AbortMultipartUpload us-east-1 Bucket=b Key=k"},
		{"DELETE localhost/b/k?tagging", "", "", "s3.DeleteObjectTagging us-east-1 Bucket=b Key=k"},
		{"POST localhost/b?delete", "", "", "s3.DeleteObjects us-east-1 Bucket=b"},
		{"POST localhost/b", "Content-Type: multipart/form-data", "", "NotImplemented"},
		{"PATCH localhost/b/k", "", "", "MethodNotAllowed"},
	} {
		method, rest, _ := strings.Cut(c.request, " ")
		r := httptest.NewRequest(method, "http://"+rest, strings.NewReader(c.body))
		for line := range strings.SplitSeq(c.headers, "\n") {
			if k, v, ok := strings.Cut(line, ": "); ok {
				r.Header.Set(k, v)
			}
		}
		x := newExchange(t, r)
		got := ""
		if err := x.route(); err != nil {
			got = x.understand(err).code
		} else {
			got = x.target.service.Name + "." + x.target.op.Name + " " + x.region
			for _, k := range sortedDetail(x.target.labels) {
				got += fmt.Sprintf(" %s=%s", k, x.target.labels[k])
			}
		}
		if got != c.want {
			t.Errorf("%s\n%s\n got %s\nwant %s", c.request, c.headers, got, c.want)
		}
	}
}

// pages lets pages of one origin read one bucket.
type pages struct{}

func (pages) CORSHeaders(bucket, origin, method string) map[string]string {
	if bucket == "b" && origin == "https://shop.example" && method == "GET" {
		return map[string]string{"Access-Control-Allow-Origin": origin}
	}
	return nil
}

func (p pages) Preflight(bucket, _, origin, method string, _ []string) (map[string]string, error) {
	if h := p.CORSHeaders(bucket, origin, method); h != nil {
		return h, nil
	}
	return nil, foreign("that page")
}

func TestPages(t *testing.T) {
	h, err := New(Config{Services: []Service{{Name: "s3", For: func(string) (any, error) { return pages{}, nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		request, headers string
		code             int
		allowed          string
	}{
		{"GET localhost/b/k", "Origin: https://shop.example", 501, "https://shop.example"},
		{"GET localhost/c/k", "Origin: https://shop.example", 403, ""},
		{"PUT localhost/b/k", "Origin: https://shop.example", 403, ""},
		{"GET localhost/b/k", "Origin: https://evil.example", 403, ""},
		{"OPTIONS localhost/b/k", "Origin: https://shop.example\nAccess-Control-Request-Method: GET", 200, "https://shop.example"},
		{"OPTIONS localhost/b/k", "Origin: https://evil.example\nAccess-Control-Request-Method: GET", 403, ""},
		{"OPTIONS localhost/", "Origin: http://localhost:3000\nAccess-Control-Request-Method: POST\nAccess-Control-Request-Headers: x-amz-target", 200, "http://localhost:3000"},
		{"OPTIONS localhost/", "Origin: https://evil.example\nAccess-Control-Request-Method: POST\nAccess-Control-Request-Headers: x-amz-target", 403, ""},
		{"GET localhost/b/k", "Sec-Fetch-Site: cross-site", 501, ""},
		{"GET localhost/?Action=DeleteUser&Version=2010-05-08", "Sec-Fetch-Site: cross-site", 403, ""},
		{"GET localhost/?Action=GetUser&Version=2010-05-08", "Origin: http://localhost:3000", 501, "http://localhost:3000"},
	} {
		method, rest, _ := strings.Cut(c.request, " ")
		r := httptest.NewRequest(method, "http://"+rest, nil)
		r.RemoteAddr = "127.0.0.1:1"
		for line := range strings.SplitSeq(c.headers, "\n") {
			k, v, _ := strings.Cut(line, ": ")
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.code || w.Header().Get("Access-Control-Allow-Origin") != c.allowed {
			t.Errorf("%s\n%s\n%d, allowed %q: %s", c.request, c.headers, w.Code, w.Header().Get("Access-Control-Allow-Origin"), w.Body)
		}
	}
}
