package httpapi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"evo/internal/cloud/openapi"
)

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"}

// Import reads an OpenAPI 3 document into an API, whose routes it replaces. It returns the API, and warnings of what it did not
// understand.
func Import(a API, body []byte, newID func() string) (API, []string, error) {
	doc, err := openapi.Parse(body)
	if err != nil {
		return a, nil, err
	}
	if !strings.HasPrefix(openapi.Text(doc, "openapi"), "3.") {
		return a, nil, errors.New("an HTTP API is described by an OpenAPI 3 document")
	}
	im := &importer{doc: doc, newID: newID, api: New(a.ID, a.Name), authorizers: map[string]string{}}
	info := openapi.Object(doc, "info")
	if title := openapi.Text(info, "title"); title != "" {
		im.api.Name = title
	}
	im.api.Description, im.api.Version = openapi.Text(info, "description"), openapi.Text(info, "version")
	im.api.Disabled = openapi.Flag(openapi.Object(doc, "x-amazon-apigateway-endpoint-configuration"), "disableExecuteApiEndpoint")
	im.api.Cors = cors(openapi.Object(doc, "x-amazon-apigateway-cors"))
	im.security()
	if err := im.paths(); err != nil {
		return a, nil, err
	}
	return im.api, im.warnings, nil
}

type importer struct {
	doc         map[string]any
	newID       func() string
	api         API
	authorizers map[string]string // ids by name
	warnings    []string
}

func cors(c map[string]any) *types.Cors {
	if c == nil {
		return nil
	}
	out := &types.Cors{
		AllowHeaders: openapi.Texts(c, "allowHeaders"), AllowMethods: openapi.Texts(c, "allowMethods"),
		AllowOrigins: openapi.Texts(c, "allowOrigins"), ExposeHeaders: openapi.Texts(c, "exposeHeaders"),
	}
	if openapi.Flag(c, "allowCredentials") {
		out.AllowCredentials = aws.Bool(true)
	}
	if age, err := strconv.Atoi(openapi.Text(c, "maxAge")); err == nil {
		out.MaxAge = aws.Int32(int32(age))
	}
	return out
}

func (im *importer) security() {
	schemes := openapi.Object(openapi.Object(im.doc, "components"), "securitySchemes")
	for _, name := range openapi.Keys(schemes) {
		a := openapi.Object(openapi.Object(schemes, name), "x-amazon-apigateway-authorizer")
		if a == nil {
			continue
		}
		id := im.newID()
		out := types.Authorizer{AuthorizerId: &id, Name: aws.String(name), AuthorizerType: types.AuthorizerTypeRequest}
		if openapi.Text(a, "type") == "jwt" {
			out.AuthorizerType = types.AuthorizerTypeJwt
			jwt := openapi.Object(a, "jwtConfiguration")
			out.JwtConfiguration = &types.JWTConfiguration{Issuer: aws.String(openapi.Text(jwt, "issuer")), Audience: openapi.Texts(jwt, "audience")}
		}
		if uri := openapi.Text(a, "authorizerUri"); uri != "" {
			out.AuthorizerUri = &uri
		}
		if source := openapi.Text(a, "identitySource"); source != "" {
			out.IdentitySource = strings.Split(strings.ReplaceAll(source, " ", ""), ",")
		}
		if version := openapi.Text(a, "authorizerPayloadFormatVersion"); version != "" {
			if !strings.Contains(version, ".") {
				version += ".0" // a number in the document
			}
			out.AuthorizerPayloadFormatVersion = &version
		}
		if openapi.Flag(a, "enableSimpleResponses") {
			out.EnableSimpleResponses = aws.Bool(true)
		}
		if ttl, err := strconv.Atoi(openapi.Text(a, "authorizerResultTtlInSeconds")); err == nil {
			out.AuthorizerResultTtlInSeconds = aws.Int32(int32(ttl))
		}
		if im.api.Authorizers == nil {
			im.api.Authorizers = map[string]types.Authorizer{}
		}
		im.api.Authorizers[id] = out
		im.authorizers[name] = id
	}
}

func (im *importer) paths() error {
	all := openapi.Object(im.doc, "paths")
	for _, path := range openapi.Keys(all) {
		item := openapi.Object(all, path)
		for _, name := range methods {
			op := openapi.Object(item, name)
			if op == nil {
				continue
			}
			if err := im.route(path, name, op); err != nil {
				return fmt.Errorf("%s %s: %w", strings.ToUpper(name), path, err)
			}
		}
	}
	return nil
}

