package runtimes

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Table {
		if _, err := time.Parse(time.DateOnly, r.Deprecated); err != nil || seen[r.Name] {
			t.Errorf("%s until %s: %v, or there twice", r.Name, r.Deprecated, err)
		}
		if !slices.Contains(types.Runtime("").Values(), types.Runtime(r.Name)) {
			t.Errorf("Lambda's API knows no %s", r.Name)
		}
		seen[r.Name] = true
	}
	supported := Supported()
	for name, want := range map[string]bool{"nodejs24.x": true, "python3.11": true, "java8.al2": true, "nodejs20.x": false, "python3.10": false, "dotnet8": false} {
		if slices.Contains(supported, name) != want {
			t.Errorf("%s is supported: %v", name, !want)
		}
	}
}
