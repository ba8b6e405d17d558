package codec

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"evo/internal/cloud/model"
)

func inputPlan(t testing.TB, service, op string, in any) *Plan {
	t.Helper()
	return For(model.Load(service).Operations[op].Input, reflect.TypeOf(in))
}

func TestJSONRoundTrip(t *testing.T) {
	p := inputPlan(t, "dynamodb", "PutItem", dynamodb.PutItemInput{})
	const doc = `{"TableName":"t","Item":{"a":{"S":"x"},"b":{"B":"AQI="},"l":{"L":[{"N":"1"},{"BOOL":true},{"NULL":true}]},"m":{"M":{"k":{"SS":["a","b"]}}}},"ReturnValues":"ALL_OLD"}`
	var in, again dynamodb.PutItemInput
	if err := p.DecodeJSON([]byte(doc), reflect.ValueOf(&in).Elem()); err != nil {
		t.Fatal(err)
	}
	out := p.AppendJSON(nil, reflect.ValueOf(in))
	if string(out) != doc {
		t.Errorf("got  %s\nwant %s", out, doc)
	}
	cb := p.AppendCBOR(nil, reflect.ValueOf(in))
	if err := p.DecodeCBOR(cb, reflect.ValueOf(&again).Elem()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(in, again, cmpopts.IgnoreUnexported(dynamodb.PutItemInput{}), cmp.Exporter(func(reflect.Type) bool { return true })); d != "" {
		t.Error(d)
	}
	if x := p.Validate(reflect.ValueOf(in)); len(x) > 0 {
		t.Error(x)
	}
	if x := p.Validate(reflect.ValueOf(dynamodb.PutItemInput{})); len(x) != 2 {
		t.Error(x)
	}
}

func BenchmarkDecodePutItem(b *testing.B) {
	p := inputPlan(b, "dynamodb", "PutItem", dynamodb.PutItemInput{})
	doc := []byte(`{"TableName":"t","Item":{"pk":{"S":"customer#1234567"},"sk":{"S":"order#2026-11-05T12:00:00Z"},"total":{"N":"129.95"},"note":{"S":"leave at the door, please"},"paid":{"BOOL":true},"lines":{"L":[{"S":"a"},{"S":"b"}]}},"ReturnValues":"NONE"}`)
	b.ReportAllocs()
	for b.Loop() {
		var in dynamodb.PutItemInput
		if err := p.DecodeJSON(doc, reflect.ValueOf(&in).Elem()); err != nil {
			b.Fatal(err)
		}
	}
}
