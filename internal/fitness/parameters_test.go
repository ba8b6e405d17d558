package fitness

import (
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	f := Default().Function("lambda-function-settings-check")
	if f == nil || f.Severity != High || !strings.Contains(f.Definition, "nodejs24.x") || !strings.Contains(f.Definition, Parameters(f.ID)["runtime"]) {
		t.Errorf("the default suite has %+v: with another list, scores mean something else", f)
	}
}