func (im *importer) route(path, name string, op map[string]any) error {
	verb := strings.ToUpper(name)
	if name == "x-amazon-apigateway-any-method" {
		verb = "ANY"
	}
	key := verb + " " + path
	if strings.TrimPrefix(path, "/") == "$default" {
		key = "$default"
	}
	if err := CheckRouteKey(key); err != nil {
		return err
	}
	id := im.newID()
	r := types.Route{RouteId: &id, RouteKey: &key, AuthorizationType: types.AuthorizationTypeNone, ApiKeyRequired: aws.Bool(false)}
	if operation := openapi.Text(op, "operationId"); operation != "" {
		r.OperationName = &operation
	}
	im.authorize(&r, op)
	if in := openapi.Object(op, "x-amazon-apigateway-integration"); in != nil {
		integration := im.integration(in)
		r.Target = aws.String("integrations/" + *integration.IntegrationId)
		im.api.Integrations[*integration.IntegrationId] = integration
	} else {
		im.warnings = append(im.warnings, "route "+key+" has no integration")
	}
	im.api.Routes[id] = r
	return nil
}

func (im *importer) authorize(r *types.Route, op map[string]any) {
	requirements, own := op["security"].([]any)
	if !own {
		requirements = openapi.List(im.doc, "security")
	}
	for _, v := range requirements {
		requirement, _ := v.(map[string]any)
		for _, name := range openapi.Keys(requirement) {
			id, ok := im.authorizers[name]
			switch {
			case !ok && name == "NONE":
				return
			case !ok:
				im.warnings = append(im.warnings, "security scheme "+name+" has no authorizer")
				continue
			}
			r.AuthorizerId, r.AuthorizationScopes = &id, openapi.Texts(requirement, name)
			r.AuthorizationType = types.AuthorizationTypeCustom
			if im.api.Authorizers[id].AuthorizerType == types.AuthorizerTypeJwt {
				r.AuthorizationType = types.AuthorizationTypeJwt
			}
			return
		}
	}
}

func (im *importer) integration(in map[string]any) types.Integration {
	id := im.newID()
	i := types.Integration{
		IntegrationId: &id, IntegrationType: types.IntegrationType(strings.ToUpper(openapi.Text(in, "type"))), ConnectionType: types.ConnectionTypeInternet,
		PayloadFormatVersion: aws.String("1.0"), TimeoutInMillis: aws.Int32(30000), RequestParameters: openapi.TextMap(in, "requestParameters"),
	}
	for key, to := range map[string]**string{
		"uri": &i.IntegrationUri, "httpMethod": &i.IntegrationMethod, "payloadFormatVersion": &i.PayloadFormatVersion,
		"credentials": &i.CredentialsArn, "connectionId": &i.ConnectionId, "subtype": &i.IntegrationSubtype, "description": &i.Description,
	} {
		if v := openapi.Text(in, key); v != "" {
			*to = &v
		}
	}
	if f, ok := in["payloadFormatVersion"].(float64); ok {
		i.PayloadFormatVersion = aws.String(strconv.FormatFloat(f, 'f', 1, 64))
	}
	if ms, err := strconv.Atoi(openapi.Text(in, "timeoutInMillis")); err == nil {
		i.TimeoutInMillis = aws.Int32(int32(ms))
	}
	return i
}

// CheckRouteKey refuses what is no route key of an HTTP API: $default, or a method and a path.
func CheckRouteKey(key string) error {
	if key == "$default" {
		return nil
	}
	verb, path, ok := strings.Cut(key, " ")
	known := verb == "ANY"
	for _, m := range methods {
		known = known || strings.EqualFold(m, verb) && strings.ToUpper(verb) == verb
	}
	if !ok || !known || !strings.HasPrefix(path, "/") {
		return fmt.Errorf("the route key %q is not $default, and not a method and a path such as GET /pets", key)
	}
	parts := strings.Split(path[1:], "/")
	for i, part := range parts {
		if strings.HasSuffix(part, "+}") && i != len(parts)-1 {
			return fmt.Errorf("the route key %q has a greedy variable that is not its last part", key)
		}
	}
	return nil
}
