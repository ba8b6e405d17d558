package restapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cloud/openapi"
)

// Options of Import.
type Options struct {
	Merge    bool          // keep what the API has and the document does not name
	BasePath string        // ignore (the default), prepend or split
	NewID    func() string // of resources, models, validators, authorizers
}

var methodNames = []string{"get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"}

// Import reads an OpenAPI 3 or Swagger 2 document into an API. It returns the API, and warnings of what it did not understand.
func Import(a API, body []byte, o Options) (API, []string, error) {
	doc, err := openapi.Parse(body)
	if err != nil {
		return a, nil, err
	}
	im := &importer{doc: doc, o: o, api: a.Clone()}
	switch {
	case strings.HasPrefix(openapi.Text(doc, "openapi"), "3."):
		im.v3 = true
	case openapi.Text(doc, "swagger") != "2.0" && openapi.Text(doc, "swagger") != "2":
		return a, nil, errors.New("the document is neither OpenAPI 3 nor Swagger 2.0")
	}
	if !o.Merge {
		im.clear()
	}
	im.info()
	im.models()
	im.validators()
	im.authorizers()
	im.gatewayResponses()
	if err := im.paths(); err != nil {
		return a, nil, err
	}
	return im.api, im.warnings, nil
}

type importer struct {
	doc      map[string]any
	v3       bool
	o        Options
	api      API
	warnings []string
	byName   map[string]string // ids of validators and authorizers, by kind and name
}

func (im *importer) clear() {
	root := Resource{ID: im.api.RootID, Path: "/"}
	im.api.Resources = map[string]Resource{root.ID: root}
	im.api.Models, im.api.Validators, im.api.Authorizers, im.api.Responses = nil, nil, nil, nil
	im.api.BinaryMediaTypes = nil
}

func (im *importer) info() {
	im.byName = map[string]string{}
	info := openapi.Object(im.doc, "info")
	if title := openapi.Text(info, "title"); title != "" {
		im.api.Name = title
	}
	if d := openapi.Text(info, "description"); d != "" {
		im.api.Description = d
	}
	im.api.Version = openapi.Text(info, "version")
	if b := openapi.Texts(im.doc, "x-amazon-apigateway-binary-media-types"); b != nil {
		im.api.BinaryMediaTypes = b
	}
	if s := openapi.Text(im.doc, "x-amazon-apigateway-api-key-source"); s != "" {
		im.api.APIKeySource = types.ApiKeySourceType(strings.ToUpper(s))
	}
	if p := openapi.Object(im.doc, "x-amazon-apigateway-policy"); p != nil {
		b, _ := json.Marshal(p)
		im.api.Policy = string(b)
	}
	if m, ok := im.doc["x-amazon-apigateway-minimum-compression-size"].(float64); ok {
		im.api.MinCompression = aws.Int32(int32(m))
	}
	if e := openapi.Object(im.doc, "x-amazon-apigateway-endpoint-configuration"); e != nil {
		im.api.Disabled = openapi.Flag(e, "disableExecuteApiEndpoint")
	}
}

func (im *importer) models() {
	definitions := openapi.Object(im.doc, "definitions")
	if im.v3 {
		definitions = openapi.Object(openapi.Object(im.doc, "components"), "schemas")
	}
	for _, name := range openapi.Keys(definitions) {
		schema, _ := json.Marshal(definitions[name])
		if im.api.Models == nil {
			im.api.Models = map[string]types.Model{}
		}
		im.api.Models[name] = types.Model{Id: aws.String(im.o.NewID()), Name: aws.String(name), ContentType: aws.String("application/json"), Schema: aws.String(string(schema))}
	}
}

func (im *importer) validators() {
	all := openapi.Object(im.doc, "x-amazon-apigateway-request-validators")
	for _, name := range openapi.Keys(all) {
		if im.api.Validators == nil {
			im.api.Validators = map[string]types.RequestValidator{}
		}
		id, v := im.o.NewID(), openapi.Object(all, name)
		im.byName["validator "+name] = id
		im.api.Validators[id] = types.RequestValidator{
			Id: &id, Name: aws.String(name), ValidateRequestBody: openapi.Flag(v, "validateRequestBody"), ValidateRequestParameters: openapi.Flag(v, "validateRequestParameters"),
		}
	}
}

