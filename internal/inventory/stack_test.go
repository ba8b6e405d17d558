package inventory_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const child = `
Parameters: {Name: {Type: String}}
Resources:
  Inner: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Ref Name}}
Outputs: {Host: {Value: !GetAtt Inner.RegionalDomainName}}
`

const parent = `
Transform: AWS::Serverless-2016-10-31
Parameters:
  Secret: {Type: String, NoEcho: true}
  Sizes: {Type: CommaDelimitedList, Default: 'a,b'}
Conditions: {Big: !Equals [!Select [0, !Ref Sizes], a], Small: !Not [!Condition Big]}
Resources:
  Child: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: 'https://templates.s3.amazonaws.com/child', Parameters: {Name: inner-bucket}}}
  Table: {Type: 'AWS::Serverless::SimpleTable'}
  Hidden: {Type: 'AWS::S3::Bucket', Condition: Small}
  Group:
    Type: AWS::Logs::LogGroup
    Condition: Big
    Metadata: {a: b}
    Properties: {LogGroupName: !Join ['-', [!Ref 'AWS::StackName', !Ref Table]]}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: handler = print
      Environment:
        Variables:
          HOST: !GetAtt Child.Outputs.Host
          TABLE: !GetAtt Table.Arn
          GROUP: !GetAtt Group.Arn
          SECRET: !Sub 'x${Secret}'
          ELSEWHERE: !ImportValue shared
          OUTER: !GetAtt Api.RootResourceId
  Api: {Type: 'AWS::ApiGateway::RestApi', Properties: {Name: api}}
`

// A stack's items are what its template asks for, with everything filled in that the stack knows.
func TestStack(t *testing.T) {
	w := newWorld(t)
	buckets := s3.NewFromConfig(w.cfg)
	must(t)(buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("templates")}))
	must(t)(buckets.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("templates"), Key: aws.String("child"), Body: strings.NewReader(child)}))
	w.deploy("exports", `{Resources: {T: {Type: 'AWS::S3::Bucket'}}, Outputs: {O: {Value: there, Export: {Name: shared}}}}`)
	s := w.stack("parent", parent, "Secret", "hush")

	table := find(t, s.Items, "Table")
	if table.Type != "AWS::DynamoDB::Table" || table.PhysicalID == "" || table.Name != table.PhysicalID {
		t.Errorf("the table is %+v", table)
	}
	arn := "arn:aws:dynamodb:us-east-1:000000000000:table/" + table.PhysicalID
	if table.ARN != arn {
		t.Errorf("the table's ARN is %s, want %s", table.ARN, arn)
	}
	variables := find(t, s.Items, "Function").Properties.At("Environment", "Variables")
	for name, want := range map[string]string{
		"HOST":      `"inner-bucket.s3.us-east-1.amazonaws.com"`,
		"TABLE":     `"` + arn + `"`,
		"GROUP":     `"arn:aws:logs:us-east-1:000000000000:log-group:parent-` + table.PhysicalID + `:*"`,
		"SECRET":    `{"Fn::Join":["",["x",{"Ref":"Secret"}]]}`,
		"ELSEWHERE": `"there"`,
		"OUTER":     `{"Fn::GetAtt":["Api","RootResourceId"]}`,
	} {
		if got := text(variables.Get(name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if g := find(t, s.Items, "Group"); text(g.Metadata) != `{"a":"b"}` || text(g.Properties.Get("Tags")) != `[{"Key":"team","Value":"shop"}]` {
		t.Errorf("the log group has metadata %s and tags %s", text(g.Metadata), text(g.Properties.Get("Tags")))
	}
	if inner := find(t, s.Items, "Child/Inner"); inner.PhysicalID != "inner-bucket" {
		t.Errorf("the nested stack's bucket is %+v", inner)
	}
	for _, it := range s.Items {
		if it.ID == "Hidden" {
			t.Error("a resource whose condition does not hold is no item")
		}
	}
	if _, ok := s.Parameters["Secret"]; ok {
		t.Error("a parameter that is not to be shown has a value")
	}
	if b := find(t, w.reader().Live(t.Context(), s.Items), "Child/Inner"); b.Properties.Get("BucketEncryption") == nil {
		t.Error("the nested stack's bucket has not been read")
	}
}

// A stack that cannot be read is an error that says what was being done.
func TestStackFails(t *testing.T) {
	w := newWorld(t)
	if _, err := w.reader().Stack(t.Context(), "none"); err == nil || !strings.Contains(err.Error(), "describe stack none: ") {
		t.Errorf("got %v", err)
	}
	w.deploy("plain", `{Resources: {T: {Type: 'AWS::S3::Bucket'}}}`)
	w.calls.faults = map[string]func(*http.Request) error{"CloudFormation GetTemplate": denied}
	r := w.reader()
	if _, err := r.Stack(t.Context(), "plain"); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("got %v", err)
	}
}
