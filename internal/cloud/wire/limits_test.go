package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/cloud/wire"
	"evo/internal/cloud/wire/wiretest"
)

// TestHostileBodies sends bodies that are too large, too deep, or not what they say: each is refused, and the cloud goes on.
func TestHostileBodies(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 8<<20))
	z.Close()
	h, err := wire.New(wire.Config{MaxBody: 1 << 20, Services: []wire.Service{{Name: "dynamodb", For: func(string) (any, error) { return &tables{}, nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, body, encoding string
		code                 int
		text                 string
	}{
		{"a good one", `{"TableName":"abc","Item":{}}`, "", 200, "{}"},
		{"too large", `{"TableName":"` + strings.Repeat("x", 2<<20) + `"}`, "", 413, "RequestEntityTooLarge"},
		{"too large when unpacked", bomb.String(), "gzip", 400, "SerializationException"},
		{"not packed at all", "{}", "gzip", 400, "SerializationException"},
		{"too deep", `{"Item":{"a":` + strings.Repeat(`{"L":[`, 5000), "", 400, "nested too deeply"},
		{"no object", `[]`, "", 400, "SerializationException"},
		{"nothing after all", `{"TableName":`, "", 400, "SerializationException"},
		{"two documents", `{"TableName":"abc","Item":{}} {}`, "", 400, "SerializationException"},
		{"a number for a name", `{"TableName":1}`, "", 400, "NUMBER_VALUE cannot be converted to String"},
		{"two types at once", `{"TableName":"abc","Item":{"a":{"S":"x","N":"1"}}}`, "", 400, "more than one datatypes set"},
		{"no type", `{"TableName":"abc","Item":{"a":{}}}`, "", 400, "Supplied AttributeValue is empty"},
		{"no base64", `{"TableName":"abc","Item":{"a":{"B":"%"}}}`, "", 400, "base64"},
		{"required members missing", `{}`, "", 400, "2 validation errors detected"},
	} {
		r := httptest.NewRequest("POST", "http://localhost/", strings.NewReader(c.body))
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
		r.Header.Set("Content-Encoding", c.encoding)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: %d %.300s", c.what, w.Code, w.Body)
		}
	}
}

type noFunctions struct{}

func (noFunctions) ListFunctions(context.Context, *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	return &lambda.ListFunctionsOutput{}, nil
}

func (noFunctions) GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	return &lambda.GetFunctionConfigurationOutput{}, nil
}

// TestEmptyLists holds that what enumerates answers an empty list, and what describes one thing leaves it out.
func TestEmptyLists(t *testing.T) {
	c := lambda.NewFromConfig(wiretest.Config(t, wiretest.Serve{"lambda": noFunctions{}}))
	list, err := c.ListFunctions(t.Context(), nil)
	if err != nil || list.Functions == nil || len(list.Functions) != 0 {
		t.Error(list, err)
	}
	one, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if err != nil || one.Layers != nil {
		t.Error(one, err)
	}
}
