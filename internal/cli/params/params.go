// Package params answers: which values do --parameter-overrides, --tags and --metadata give?
package params

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Overrides reads --parameter-overrides: K=V, or ParameterKey=K,ParameterValue=V. Of two values for a key the later counts.
func Overrides(words []string) (map[string]string, error) {
	values := map[string]string{}
	for _, w := range words {
		if rest, ok := strings.CutPrefix(w, "ParameterKey="); ok {
			key, value, ok := strings.Cut(rest, ",ParameterValue=")
			if !ok {
				return nil, fmt.Errorf("--parameter-overrides: %q has no ,ParameterValue=", w)
			}
			values[key] = value
			continue
		}
		key, value, ok := strings.Cut(w, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--parameter-overrides: %q is not Name=Value", w)
		}
		values[key] = value
	}
	return values, nil
}

// Pairs reads words of the form K=V, such as those of --tags.
func Pairs(option string, words []string) (map[string]string, error) {
	values := map[string]string{}
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--%s: %q is not Name=Value", option, w)
		}
		values[key] = value
	}
	return values, nil
}

// Metadata reads --metadata: K=V,K2=V2, or a JSON object of strings.
func Metadata(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	if strings.HasPrefix(text, "{") {
		var values map[string]string
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			return nil, fmt.Errorf("--metadata: %w", err)
		}
		return values, nil
	}
	return Pairs("metadata", strings.Split(text, ","))
}
