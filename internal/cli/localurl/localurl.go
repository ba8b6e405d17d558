// Package localurl answers: where does the embedded cloud serve what an output's amazonaws.com URL names?
package localurl

import (
	"net/url"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/view"
)

var api = regexp.MustCompile(`^https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?`)

// Of returns the local URL for a value, or "" if it is no API's URL or the target is AWS itself. An output's placeholders, such
// as {proxy+}, stay as they are.
func Of(cfg aws.Config, value string) string {
	if cfg.BaseEndpoint == nil {
		return ""
	}
	base, err := url.Parse(*cfg.BaseEndpoint)
	m := api.FindStringSubmatch(value)
	if err != nil || m == nil {
		return ""
	}
	host := m[1] + ".execute-api.localhost"
	if port := base.Port(); port != "" {
		host += ":" + port
	}
	return "http://" + host + value[len(m[0]):]
}

// Add fills in the local URLs of outputs.
func Add(cfg aws.Config, outputs []view.Output) {
	for i := range outputs {
		outputs[i].LocalURL = Of(cfg, outputs[i].Value)
	}
}
