package codec

import (
	"bytes"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/model"
)

// settled checks that what a document was read as is written and read as the same again.
func settled(t *testing.T, p *Plan, v reflect.Value, write func(reflect.Value) []byte, read func([]byte, reflect.Value) error) {
	first := write(v)
	again := reflect.New(p.Type).Elem()
	if err := read(first, again); err != nil {
		t.Fatalf("what was written is not read: %v\n%q", err, first)
	}
	if second := write(again); !bytes.Equal(first, second) {
		t.Fatalf("what was read changes:\n%q\n%q", first, second)
	}
	p.Validate(v)
}

func FuzzJSON(f *testing.F) {
	p := inputPlan(f, "dynamodb", "PutItem", dynamodb.PutItemInput{})
	f.Add([]byte(`{"TableName":"t","Item":{"a":{"S":"x\u00e9\ud83d\ude00"},"l":{"L":[{"N":"1"},{"NULL":true}]},"b":{"BS":["AQI="]}},"Unknown":[1,{"a":null}]}`))
	f.Add([]byte(`{"Item":{"m":{"M":{"m":{"M":{}}}}},"ReturnValues":null}`))
	f.Add([]byte(strings.Repeat(`{"Item":{"a":{"L":[`, 50)))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v := reflect.New(p.Type).Elem()
		if p.DecodeJSON(data, v) == nil {
			settled(t, p, v, func(v reflect.Value) []byte { return p.AppendJSON(nil, v) }, p.DecodeJSON)
		}
	})
}

func FuzzCBOR(f *testing.F) {
	p := inputPlan(f, "cloudwatch", "PutMetricData", cloudwatch.PutMetricDataInput{})
	f.Add([]byte("\xbf\x69Namespace\x61n\x6aMetricData\x81\xa2\x65Value\xfb?\xf0\x00\x00\x00\x00\x00\x00\x69Timestamp\xc1\x1a\x65\x53\xf1\x00\xff"))
	f.Add([]byte("\xa1\x69Namespace\x7f\x61a\x61b\xff"))
	f.Add([]byte("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add(bytes.Repeat([]byte{0x9f}, 2000))
	f.Fuzz(func(t *testing.T, data []byte) {
		v := reflect.New(p.Type).Elem()
		if p.DecodeCBOR(data, v) == nil {
			settled(t, p, v, func(v reflect.Value) []byte { return p.AppendCBOR(nil, v) }, p.DecodeCBOR)
		}
	})
}

func FuzzXML(f *testing.F) {
	shape := model.Load("s3").Operations["PutBucketLifecycleConfiguration"].Input.Member("LifecycleConfiguration").Target
	p := For(shape, reflect.TypeFor[s3types.BucketLifecycleConfiguration]())
	f.Add([]byte(`<LifecycleConfiguration xmlns="x"><Rule><ID>a</ID><Status>Enabled</Status><Expiration><Days>1</Days></Expiration><Filter><And><Tag><Key>k</Key><Value>&lt;v</Value></Tag></And></Filter></Rule></LifecycleConfiguration>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`))
	f.Add([]byte(strings.Repeat("<a>", 600)))
	f.Fuzz(func(t *testing.T, data []byte) {
		v := reflect.New(p.Type).Elem()
		if p.DecodeXML(data, v) == nil {
			settled(t, p, v, func(v reflect.Value) []byte { return p.AppendXML(nil, "X", "", v) }, p.DecodeXML)
		}
	})
}

func FuzzQuery(f *testing.F) {
	p := inputPlan(f, "cloudformation", "CreateStack", cloudformation.CreateStackInput{})
	f.Add("StackName=s&Parameters.member.1.ParameterKey=k&Parameters.member.1.ParameterValue=v&Capabilities.member.1=CAPABILITY_IAM&Tags.member.2.Key=a")
	f.Add("Tags.member.1000000000.Key=a&Tags.member.-1=b&Tags=")
	f.Add("a." + strings.Repeat("b.", 600) + "=1")
	f.Fuzz(func(t *testing.T, data string) {
		form, err := url.ParseQuery(data)
		if err != nil {
			return
		}
		v := reflect.New(p.Type).Elem()
		if p.DecodeQuery(form, v) == nil {
			p.Validate(v)
		}
	})
}

func FuzzText(f *testing.F) {
	p := inputPlan(f, "s3", "PutObject", s3.PutObjectInput{})
	f.Add("Thu, 05 Nov 2026 12:00:00 GMT")
	f.Add("1e400")
	f.Fuzz(func(t *testing.T, text string) {
		v := reflect.New(p.Type).Elem()
		for i := range p.Fields {
			if field := &p.Fields[i]; field.Plan.simple() && !field.Plan.Shape.Streaming {
				if field.Plan.ParseText(text, field.Slot(v)) == nil {
					field.Plan.AppendText(nil, field.Slot(v), model.ISO8601)
				}
			}
		}
	})
}