func (im *importer) authorizers() {
	schemes := openapi.Object(im.doc, "securityDefinitions")
	if im.v3 {
		schemes = openapi.Object(openapi.Object(im.doc, "components"), "securitySchemes")
	}
	for _, name := range openapi.Keys(schemes) {
		scheme := openapi.Object(schemes, name)
		authorizer := openapi.Object(scheme, "x-amazon-apigateway-authorizer")
		kind := openapi.Text(scheme, "x-amazon-apigateway-authtype")
		if authorizer == nil {
			continue
		}
		id := im.o.NewID()
		a := types.Authorizer{
			Id: &id, Name: aws.String(name), AuthType: str(kind), AuthorizerUri: str(openapi.Text(authorizer, "authorizerUri")),
			AuthorizerCredentials: str(openapi.Text(authorizer, "authorizerCredentials")), IdentityValidationExpression: str(openapi.Text(authorizer, "identityValidationExpression")),
			IdentitySource: str(openapi.Text(authorizer, "identitySource")), Type: types.AuthorizerType(strings.ToUpper(openapi.Text(authorizer, "type"))),
			ProviderARNs: openapi.Texts(authorizer, "providerARNs"),
		}
		if a.Type == "COGNITO_USER_POOLS" || a.IdentitySource == nil && a.Type == "TOKEN" {
			a.IdentitySource = aws.String("method.request.header." + openapi.Text(scheme, "name"))
		}
		if ttl, err := strconv.Atoi(openapi.Text(authorizer, "authorizerResultTtlInSeconds")); err == nil {
			a.AuthorizerResultTtlInSeconds = aws.Int32(int32(ttl))
		}
		if im.api.Authorizers == nil {
			im.api.Authorizers = map[string]types.Authorizer{}
		}
		im.api.Authorizers[id] = a
		im.byName["authorizer "+name] = id
	}
}

func (im *importer) gatewayResponses() {
	all := openapi.Object(im.doc, "x-amazon-apigateway-gateway-responses")
	for _, kind := range openapi.Keys(all) {
		r := openapi.Object(all, kind)
		if _, known := DefaultResponses[kind]; !known {
			im.warnings = append(im.warnings, "gateway response "+kind+" does not exist")
			continue
		}
		if im.api.Responses == nil {
			im.api.Responses = map[string]types.GatewayResponse{}
		}
		im.api.Responses[kind] = CustomResponse(kind, openapi.Text(r, "statusCode"), openapi.TextMap(r, "responseParameters"), openapi.TextMap(r, "responseTemplates"))
	}
}

// CustomResponse returns an API's own gateway response: what is not given is as in AWS's own.
func CustomResponse(kind, status string, parameters, templates map[string]string) types.GatewayResponse {
	r := new(API).Response(kind)
	r.DefaultResponse = false
	if status != "" {
		r.StatusCode = &status
	}
	if parameters != nil {
		r.ResponseParameters = parameters
	}
	if templates != nil {
		r.ResponseTemplates = templates
	}
	return r
}

// prefix is the base path that resources get.
func (im *importer) prefix() string {
	base := openapi.Text(im.doc, "basePath")
	if im.v3 {
		if servers := openapi.List(im.doc, "servers"); len(servers) > 0 {
			base = serverPath(servers[0])
		}
	}
	base = "/" + strings.Trim(base, "/")
	switch im.o.BasePath {
	case "prepend":
		return base
	case "split":
		_, rest, _ := strings.Cut(strings.Trim(base, "/"), "/")
		return "/" + rest
	}
	return "/"
}

func serverPath(server any) string {
	s, _ := server.(map[string]any)
	url := openapi.Text(s, "url")
	for name, v := range openapi.Object(s, "variables") {
		if o, ok := v.(map[string]any); ok {
			url = strings.ReplaceAll(url, "{"+name+"}", strings.Trim(openapi.Text(o, "default"), "/"))
		}
	}
	if _, rest, ok := strings.Cut(url, "://"); ok {
		_, url, _ = strings.Cut(rest, "/")
	}
	return url
}

func (im *importer) paths() error {
	all := openapi.Object(im.doc, "paths")
	for _, path := range openapi.Keys(all) {
		item := openapi.Object(all, path)
		if !strings.HasPrefix(path, "/") {
			return fmt.Errorf("path %q does not begin with /", path)
		}
		r := im.api.Ensure(strings.TrimSuffix(im.prefix(), "/")+path, im.o.NewID)
		methods := maps.Clone(r.Methods)
		if methods == nil {
			methods = map[string]types.Method{}
		}
		for _, name := range methodNames {
			op := openapi.Object(item, name)
			if op == nil {
				continue
			}
			m, err := im.method(r, name, item, op)
			if err != nil {
				return fmt.Errorf("%s %s: %w", strings.ToUpper(name), path, err)
			}
			methods[*m.HttpMethod] = m
		}
		if r.Methods = methods; len(methods) > 0 {
			im.api.Resources[r.ID] = r
		}
	}
	return nil
}

