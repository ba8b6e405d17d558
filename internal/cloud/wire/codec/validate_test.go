package codec

import (
	"reflect"
	"regexp"
	"testing"

	cloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	dynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestShowUnions holds the form in which AWS prints them: never Go's types.
func TestShowUnions(t *testing.T) {
	text := func(s string) dynamodb.AttributeValue { return &dynamodb.AttributeValueMemberS{Value: s} }
	item := func(v dynamodb.AttributeValue) map[string][]dynamodb.WriteRequest {
		return map[string][]dynamodb.WriteRequest{"t": {{PutRequest: &dynamodb.PutRequest{Item: map[string]dynamodb.AttributeValue{"a": v, "b": text("x")}}}}}
	}
	want := regexp.MustCompile(`^\{t=\[WriteRequest\(deleteRequest=null, putRequest=PutRequest\(item=` +
		`\{a=com\.amazonaws\.dynamodb\.v20120810\.AttributeValue@([0-9a-f]+), b=com\.amazonaws\.dynamodb\.v20120810\.AttributeValue@([0-9a-f]+)\}\)\)\]\}$`)
	for _, c := range []struct {
		v    dynamodb.AttributeValue
		same bool
	}{
		{text("x"), true}, {text("y"), false}, {&dynamodb.AttributeValueMemberN{Value: "1"}, false},
		{&dynamodb.AttributeValueMemberL{Value: []dynamodb.AttributeValue{text("x"), &dynamodb.AttributeValueMemberNULL{Value: true}}}, false},
	} {
		got := show(reflect.ValueOf(item(c.v)))
		m := want.FindStringSubmatch(got)
		if m == nil {
			t.Errorf("got %s", got)
		} else if (m[1] == m[2]) != c.same {
			t.Errorf("%T and a string print as %s and %s", c.v, m[1], m[2])
		}
	}
	var none struct{ V dynamodb.AttributeValue }
	if got := show(reflect.ValueOf(none).Field(0)); got != "null" {
		t.Errorf("nothing prints as %s", got)
	}
	query := "up"
	other := struct{ V cloudwatch.EvaluationCriteria }{&cloudwatch.EvaluationCriteriaMemberPromQLCriteria{Value: cloudwatch.AlarmPromQLCriteria{Query: &query}}}
	if got := show(reflect.ValueOf(other).Field(0)); !regexp.MustCompile(`^EvaluationCriteria\(promQLCriteria=AlarmPromQLCriteria\(.*query=up\b.*\)\)$`).MatchString(got) {
		t.Errorf("got %s", got)
	}
}
