package inventory

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"evo/internal/cfn"
	"evo/internal/shape"
)

const (
	httpAPIType   = "AWS::ApiGatewayV2::Api"
	httpStageType = "AWS::ApiGatewayV2::Stage"
	httpRouteType = "AWS::ApiGatewayV2::Route"
)

var httpAPIProperties = []string{"Name", "ProtocolType", "CorsConfiguration", "Description", "DisableExecuteApiEndpoint", "RouteSelectionExpression",
	"ApiKeySelectionExpression", "Version", "Tags"}

var httpStageProperties = []string{"AccessLogSettings", "AutoDeploy", "ClientCertificateId", "DefaultRouteSettings", "DeploymentId", "Description",
	"RouteSettings", "StageVariables", "Tags"}

var httpRouteProperties = []string{"ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "OperationName", "RouteKey", "Target"}

const apis = "arn:${AWS::Partition}:apigateway:${AWS::Region}::/apis/"

var httpAPIParts = []part{
	{gives: httpAPIProperties, actions: getAPI, on: []string{apis + "${@}"}, read: readHTTPAPI, exists: true},
	{actions: getAPI, on: []string{apis + "${@}/routes"}, read: readForeignRoutes, beside: unknownRoute},
}

var httpStageParts = []part{
	{gives: httpStageProperties, actions: getAPI, on: []string{apis + "${.ApiId}/stages/${@}"}, read: readHTTPStage, exists: true},
}

var httpRouteParts = []part{
	{gives: httpRouteProperties, actions: getAPI, on: []string{apis + "${.ApiId}/routes/${@}"}, read: readHTTPRoute, exists: true},
}

func readHTTPAPI(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.http.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	n := shape.Properties(httpAPIType, out, map[string]string{"Tags": "-"}, httpAPIProperties...)
	if t := shape.Tags(httpAPIType, "Tags", out.Tags); t != nil {
		n.Set("Tags", t)
	}
	return answer{properties: n}, nil
}

func readHTTPStage(ctx context.Context, now *run, it *Item) (answer, error) {
	api := it.text("ApiId")
	if api == "" {
		return answer{}, errUnnamed
	}
	out, err := now.http.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: &api, StageName: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	n := shape.Properties(httpStageType, out, map[string]string{"Tags": "-"}, httpStageProperties...)
	if t := shape.Tags(httpStageType, "Tags", out.Tags); t != nil {
		n.Set("Tags", t)
	}
	return answer{properties: n}, nil
}

func readHTTPRoute(ctx context.Context, now *run, it *Item) (answer, error) {
	api := it.text("ApiId")
	if api == "" {
		return answer{}, errUnnamed
	}
	out, err := now.http.GetRoute(ctx, &apigatewayv2.GetRouteInput{ApiId: &api, RouteId: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return answer{properties: shape.Properties(httpRouteType, out, nil, httpRouteProperties...)}, nil
}

// readForeignRoutes finds the routes that no item is: those of an API's definition, and any others.
func readForeignRoutes(ctx context.Context, now *run, it *Item) (answer, error) {
	var routes []types.Route
	in := &apigatewayv2.GetRoutesInput{ApiId: &it.PhysicalID}
	for more := true; more; more = in.NextToken != nil {
		out, err := now.http.GetRoutes(ctx, in)
		if err != nil {
			return answer{}, err
		}
		routes = append(routes, out.Items...)
		in.NextToken = out.NextToken
	}
	var a answer
	for _, route := range routes {
		id := aws.ToString(route.RouteId)
		if now.has(httpRouteType, id) {
			continue
		}
		n := shape.Properties(httpRouteType, route, nil, httpRouteProperties...)
		n.Set("ApiId", cfn.Str(it.PhysicalID))
		a.beside = append(a.beside, &Item{ID: it.ID + "/Route/" + aws.ToString(route.RouteKey), Type: httpRouteType, PhysicalID: id, Properties: n, Read: httpRouteProperties})
	}
	return a, nil
}

func unknownRoute(it *Item, reason string) []*Item {
	return unknownBeside(it, "/Route", httpRouteType, "ApiId", httpRouteProperties, reason)
}
