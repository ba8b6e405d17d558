package inventory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"

	"evo/internal/cfn"
	"evo/internal/shape"
)

const (
	restAPIType     = "AWS::ApiGateway::RestApi"
	restStageType   = "AWS::ApiGateway::Stage"
	associationType = "AWS::WAFv2::WebACLAssociation"
)

var restAPIProperties = []string{"Name", "Description", "ApiKeySourceType", "BinaryMediaTypes", "DisableExecuteApiEndpoint", "EndpointConfiguration",
	"MinimumCompressionSize", "Policy", "SecurityPolicy", "Tags"}

var restStageProperties = []string{"AccessLogSetting", "CacheClusterEnabled", "CacheClusterSize", "CanarySetting", "ClientCertificateId", "DeploymentId",
	"Description", "DocumentationVersion", "MethodSettings", "Tags", "TracingEnabled", "Variables"}

var getAPI = []string{"apigateway:GET"}

var restAPIParts = []part{
	{gives: restAPIProperties, actions: getAPI, on: []string{"arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${@}"}, read: readRestAPI, exists: true},
}

var restStageParts = []part{
	{gives: restStageProperties, actions: getAPI, on: []string{"arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${.RestApiId}/stages/${@}"},
		read: readRestStage, exists: true},
}

func readRestAPI(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.rest.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	n := shape.Properties(restAPIType, out, map[string]string{"ApiKeySourceType": "ApiKeySource", "Policy": "-", "Tags": "-"}, restAPIProperties...)
	if out.Policy != nil {
		n.Set("Policy", apiPolicy(*out.Policy))
	}
	if t := shape.Tags(restAPIType, "Tags", out.Tags); t != nil {
		n.Set("Tags", t)
	}
	return answer{properties: n}, nil
}

// apiPolicy reads an API's resource policy, which API Gateway answers as it stands within a string of JSON.
func apiPolicy(text string) *cfn.Node {
	if strings.HasPrefix(text, `{\"`) {
		if plain, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `\/`, `/`) + `"`); err == nil {
			text = plain
		}
	}
	return shape.Document(text)
}

func readRestStage(ctx context.Context, now *run, it *Item) (answer, error) {
	api := it.text("RestApiId")
	if api == "" {
		return answer{}, errUnnamed
	}
	out, err := now.rest.GetStage(ctx, &apigateway.GetStageInput{RestApiId: &api, StageName: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	n := shape.RestStage(out, out.MethodSettings, restStageProperties...)
	if t := shape.Tags(restStageType, "Tags", out.Tags); t != nil {
		n.Set("Tags", t)
	}
	a := answer{properties: n}
	if acl := aws.ToString(out.WebAclArn); acl != "" {
		a.beside = now.association(it, api, acl)
	}
	return a, nil
}

// association is a stage's web ACL, unless an item is it.
func (now *run) association(it *Item, api, acl string) []*Item {
	arn := fmt.Sprintf("arn:%s:apigateway:%s::/restapis/%s/stages/%s", partitionOf(now.rest.Options().Region), now.rest.Options().Region, api, it.PhysicalID)
	if slices.ContainsFunc(now.items, func(a *Item) bool { return a.Type == associationType && a.text("ResourceArn") == arn }) {
		return nil
	}
	return []*Item{{ID: it.ID + "/WebACL", Type: associationType, PhysicalID: arn + "|" + acl, Read: []string{"ResourceArn", "WebACLArn"},
		Properties: cfn.Obj(cfn.P("ResourceArn", cfn.Str(arn)), cfn.P("WebACLArn", cfn.Str(acl)))}}
}

func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
