package wire

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"evo/internal/cloud/call"
	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/codec"
)

// validate checks the input against the model, and answers in the service's words.
func (x *exchange) validate(m *method, v reflect.Value) error {
	found := m.in.Validate(v)
	if len(found) == 0 {
		return nil
	}
	if x.target.service.Name == "s3" {
		return x.validateS3(found)
	}
	if x.target.service.Name == "apigateway" {
		found = x.validateGateway(found)
	}
	var texts []string
	for _, f := range found {
		texts = append(texts, f.String())
	}
	noun := "error"
	if len(found) > 1 {
		noun = "errors"
	}
	return call.Errorf(validationCode(x.target.service, x.target.protocol), "%d validation %s detected: %s", len(found), noun, strings.Join(texts, "; "))
}

// validationCode is the service's word for input that its model does not allow.
func validationCode(s *model.Service, p model.Protocol) string {
	switch s.Name {
	case "logs":
		return "InvalidParameterException"
	case "apigatewayv2":
		return "BadRequestException"
	}
	if p == model.Query {
		return "ValidationError"
	}
	return "ValidationException"
}

// validateGateway gives the paths of members of the body the name of the whole input, as API Gateway does.
func (x *exchange) validateGateway(found []codec.Violation) []codec.Violation {
	for i, f := range found {
		first, _, _ := strings.Cut(f.Path, ".")
		for _, m := range x.target.op.Input.Members {
			if strings.EqualFold(m.Name, first) && m.InBody() {
				op := x.target.op.Name
				found[i].Path = strings.ToLower(op[:1]) + op[1:] + "Input." + f.Path
			}
		}
		found[i].Rule = strings.Replace(f.Rule, ", Member must not be null]", "]", 1)
	}
	return found
}

// validateS3 looks at what is missing only: S3 judges values itself, each with an error of its own.
func (x *exchange) validateS3(found []codec.Violation) error {
	for _, f := range found {
		if !f.Missing {
			continue
		}
		if strings.Contains(f.Path, ".") || x.target.op.Input.Member(title(f.Path)).Payload {
			return &call.Error{Status: http.StatusBadRequest, Code: "MalformedXML",
				Message: "The XML you provided was not well-formed or did not validate against our published schema"}
		}
		return call.Errorf("InvalidArgument", "%s", fmt.Sprintf("the request lacks %s", title(f.Path)))
	}
	return nil
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