func (im *importer) method(r Resource, name string, item, op map[string]any) (types.Method, error) {
	verb := strings.ToUpper(name)
	if name == "x-amazon-apigateway-any-method" {
		verb = "ANY"
	}
	m := types.Method{HttpMethod: &verb, ApiKeyRequired: aws.Bool(false), AuthorizationType: aws.String("NONE"), OperationName: str(openapi.Text(op, "operationId"))}
	im.parameters(&m, item, op)
	im.security(&m, op)
	im.validator(&m, op)
	m.MethodResponses = im.methodResponses(op)
	integration := openapi.Object(op, "x-amazon-apigateway-integration")
	if integration == nil {
		return m, nil
	}
	i, err := newIntegration(r, integration)
	m.MethodIntegration = i
	return m, err
}

func (im *importer) parameters(m *types.Method, item, op map[string]any) {
	all := append(slices.Clone(openapi.List(item, "parameters")), openapi.List(op, "parameters")...)
	for _, v := range all {
		p, _ := v.(map[string]any)
		if ref := openapi.Text(p, "$ref"); ref != "" {
			p = im.refer(ref)
		}
		name := openapi.Text(p, "name")
		place, ok := map[string]string{"query": "querystring", "header": "header", "path": "path"}[openapi.Text(p, "in")]
		switch {
		case ok && name != "":
			if m.RequestParameters == nil {
				m.RequestParameters = map[string]bool{}
			}
			m.RequestParameters["method.request."+place+"."+name] = openapi.Flag(p, "required")
		case openapi.Text(p, "in") == "body":
			im.bodyModel(m, "application/json", openapi.Object(p, "schema"))
		}
	}
	content := openapi.Object(openapi.Object(op, "requestBody"), "content")
	for _, media := range openapi.Keys(content) {
		im.bodyModel(m, media, openapi.Object(openapi.Object(content, media), "schema"))
	}
}

// refer follows a reference within the document.
func (im *importer) refer(ref string) map[string]any {
	at := im.doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at = openapi.Object(at, part)
	}
	return at
}

func (im *importer) bodyModel(m *types.Method, media string, schema map[string]any) {
	ref := openapi.Text(schema, "$ref")
	if ref == "" {
		return
	}
	if m.RequestModels == nil {
		m.RequestModels = map[string]string{}
	}
	m.RequestModels[media] = ref[strings.LastIndexByte(ref, '/')+1:]
}

// security sets a method's authorization by the first requirement, its own or the document's. An empty list, or a scheme
// named NONE, stands for no authorization.
func (im *importer) security(m *types.Method, op map[string]any) {
	requirements, own := op["security"].([]any)
	if !own {
		requirements = openapi.List(im.doc, "security")
	}
	schemes := openapi.Object(im.doc, "securityDefinitions")
	if im.v3 {
		schemes = openapi.Object(openapi.Object(im.doc, "components"), "securitySchemes")
	}
	for _, v := range requirements {
		requirement, _ := v.(map[string]any)
		for _, name := range openapi.Keys(requirement) {
			im.require(m, name, openapi.Object(schemes, name), openapi.Texts(requirement, name))
		}
	}
	if openapi.Text(openapi.Object(op, "x-amazon-apigateway-auth"), "type") == "AWS_IAM" {
		m.AuthorizationType = aws.String("AWS_IAM")
	}
}

func (im *importer) require(m *types.Method, name string, scheme map[string]any, scopes []string) {
	id, ok := im.byName["authorizer "+name]
	switch a := im.api.Authorizers[id]; {
	case ok && a.Type == "COGNITO_USER_POOLS":
		m.AuthorizationType, m.AuthorizerId, m.AuthorizationScopes = aws.String("COGNITO_USER_POOLS"), &id, scopes
	case ok:
		m.AuthorizationType, m.AuthorizerId = aws.String("CUSTOM"), &id
	case openapi.Text(scheme, "x-amazon-apigateway-authtype") == "awsSigv4":
		m.AuthorizationType = aws.String("AWS_IAM")
	case openapi.Text(scheme, "type") == "apiKey" && strings.EqualFold(openapi.Text(scheme, "name"), "x-api-key"):
		m.ApiKeyRequired = aws.Bool(true)
	case name != "NONE":
		im.warnings = append(im.warnings, "security scheme "+name+" is not one that API Gateway acts on")
	}
}

func (im *importer) validator(m *types.Method, op map[string]any) {
	name := openapi.Text(op, "x-amazon-apigateway-request-validator")
	if name == "" {
		name = openapi.Text(im.doc, "x-amazon-apigateway-request-validator")
	}
	if id, ok := im.byName["validator "+name]; ok {
		m.RequestValidatorId = &id
	}
}

