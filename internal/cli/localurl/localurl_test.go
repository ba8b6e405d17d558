package localurl

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestOf(t *testing.T) {
	local := aws.Config{BaseEndpoint: aws.String("http://127.0.0.1:4566")}
	for value, want := range map[string]string{
		"https://abc123.execute-api.us-east-1.amazonaws.com/Prod/search/{q}": "http://abc123.execute-api.localhost:4566/Prod/search/{q}",
		"https://abc123.execute-api.cn-north-1.amazonaws.com.cn/":            "http://abc123.execute-api.localhost:4566/",
		"arn:aws:lambda:us-east-1:000000000000:function:f":                   "",
		"https://bucket.s3.amazonaws.com/x":                                  "",
	} {
		if got := Of(local, value); got != want {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
	if got := Of(aws.Config{}, "https://abc123.execute-api.us-east-1.amazonaws.com/Prod"); got != "" {
		t.Errorf("on AWS: %q", got)
	}
}
