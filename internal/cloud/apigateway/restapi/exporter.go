package restapi

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// Export writes what a stage serves as a Swagger 2 document, or as OpenAPI 3; with API Gateway's extensions if they are wanted.
func Export(d Deployed, v3, extensions bool) ([]byte, error) {
	ex := exporter{v3: v3, extensions: extensions}
	host := d.API.ID + ".execute-api." + d.Region + ".amazonaws.com"
	doc := map[string]any{"info": map[string]any{"title": d.API.Name, "version": d.API.Version}, "paths": ex.paths(d.API)}
	models := map[string]any{}
	for name, m := range d.API.Models {
		models[name] = json.RawMessage(aws.ToString(m.Schema))
	}
	if v3 {
		doc["openapi"] = "3.0.1"
		doc["servers"] = []any{map[string]any{"url": "https://" + host + "/{basePath}", "variables": map[string]any{"basePath": map[string]any{"default": d.Stage}}}}
		components := map[string]any{}
		if len(models) > 0 {
			components["schemas"] = models
		}
		doc["components"] = components
	} else {
		doc["swagger"], doc["host"], doc["basePath"], doc["schemes"] = "2.0", host, "/"+d.Stage, []string{"https"}
		if len(models) > 0 {
			doc["definitions"] = models
		}
	}
	if extensions && len(d.API.BinaryMediaTypes) > 0 {
		doc["x-amazon-apigateway-binary-media-types"] = d.API.BinaryMediaTypes
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return out, nil
}

type exporter struct{ v3, extensions bool }

func (ex exporter) paths(a *API) map[string]any {
	paths := map[string]any{}
	for _, r := range a.Sorted() {
		item := map[string]any{}
		for verb, m := range r.Methods {
			name := strings.ToLower(verb)
			if verb == "ANY" {
				name = "x-amazon-apigateway-any-method"
			}
			item[name] = ex.operation(m)
		}
		if len(item) > 0 {
			paths[r.Path] = item
		}
	}
	return paths
}

func (ex exporter) operation(m types.Method) map[string]any {
	op := map[string]any{}
	if name := aws.ToString(m.OperationName); name != "" {
		op["operationId"] = name
	}
	var parameters []any
	for _, key := range sortedNames(m.RequestParameters) {
		place, name, _ := strings.Cut(strings.TrimPrefix(key, "method.request."), ".")
		p := map[string]any{"name": name, "in": strings.Replace(place, "querystring", "query", 1)}
		if m.RequestParameters[key] {
			p["required"] = true
		}
		ex.typed(p)
		parameters = append(parameters, p)
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	if responses := ex.responses(m); len(responses) > 0 {
		op["responses"] = responses
	}
	if ex.extensions && m.MethodIntegration != nil {
		op["x-amazon-apigateway-integration"] = exportIntegration(m.MethodIntegration)
	}
	return op
}

// typed says that a parameter or header is a string, in the document's way.
func (ex exporter) typed(p map[string]any) {
	if ex.v3 {
		p["schema"] = map[string]any{"type": "string"}
	} else {
		p["type"] = "string"
	}
}

func (ex exporter) responses(m types.Method) map[string]any {
	all := map[string]any{}
	for status, r := range m.MethodResponses {
		out := map[string]any{"description": status + " response"}
		headers := map[string]any{}
		for key := range r.ResponseParameters {
			h := map[string]any{}
			ex.typed(h)
			headers[strings.TrimPrefix(key, "method.response.header.")] = h
		}
		if len(headers) > 0 {
			out["headers"] = headers
		}
		content := map[string]any{}
		for media, model := range r.ResponseModels {
			if ex.v3 {
				content[media] = map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/" + model}}
			} else {
				out["schema"] = map[string]any{"$ref": "#/definitions/" + model}
			}
		}
		if ex.v3 {
			out["content"] = content
		}
		all[status] = out
	}
	return all
}

func exportIntegration(i *types.Integration) map[string]any {
	out := map[string]any{"type": strings.ToLower(string(i.Type)), "passthroughBehavior": strings.ToLower(aws.ToString(i.PassthroughBehavior))}
	for key, value := range map[string]*string{"httpMethod": i.HttpMethod, "uri": i.Uri, "credentials": i.Credentials} {
		if value != nil {
			out[key] = *value
		}
	}
	for key, value := range map[string]map[string]string{"requestParameters": i.RequestParameters, "requestTemplates": i.RequestTemplates} {
		if len(value) > 0 {
			out[key] = value
		}
	}
	if i.ContentHandling != "" {
		out["contentHandling"] = i.ContentHandling
	}
	responses := map[string]any{}
	for status, r := range i.IntegrationResponses {
		one := map[string]any{"statusCode": status}
		if len(r.ResponseParameters) > 0 {
			one["responseParameters"] = r.ResponseParameters
		}
		if len(r.ResponseTemplates) > 0 {
			one["responseTemplates"] = r.ResponseTemplates
		}
		pattern := aws.ToString(r.SelectionPattern)
		if pattern == "" {
			pattern = "default"
		}
		responses[pattern] = one
	}
	if len(responses) > 0 {
		out["responses"] = responses
	}
	return out
}
