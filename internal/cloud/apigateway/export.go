package apigateway

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/store"
)

// GetExport writes what a stage serves as a document, in JSON.
func (s *Service) GetExport(_ context.Context, in *apigateway.GetExportInput) (*apigateway.GetExportOutput, error) {
	kind := aws.ToString(in.ExportType)
	if kind != "swagger" && kind != "oas30" {
		return nil, badRequest("No API exporter for type '%s'", kind)
	}
	if accepts := aws.ToString(in.Accepts); accepts != "" && accepts != "application/json" && accepts != "*/*" {
		return nil, badRequest("Exports are written as application/json in the embedded cloud, not as %s", accepts)
	}
	err := s.kept.View(in.RestApiId, func(tx *store.Tx, _ api) error {
		_, err := s.kept.Stage(tx, in.RestApiId, in.StageName)
		return err
	})
	if err != nil {
		return nil, err
	}
	d, ok := s.Deployed(*in.RestApiId, *in.StageName)
	if !ok {
		return nil, notFound("Deployment")
	}
	extensions := in.Parameters["extensions"]
	body, err := restapi.Export(d, kind == "oas30", strings.Contains(extensions, "integrations") || strings.Contains(extensions, "apigateway"))
	if err != nil {
		return nil, err
	}
	return &apigateway.GetExportOutput{
		Body: body, ContentType: aws.String("application/octet-stream"),
		ContentDisposition: aws.String(`attachment; filename="` + kind + "_" + d.API.Version + `.json"`),
	}, nil
}
