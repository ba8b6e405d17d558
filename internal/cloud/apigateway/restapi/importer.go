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
	doc, err := ParseDocument(body)
	if err != nil {
		return a, nil, err
	}
	im := &importer{doc: doc, o: o, api: a.Clone()}
	switch {
	case strings.HasPrefix(text(doc, "openapi"), "3."):
		im.v3 = true
	case text(doc, "swagger") != "2.0" && text(doc, "swagger") != "2":
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
	info := object(im.doc, "info")
	if title := text(info, "title"); title != "" {
		im.api.Name = title
	}
	if d := text(info, "description"); d != "" {
		im.api.Description = d
	}
	im.api.Version = text(info, "version")
	if b := texts(im.doc, "x-amazon-apigateway-binary-media-types"); b != nil {
		im.api.BinaryMediaTypes = b
	}
	if s := text(im.doc, "x-amazon-apigateway-api-key-source"); s != "" {
		im.api.APIKeySource = types.ApiKeySourceType(strings.ToUpper(s))
	}
	if p := object(im.doc, "x-amazon-apigateway-policy"); p != nil {
		b, _ := json.Marshal(p)
		im.api.Policy = string(b)
	}
	if m, ok := im.doc["x-amazon-apigateway-minimum-compression-size"].(float64); ok {
		im.api.MinCompression = aws.Int32(int32(m))
	}
	if e := object(im.doc, "x-amazon-apigateway-endpoint-configuration"); e != nil {
		im.api.Disabled = flag(e, "disableExecuteApiEndpoint")
	}
}

