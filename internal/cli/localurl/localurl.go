// Package localurl answers: where does the embedded cloud serve what an output's amazonaws.com URL names?
package localurl

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/apiurl"
	"evo/internal/view"
)

// Of returns the local URL for a value, or "" if it is no API's URL or the target is AWS itself. An output's placeholders, such
// as {proxy+}, stay as they are.
func Of(cfg aws.Config, value string) string {
	id, rest, ok := apiurl.Parse(value)
	if !ok || cfg.BaseEndpoint == nil {
		return ""
	}
	base := apiurl.Local(*cfg.BaseEndpoint, id)
	if base == "" {
		return ""
	}
	return base + rest
}

// Add fills in the local URLs of outputs.
func Add(cfg aws.Config, outputs []view.Output) {
	for i := range outputs {
		outputs[i].LocalURL = Of(cfg, outputs[i].Value)
	}
}
