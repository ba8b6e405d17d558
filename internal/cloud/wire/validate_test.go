package wire

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	gateway "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	functions "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	topics "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/codec"
)

// TestValidation holds codes and texts that AWS gave, where they were recorded.
func TestValidation(t *testing.T) {
	for _, c := range []struct {
		service, op string
		in          any
		want        string // code: message; "" for a valid input
	}{
		{"lambda", "GetFunction", lambda.GetFunctionInput{FunctionName: aws.String("f")}, ""},
		{"lambda", "GetFunction", lambda.GetFunctionInput{}, "ValidationException: 1 validation error detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null"},
		{"lambda", "CreateAlias", lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")}, ""},
		{"lambda", "DeleteAlias", lambda.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("12")},
			`ValidationException: 1 validation error detected: Value '12' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`},
		{"lambda", "UpdateFunctionConfiguration", lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Role: aws.String("r1")},
			`ValidationException: 1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`},
		{"lambda", "CreateFunction", lambda.CreateFunctionInput{FunctionName: aws.String("f"), Role: aws.String("arn:aws:iam::000000000000:role/r"), Code: &functions.FunctionCode{},
			Architectures: []functions.Architecture{"X86_64"}},
			"ValidationException: 1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"},
		{"lambda", "CreateFunction", lambda.CreateFunctionInput{FunctionName: aws.String("f"), Role: aws.String("arn:aws:iam::000000000000:role/r"), Code: &functions.FunctionCode{},
			Architectures: []functions.Architecture{"x86_64", "arm64"}},
			"ValidationException: 1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1"},
		{"lambda", "UpdateAlias", lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("a"),
			RoutingConfig: &functions.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 2}}},
			"ValidationException: 1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"},
		{"lambda", "UpdateAlias", lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("a"),
			RoutingConfig: &functions.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"$LATEST": 0.5}}},
			"ValidationException: 1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"},
		{"lambda", "Invoke", lambda.InvokeInput{FunctionName: aws.String("arn:aws:lambda:us-east-1:000000000000:function:f:live"), Qualifier: aws.String("$LATEST")}, ""},
		{"apigateway", "CreateRestApi", apigateway.CreateRestApiInput{Name: aws.String("a"), EndpointConfiguration: &gateway.EndpointConfiguration{
			Types: []gateway.EndpointType{"wrong"}, IpAddressType: "wrong"}},
			"ValidationException: 2 validation errors detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [REGIONAL, EDGE, PRIVATE]]; Value 'wrong' at 'createRestApiInput.endpointConfiguration.ipAddressType' failed to satisfy constraint: Member must satisfy enum value set: [ipv4, dualstack]"},
		{"apigateway", "UpdateRestApi", apigateway.UpdateRestApiInput{RestApiId: aws.String("a"), PatchOperations: []gateway.PatchOperation{{Op: "wrong"}}},
			"ValidationException: 1 validation error detected: Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' failed to satisfy constraint: Member must satisfy enum value set: [add, remove, replace, move, copy, test]"},
		{"apigateway", "PutMethodResponse", apigateway.PutMethodResponseInput{RestApiId: aws.String("a"), ResourceId: aws.String("r"), HttpMethod: aws.String("GET"), StatusCode: aws.String("wrong")},
			`ValidationException: 1 validation error detected: Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\d\d`},
		{"cloudwatch", "SetAlarmState", cloudwatch.SetAlarmStateInput{AlarmName: aws.String("a"), StateReason: aws.String("r"), StateValue: cw.StateValue("INVALID")},
			"ValidationException: 1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [OK, ALARM, INSUFFICIENT_DATA]"},
		{"dynamodb", "ExecuteStatement", dynamodb.ExecuteStatementInput{Statement: aws.String("s"), Parameters: []ddb.AttributeValue{}},
			"ValidationException: 1 validation error detected: Value '[]' at 'parameters' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"dynamodb", "UpdateTable", dynamodb.UpdateTableInput{TableName: aws.String("table"), GlobalSecondaryIndexUpdates: []ddb.GlobalSecondaryIndexUpdate{{
			Create: &ddb.CreateGlobalSecondaryIndexAction{IndexName: aws.String("index"), Projection: &ddb.Projection{}, KeySchema: []ddb.KeySchemaElement{
				{AttributeName: aws.String("a"), KeyType: ddb.KeyTypeHash}, {AttributeName: aws.String("b"), KeyType: ddb.KeyTypeHash}, {AttributeName: aws.String("c"), KeyType: ddb.KeyTypeRange}}}}}}, ""},
		{"dynamodb", "ListTables", dynamodb.ListTablesInput{Limit: aws.Int32(101)},
			"ValidationException: 1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"cloudformation", "ValidateTemplate", cloudformation.ValidateTemplateInput{TemplateBody: aws.String("")},
			"ValidationError: 1 validation error detected: Value '' at 'templateBody' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"iam", "GetRole", iam.GetRoleInput{RoleName: aws.String("a/b")},
			`ValidationError: 1 validation error detected: Value 'a/b' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`},
		{"sns", "Publish", sns.PublishInput{Message: aws.String("m"), MessageAttributes: map[string]topics.MessageAttributeValue{"attr1": {}}},
			"ValidationError: 1 validation error detected: Value null at 'messageAttributes.attr1.member.dataType' failed to satisfy constraint: Member must not be null"},
		{"s3", "PutBucketPolicy", s3.PutBucketPolicyInput{Bucket: aws.String("b")},
			"MalformedXML: The XML you provided was not well-formed or did not validate against our published schema"},
	} {
		s := model.Load(c.service)
		op := s.Operations[c.op]
		v := reflect.ValueOf(c.in)
		m := &method{op: op, in: codec.For(op.Input, v.Type())}
		x := &exchange{r: httptest.NewRequest("POST", "/", nil), target: target{service: s, op: op, protocol: s.Protocols[0]}}
		got := ""
		if err := x.validate(m, v); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got  %s\nwant %s", c.op, got, c.want)
		}
	}
}

// TestPatternsCanBeMatched finds the models' patterns that Go cannot match, which would let every value pass.
func TestPatternsCanBeMatched(t *testing.T) {
	// Two look around in their middle: an alias of an account without "--", and a function URL's qualifier.
	known := map[string]bool{"accountAliasType": true, "FunctionUrlQualifier": true}
	n, all := 0, 0
	for _, i := range model.Services() {
		for _, s := range model.Load(i.Name).Shapes {
			if s.Constraint == nil || s.Constraint.Pattern == "" {
				continue
			}
			all++
			if err := codec.CheckPattern(s.Constraint.Pattern); err != nil && !known[s.Name] {
				n++
				t.Logf("%s %s: %s", i.Name, s.Name, strings.ReplaceAll(err.Error(), "\n", " "))
			}
		}
	}
	if n > 0 {
		t.Errorf("%d of %d patterns cannot be matched", n, all)
	}
}