func (im *importer) methodResponses(op map[string]any) map[string]types.MethodResponse {
	all := openapi.Object(op, "responses")
	out := map[string]types.MethodResponse{}
	for _, status := range openapi.Keys(all) {
		if len(status) != 3 {
			continue // default
		}
		r := types.MethodResponse{StatusCode: aws.String(status)}
		response := openapi.Object(all, status)
		for _, header := range openapi.Keys(openapi.Object(response, "headers")) {
			if r.ResponseParameters == nil {
				r.ResponseParameters = map[string]bool{}
			}
			r.ResponseParameters["method.response.header."+header] = false
		}
		content := openapi.Object(response, "content")
		if schema := openapi.Object(response, "schema"); schema != nil {
			content = map[string]any{"application/json": map[string]any{"schema": schema}}
		}
		for _, media := range openapi.Keys(content) {
			if ref := openapi.Text(openapi.Object(openapi.Object(content, media), "schema"), "$ref"); ref != "" {
				if r.ResponseModels == nil {
					r.ResponseModels = map[string]string{}
				}
				r.ResponseModels[media] = ref[strings.LastIndexByte(ref, '/')+1:]
			}
		}
		out[status] = r
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func newIntegration(r Resource, in map[string]any) (*types.Integration, error) {
	i := &types.Integration{
		Type: types.IntegrationType(strings.ToUpper(openapi.Text(in, "type"))), Uri: str(openapi.Text(in, "uri")), HttpMethod: str(strings.ToUpper(openapi.Text(in, "httpMethod"))),
		PassthroughBehavior: aws.String("WHEN_NO_MATCH"), TimeoutInMillis: 29000, CacheNamespace: aws.String(r.ID), CacheKeyParameters: openapi.Texts(in, "cacheKeyParameters"),
		Credentials: str(openapi.Text(in, "credentials")), ContentHandling: types.ContentHandlingStrategy(openapi.Text(in, "contentHandling")),
		ConnectionType: types.ConnectionType(openapi.Text(in, "connectionType")), ConnectionId: str(openapi.Text(in, "connectionId")),
		RequestParameters: openapi.TextMap(in, "requestParameters"), RequestTemplates: openapi.TextMap(in, "requestTemplates"),
	}
	if p := openapi.Text(in, "passthroughBehavior"); p != "" {
		i.PassthroughBehavior = aws.String(strings.ToUpper(p))
	}
	if n := openapi.Text(in, "cacheNamespace"); n != "" {
		i.CacheNamespace = &n
	}
	if ms, err := strconv.Atoi(openapi.Text(in, "timeoutInMillis")); err == nil {
		i.TimeoutInMillis = int32(ms)
	}
	for pattern, v := range openapi.Object(in, "responses") {
		response, _ := v.(map[string]any)
		ir := types.IntegrationResponse{
			StatusCode: str(openapi.Text(response, "statusCode")), ContentHandling: types.ContentHandlingStrategy(openapi.Text(response, "contentHandling")),
			ResponseParameters: openapi.TextMap(response, "responseParameters"), ResponseTemplates: openapi.TextMap(response, "responseTemplates"),
		}
		if pattern != "default" {
			ir.SelectionPattern = aws.String(pattern)
		}
		if i.IntegrationResponses == nil {
			i.IntegrationResponses = map[string]types.IntegrationResponse{}
		}
		i.IntegrationResponses[aws.ToString(ir.StatusCode)] = ir
	}
	return i, CheckIntegration(i)
}

// CheckIntegration refuses an integration that could never be called, in AWS's words.
func CheckIntegration(i *types.Integration) error {
	uri := aws.ToString(i.Uri)
	switch i.Type {
	case types.IntegrationTypeMock:
		return nil
	case types.IntegrationTypeHttp, types.IntegrationTypeHttpProxy:
		if uri == "" {
			return errors.New("Invalid HTTP endpoint specified for URI")
		}
		return nil
	case types.IntegrationTypeAws, types.IntegrationTypeAwsProxy:
	default:
		return fmt.Errorf("Invalid integration type specified: %s", i.Type)
	}
	parts := strings.SplitN(uri, ":", 6)
	switch {
	case len(parts) < 6 || parts[0] != "arn":
		return errors.New("Invalid ARN specified in the request")
	case parts[2] != "apigateway" || !strings.HasPrefix(parts[5], "path/") && !strings.HasPrefix(parts[5], "action/"):
		return errors.New("AWS ARN for integration must contain path or action")
	}
	if _, ok := FunctionOf(uri); !ok && i.Type == types.IntegrationTypeAwsProxy {
		return errors.New("Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.")
	}
	return nil
}
