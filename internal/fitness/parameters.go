package fitness

import (
	"strings"

	"evo/internal/rules/runtimes"
)

// Parameters are those that the default suite gives a rule of the catalogue; nil for most, which need none.
func Parameters(rule string) map[string]string {
	if rule == "lambda-function-settings-check" {
		return map[string]string{"runtime": strings.Join(runtimes.Supported(), ",")}
	}
	return nil
}