// ordered returns a map's keys in order, so that the same document always gives the same ids.
func ordered(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func (im *importer) models() {
	definitions := object(im.doc, "definitions")
	if im.v3 {
		definitions = object(object(im.doc, "components"), "schemas")
	}
	for _, name := range ordered(definitions) {
		schema, _ := json.Marshal(definitions[name])
		if im.api.Models == nil {
			im.api.Models = map[string]types.Model{}
		}
		im.api.Models[name] = types.Model{Id: aws.String(im.o.NewID()), Name: aws.String(name), ContentType: aws.String("application/json"), Schema: aws.String(string(schema))}
	}
}

func (im *importer) validators() {
	all := object(im.doc, "x-amazon-apigateway-request-validators")
	for _, name := range ordered(all) {
		if im.api.Validators == nil {
			im.api.Validators = map[string]types.RequestValidator{}
		}
		id, v := im.o.NewID(), object(all, name)
		im.byName["validator "+name] = id
		im.api.Validators[id] = types.RequestValidator{
			Id: &id, Name: aws.String(name), ValidateRequestBody: flag(v, "validateRequestBody"), ValidateRequestParameters: flag(v, "validateRequestParameters"),
		}
	}
}

func (im *importer) authorizers() {
	schemes := object(im.doc, "securityDefinitions")
	if im.v3 {
		schemes = object(object(im.doc, "components"), "securitySchemes")
	}
	for _, name := range ordered(schemes) {
		scheme := object(schemes, name)
		authorizer := object(scheme, "x-amazon-apigateway-authorizer")
		kind := text(scheme, "x-amazon-apigateway-authtype")
		if authorizer == nil {
			continue
		}
		id := im.o.NewID()
		a := types.Authorizer{
			Id: &id, Name: aws.String(name), AuthType: str(kind), AuthorizerUri: str(text(authorizer, "authorizerUri")),
			AuthorizerCredentials: str(text(authorizer, "authorizerCredentials")), IdentityValidationExpression: str(text(authorizer, "identityValidationExpression")),
			IdentitySource: str(text(authorizer, "identitySource")), Type: types.AuthorizerType(strings.ToUpper(text(authorizer, "type"))),
			ProviderARNs: texts(authorizer, "providerARNs"),
		}
		if a.Type == "COGNITO_USER_POOLS" || a.IdentitySource == nil && a.Type == "TOKEN" {
			a.IdentitySource = aws.String("method.request.header." + text(scheme, "name"))
		}
		if ttl, err := strconv.Atoi(text(authorizer, "authorizerResultTtlInSeconds")); err == nil {
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
	all := object(im.doc, "x-amazon-apigateway-gateway-responses")
	for _, kind := range ordered(all) {
		r := object(all, kind)
		if _, known := DefaultResponses[kind]; !known {
			im.warnings = append(im.warnings, "gateway response "+kind+" does not exist")
			continue
		}
		if im.api.Responses == nil {
			im.api.Responses = map[string]types.GatewayResponse{}
		}
		im.api.Responses[kind] = CustomResponse(kind, text(r, "statusCode"), textMap(r, "responseParameters"), textMap(r, "responseTemplates"))
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
	base := text(im.doc, "basePath")
	if im.v3 {
		if servers := list(im.doc, "servers"); len(servers) > 0 {
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
	url := text(s, "url")
	for name, v := range object(s, "variables") {
		if o, ok := v.(map[string]any); ok {
			url = strings.ReplaceAll(url, "{"+name+"}", strings.Trim(text(o, "default"), "/"))
		}
	}
	if _, rest, ok := strings.Cut(url, "://"); ok {
		_, url, _ = strings.Cut(rest, "/")
	}
	return url
}

func (im *importer) paths() error {
	all := object(im.doc, "paths")
	for _, path := range ordered(all) {
		item := object(all, path)
		if !strings.HasPrefix(path, "/") {
			return fmt.Errorf("path %q does not begin with /", path)
		}
		r := im.api.Ensure(strings.TrimSuffix(im.prefix(), "/")+path, im.o.NewID)
		methods := maps.Clone(r.Methods)
		if methods == nil {
			methods = map[string]types.Method{}
		}
		for _, name := range methodNames {
			op := object(item, name)
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
	m := types.Method{HttpMethod: &verb, ApiKeyRequired: aws.Bool(false), AuthorizationType: aws.String("NONE"), OperationName: str(text(op, "operationId"))}
	im.parameters(&m, item, op)
	im.security(&m, op)
	im.validator(&m, op)
	m.MethodResponses = im.methodResponses(op)
	integration := object(op, "x-amazon-apigateway-integration")
	if integration == nil {
		return m, nil
	}
	i, err := newIntegration(r, integration)
	m.MethodIntegration = i
	return m, err
}

func (im *importer) parameters(m *types.Method, item, op map[string]any) {
	all := append(slices.Clone(list(item, "parameters")), list(op, "parameters")...)
	for _, v := range all {
		p, _ := v.(map[string]any)
		if ref := text(p, "$ref"); ref != "" {
			p = im.refer(ref)
		}
		name := text(p, "name")
		place, ok := map[string]string{"query": "querystring", "header": "header", "path": "path"}[text(p, "in")]
		switch {
		case ok && name != "":
			if m.RequestParameters == nil {
				m.RequestParameters = map[string]bool{}
			}
			m.RequestParameters["method.request."+place+"."+name] = flag(p, "required")
		case text(p, "in") == "body":
			im.bodyModel(m, "application/json", object(p, "schema"))
		}
	}
	content := object(object(op, "requestBody"), "content")
	for _, media := range ordered(content) {
		im.bodyModel(m, media, object(object(content, media), "schema"))
	}
}

// refer follows a reference within the document.
func (im *importer) refer(ref string) map[string]any {
	at := im.doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at = object(at, part)
	}
	return at
}

func (im *importer) bodyModel(m *types.Method, media string, schema map[string]any) {
	ref := text(schema, "$ref")
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
		requirements = list(im.doc, "security")
	}
	schemes := object(im.doc, "securityDefinitions")
	if im.v3 {
		schemes = object(object(im.doc, "components"), "securitySchemes")
	}
	for _, v := range requirements {
		requirement, _ := v.(map[string]any)
		for _, name := range ordered(requirement) {
			im.require(m, name, object(schemes, name), texts(requirement, name))
		}
	}
	if text(object(op, "x-amazon-apigateway-auth"), "type") == "AWS_IAM" {
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
	case text(scheme, "x-amazon-apigateway-authtype") == "awsSigv4":
		m.AuthorizationType = aws.String("AWS_IAM")
	case text(scheme, "type") == "apiKey" && strings.EqualFold(text(scheme, "name"), "x-api-key"):
		m.ApiKeyRequired = aws.Bool(true)
	case name != "NONE":
		im.warnings = append(im.warnings, "security scheme "+name+" is not one that API Gateway acts on")
	}
}

func (im *importer) validator(m *types.Method, op map[string]any) {
	name := text(op, "x-amazon-apigateway-request-validator")
	if name == "" {
		name = text(im.doc, "x-amazon-apigateway-request-validator")
	}
	if id, ok := im.byName["validator "+name]; ok {
		m.RequestValidatorId = &id
	}
}

func (im *importer) methodResponses(op map[string]any) map[string]types.MethodResponse {
	all := object(op, "responses")
	out := map[string]types.MethodResponse{}
	for _, status := range ordered(all) {
		if len(status) != 3 {
			continue // default
		}
		r := types.MethodResponse{StatusCode: aws.String(status)}
		response := object(all, status)
		for _, header := range ordered(object(response, "headers")) {
			if r.ResponseParameters == nil {
				r.ResponseParameters = map[string]bool{}
			}
			r.ResponseParameters["method.response.header."+header] = false
		}
		content := object(response, "content")
		if schema := object(response, "schema"); schema != nil {
			content = map[string]any{"application/json": map[string]any{"schema": schema}}
		}
		for _, media := range ordered(content) {
			if ref := text(object(object(content, media), "schema"), "$ref"); ref != "" {
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
		Type: types.IntegrationType(strings.ToUpper(text(in, "type"))), Uri: str(text(in, "uri")), HttpMethod: str(strings.ToUpper(text(in, "httpMethod"))),
		PassthroughBehavior: aws.String("WHEN_NO_MATCH"), TimeoutInMillis: 29000, CacheNamespace: aws.String(r.ID), CacheKeyParameters: texts(in, "cacheKeyParameters"),
		Credentials: str(text(in, "credentials")), ContentHandling: types.ContentHandlingStrategy(text(in, "contentHandling")),
		ConnectionType: types.ConnectionType(text(in, "connectionType")), ConnectionId: str(text(in, "connectionId")),
		RequestParameters: textMap(in, "requestParameters"), RequestTemplates: textMap(in, "requestTemplates"),
	}
	if p := text(in, "passthroughBehavior"); p != "" {
		i.PassthroughBehavior = aws.String(strings.ToUpper(p))
	}
	if n := text(in, "cacheNamespace"); n != "" {
		i.CacheNamespace = &n
	}
	if ms, err := strconv.Atoi(text(in, "timeoutInMillis")); err == nil {
		i.TimeoutInMillis = int32(ms)
	}
	for pattern, v := range object(in, "responses") {
		response, _ := v.(map[string]any)
		ir := types.IntegrationResponse{
			StatusCode: str(text(response, "statusCode")), ContentHandling: types.ContentHandlingStrategy(text(response, "contentHandling")),
			ResponseParameters: textMap(response, "responseParameters"), ResponseTemplates: textMap(response, "responseTemplates"),
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
