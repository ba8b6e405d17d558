package hostile

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"evo/cloudtest"
)

// entry is one file of a zip.
type entry struct {
	name, text string
	mode       fs.FileMode
}

func zipOf(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode)
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func lambdaOf(c *cloudtest.Cloud) *lambda.Client {
	return lambda.NewFromConfig(c.Config("us-east-1"), func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
}

func create(ctx context.Context, client *lambda.Client, name string, code []byte, timeout int32) error {
	_, err := client.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: &name, Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Role: aws.String("arn:aws:iam::000000000000:role/function"), Timeout: &timeout, Code: &types.FunctionCode{ZipFile: code}})
	return err
}

// needNode skips a test on a machine without Node.js.
func needNode(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node on this machine")
	}
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestZips(t *testing.T) {
	c := cloudtest.New(t)
	client := lambdaOf(c)
	for name, code := range map[string][]byte{
		"no zip":         []byte("certainly not"),
		"empty":          {},
		"parent":         zipOf(t, entry{"../../evil", "x", 0o644}),
		"absolute":       zipOf(t, entry{"/etc/evil", "x", 0o644}),
		"link out":       zipOf(t, entry{"out", "../../..", fs.ModeSymlink | 0o777}, entry{"out/evil", "x", 0o644}),
		"bomb":           zipOf(t, entry{"zeros", strings.Repeat("\x00", 270<<20), 0o644}),
		"half of a zip":  zipOf(t, entry{"index.js", strings.Repeat("exports.handler = 1\n", 100), 0o644})[:60],
		"long name":      zipOf(t, entry{"a/" + strings.Repeat("x", 300), "x", 0o644}),
		"link as folder": zipOf(t, entry{"a", "b", fs.ModeSymlink | 0o777}, entry{"a/b", "x", 0o644}),
		"file as folder": zipOf(t, entry{"a", "x", 0o644}, entry{"a/b", "x", 0o644}),
	} {
		t.Run(name, func(t *testing.T) {
			err := create(t.Context(), client, "evil", code, 3)
			if codeOf(err) != "InvalidParameterValueException" && codeOf(err) != "ValidationException" {
				t.Errorf("got %.300v", err)
			}
			if _, err := client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("evil")}); codeOf(err) != "ResourceNotFoundException" {
				t.Errorf("the function is left: %v", err)
			}
		})
	}
}

func TestFunctions(t *testing.T) {
	needNode(t)
	c := cloudtest.New(t)
	client := lambdaOf(c)
	for name, f := range map[string]struct{ code, want string }{
		"crashes":          {`exports.handler = async () => process.exit(9)`, "Runtime.ExitError"},
		"crashes at once":  {`process.abort()`, "Runtime.ExitError"},
		"hangs":            {`exports.handler = () => { for (;;) {} }`, "timed out after 1.00 seconds"},
		"waits":            {`exports.handler = () => new Promise(() => setInterval(() => {}, 1000))`, "timed out after 1.00 seconds"},
		"answers late":     {`exports.handler = () => new Promise(r => setTimeout(() => r("late"), 1500))`, "timed out after 1.00 seconds"},
		"prints on":        {`exports.handler = () => { for (;;) console.log("x".repeat(1000)) }`, "timed out after 1.00 seconds"},
		"answers too much": {`exports.handler = async () => "x".repeat(7 << 20)`, "Response payload size"},
	} {
		t.Run(name, func(t *testing.T) {
			function := strings.ReplaceAll(name, " ", "-")
			if err := create(t.Context(), client, function, zipOf(t, entry{"index.js", f.code, 0o644}), 1); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time as the first: nothing is left of it
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function})
				cancel()
				if err != nil {
					t.Fatal(err)
				}
				if out.FunctionError == nil || !strings.Contains(string(out.Payload), f.want) {
					t.Errorf("want %q, got error %v, %.300s", f.want, aws.ToString(out.FunctionError), out.Payload)
				}
			}
		})
	}
	if err := create(t.Context(), client, "good", zipOf(t, entry{"index.js", `exports.handler = async (e) => e.length`, 0o644}), 10); err != nil {
		t.Fatal(err)
	}
	if out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("good"), Payload: []byte(`"abc"`)}); err != nil || string(out.Payload) != "3" {
		t.Errorf("a good function answers %v, %v", out, err)
	}
}

func TestPayloads(t *testing.T) {
	c := cloudtest.New(t)
	cfg := c.Config("us-east-1")
	client := lambdaOf(c)
	if err := create(t.Context(), client, "f", zipOf(t, entry{"index.js", `exports.handler = async () => 1`, 0o644}), 3); err != nil {
		t.Fatal(err)
	}
	text := func(n int) []byte { return []byte(`"` + strings.Repeat("x", n) + `"`) }
	_, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: text(6 << 20)})
	wantCode(t, "6 MB to a function", err, "RequestTooLargeException")
	_, err = client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: text(1 << 20), InvocationType: types.InvocationTypeEvent})
	wantCode(t, "1 MB of an event", err, "RequestTooLargeException")
	_, err = client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte("{")})
	wantCode(t, "no JSON", err, "InvalidRequestContentException")

	tables := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 })
	if _, err := tables.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String("table"), BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddb.KeyTypeHash}}}); err != nil {
		t.Fatal(err)
	}
	if err := dynamodb.NewTableExistsWaiter(tables).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("table")}, time.Minute); err != nil {
		t.Fatal(err)
	}
	put := func(item map[string]ddb.AttributeValue) error {
		_, err := tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("table"), Item: item})
		return err
	}
	id := &ddb.AttributeValueMemberS{Value: "1"}
	wantCode(t, "an item of 400 KB", put(map[string]ddb.AttributeValue{"id": id, "v": &ddb.AttributeValueMemberS{Value: strings.Repeat("x", 400<<10)}}), "ValidationException")
	var deep ddb.AttributeValue = id
	for range 40 {
		deep = &ddb.AttributeValueMemberL{Value: []ddb.AttributeValue{deep}}
	}
	wantCode(t, "a deep item", put(map[string]ddb.AttributeValue{"id": id, "v": deep}), "ValidationException")
	wantCode(t, "a long key", put(map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: strings.Repeat("k", 2049)}}), "ValidationException")
	if out, err := tables.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("table")}); err != nil || out.Count != 0 {
		t.Errorf("of what was refused there are %v items, %v", out, err)
	}

	objects := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle, o.RetryMaxAttempts = true, 1 })
	if _, err := objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}); err != nil {
		t.Fatal(err)
	}
	_, err = objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String(strings.Repeat("k", 1025)), Body: strings.NewReader("x")})
	wantCode(t, "a long key", err, "KeyTooLongError")
	_, err = objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), Body: strings.NewReader("x"),
		Metadata: map[string]string{"m": strings.Repeat("v", 3000)}})
	wantCode(t, "much metadata", err, "MetadataTooLarge")
	if out, err := objects.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("bucket")}); err != nil || len(out.Contents) != 0 {
		t.Errorf("of what was refused there is %v, %v", out, err)
	}
}

func wantCode(t *testing.T, what string, err error, want string) {
	t.Helper()
	if codeOf(err) != want {
		t.Errorf("%s: want %s, got %.300v", what, want, err)
	}
}
