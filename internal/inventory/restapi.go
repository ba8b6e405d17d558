package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cfn"
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
	n := properties(restAPIType, out, map[string]string{"ApiKeySourceType": "ApiKeySource", "Policy": "-", "Tags": "-"}, restAPIProperties...)
	if out.Policy != nil {
		n.Set("Policy", apiPolicy(*out.Policy))
	}
	if t := tags(restAPIType, "Tags", out.Tags); t != nil {
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
	return document(text)
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
	n := properties(restStageType, out, map[string]string{"AccessLogSetting": "AccessLogSettings", "CanarySetting": "CanarySettings",
		"MethodSettings": "-", "Tags": "-"}, restStageProperties...)
	if !out.CacheClusterEnabled {
		n.Delete("CacheClusterSize") // of a cache that is no more
	}
	if m := methodSettings(out.MethodSettings); m != nil {
		n.Set("MethodSettings", m)
	}
	if t := tags(restStageType, "Tags", out.Tags); t != nil {
		n.Set("Tags", t)
	}
	a := answer{properties: n}
	if acl := aws.ToString(out.WebAclArn); acl != "" {
		a.beside = now.association(it, api, acl)
	}
	return a, nil
}

// methodSettings makes the API's map by path and method the template's list.
func methodSettings(settings map[string]types.MethodSetting) *cfn.Node {
	if len(settings) == 0 {
		return nil
	}
	list := cfn.Arr()
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		i := strings.LastIndexByte(key, '/')
		if i < 0 {
			continue
		}
		n := property(restStageType, "MethodSettings", []types.MethodSetting{settings[key]}, nil).Items[0]
		n.Set("HttpMethod", cfn.Str(key[i+1:]))
		n.Set("ResourcePath", cfn.Str("/"+strings.TrimPrefix(strings.ReplaceAll(key[:i], "~1", "/"), "/")))
		list.Items = append(list.Items, n)
	}
	return list
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
