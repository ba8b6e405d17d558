package wire_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/call"
	"evo/internal/cloud/wire/wiretest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // a service that panics is part of the tests
	os.Exit(m.Run())
}

type tables struct{ item map[string]ddb.AttributeValue }

func (s *tables) PutItem(_ context.Context, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	s.item = in.Item
	return &dynamodb.PutItemOutput{}, nil
}

func (s *tables) GetItem(context.Context, *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{Item: s.item}, nil
}

func (s *tables) DescribeTable(_ context.Context, in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
	return nil, &ddb.ResourceNotFoundException{Message: aws.String("no " + *in.TableName)}
}

func (s *tables) ListTables(context.Context, *dynamodb.ListTablesInput) (*dynamodb.ListTablesOutput, error) {
	panic("at the disco")
}

type identity struct{}

func (identity) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{Account: aws.String(call.Account), UserId: aws.String(call.From(ctx).AccessKey)}, nil
}

type metrics struct {
	got *cloudwatch.PutMetricDataInput
}

func (m *metrics) PutMetricData(_ context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	m.got = in
	return nil, nil
}

type functions struct{}

func (functions) Invoke(_ context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	return &lambda.InvokeOutput{StatusCode: 200, Payload: append([]byte(*in.FunctionName+":"), in.Payload...), ExecutedVersion: aws.String("$LATEST")}, nil
}

type objects struct{ body string }

func (o *objects) PutObject(_ context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	b, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	o.body = *in.Bucket + "/" + *in.Key + "=" + string(b) + in.Metadata["a"]
	return &s3.PutObjectOutput{ETag: aws.String(`"x"`)}, nil
}

func (o *objects) GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(o.body)), ContentLength: aws.Int64(int64(len(o.body))), Metadata: map[string]string{"k": "v"}}, nil
}

func (o *objects) ListBuckets(context.Context, *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	return &s3.ListBucketsOutput{Buckets: []s3types.Bucket{{Name: aws.String("b"), CreationDate: aws.Time(time.Unix(1e9, 0))}}}, nil
}

func (o *objects) HeadBucket(context.Context, *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	return nil, &s3types.NotFound{}
}

func (o *objects) GetBucketPolicy(context.Context, *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
	return nil, &call.Error{Status: 404, Code: "NoSuchBucketPolicy", Message: "none", Detail: map[string]string{"BucketName": "b"}}
}

func TestJSON(t *testing.T) {
	svc := &tables{}
	c := dynamodb.NewFromConfig(wiretest.Config(t, wiretest.Serve{"dynamodb": svc}))
	item := map[string]ddb.AttributeValue{"k": &ddb.AttributeValueMemberS{Value: "v"}}
	if _, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("tab"), Item: item}); err != nil {
		t.Fatal(err)
	}
	out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("tab"), Key: item})
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := out.Item["k"].(*ddb.AttributeValueMemberS); !ok || s.Value != "v" {
		t.Errorf("got %v", out.Item)
	}
	_, err = c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("tab")})
	var missing *ddb.ResourceNotFoundException
	if !errors.As(err, &missing) || missing.ErrorMessage() != "no tab" {
		t.Error(err)
	}
	_, err = c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("tab"), Key: item})
	if code(err) != "NotImplemented" {
		t.Error(err)
	}
	_, err = c.ListTables(t.Context(), &dynamodb.ListTablesInput{Limit: aws.Int32(1000)})
	if code(err) != "ValidationException" {
		t.Error(err)
	}
	_, err = c.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if code(err) != "InternalServerError" {
		t.Error(err)
	}
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestQueryAndCBOR(t *testing.T) {
	m := &metrics{}
	cfg := wiretest.Config(t, wiretest.Serve{"sts": identity{}, "cloudwatch": m})
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil || *out.Account != call.Account || *out.UserId != "test" {
		t.Fatal(out, err)
	}
	_, err = cloudwatch.NewFromConfig(cfg).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("n")})
	if err != nil || *m.got.Namespace != "n" {
		t.Fatal(m.got, err)
	}
}

func TestREST(t *testing.T) {
	o := &objects{}
	cfg := wiretest.Config(t, wiretest.Serve{"lambda": functions{}, "s3": o})
	out, err := lambda.NewFromConfig(cfg).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte("{}")})
	if err != nil || string(out.Payload) != "f:{}" || *out.ExecutedVersion != "$LATEST" || out.StatusCode != 200 {
		t.Fatal(out, err)
	}
	c := s3.NewFromConfig(cfg)
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k/ /ü"), Body: strings.NewReader("hello"), Metadata: map[string]string{"a": "!"}}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(got.Body)
	if err != nil || string(b) != "b/k/ /ü=hello!" || got.Metadata["k"] != "v" {
		t.Errorf("%q %v %v", b, got.Metadata, err)
	}
	list, err := c.ListBuckets(t.Context(), nil)
	if err != nil || len(list.Buckets) != 1 || *list.Buckets[0].Name != "b" {
		t.Fatal(list, err)
	}
	_, err = c.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("b")})
	var nf *s3types.NotFound
	if !errors.As(err, &nf) {
		t.Error(err)
	}
	_, err = c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("b")})
	if code(err) != "NoSuchBucketPolicy" {
		t.Error(err)
	}
	_, err = c.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: aws.String("b")})
	if code(err) != "NotImplemented" || !strings.Contains(err.Error(), "GetBucketTagging") {
		t.Error(err)
	}
}
