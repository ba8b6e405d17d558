package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const published = "../../../docs/release-report.schema.json"

func TestPublishedSchema(t *testing.T) {
	if *update {
		if err := os.WriteFile(published, Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, Schema()) {
		t.Errorf("%s is not the report's schema any more; -update writes it", published)
	}
}

// schema is as much of JSON Schema as reports' uses.
type schema struct {
	Ref        string             `json:"$ref"`
	Defs       map[string]*schema `json:"$defs"`
	Type       any                `json:"type"`
	Enum       []string           `json:"enum"`
	Const      any                `json:"const"`
	Pattern    string             `json:"pattern"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Additional json.RawMessage    `json:"additionalProperties"`
	Items      *schema            `json:"items"`
	MinItems   int                `json:"minItems"`
	MaxItems   *int               `json:"maxItems"`
}

func TestReportsFollowTheSchema(t *testing.T) {
	var root *schema
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	text := string(encode(t, sample(t)))
	if problem := root.problem(root, "", value(t, text)); problem != "" {
		t.Error(problem)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"stack": "shop"`, `"stack": "shop", "mood": 1`, "mood"},
		{`"stack": "shop",`, ``, "stack"},
		{`"decision": "`, `"decision": "un`, "decision"},
		{`"lo": 0,`, `"lo": "0",`, "lo"},
		{`"version": 1`, `"version": 2`, "version"},
	} {
		bad := strings.Replace(text, c.old, c.new, 1)
		if bad == text {
			t.Errorf("nothing to replace: %s", c.old)
		}
		if problem := root.problem(root, "", value(t, bad)); !strings.Contains(problem, c.want) {
			t.Errorf("%s: got %q", c.new, problem)
		}
	}
}

func value(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// problem is the first thing in a value that the schema does not allow.
func (s *schema) problem(root *schema, path string, v any) string {
	if s.Ref != "" {
		return root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")].problem(root, path, v)
	}
	if s.Const != nil && s.Const != v {
		return fmt.Sprintf("%s is %v, not %v", path, v, s.Const)
	}
	if !s.typed(v) {
		return fmt.Sprintf("%s is a %T, not %v", path, v, s.Type)
	}
	switch v := v.(type) {
	case string:
		if s.Enum != nil && !slices.Contains(s.Enum, v) || s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			return fmt.Sprintf("%s may not be %q", path, v)
		}
	case []any:
		if len(v) < s.MinItems || s.MaxItems != nil && len(v) > *s.MaxItems {
			return path + " has another length"
		}
		for i, item := range v {
			if p := s.Items.problem(root, fmt.Sprintf("%s/%d", path, i), item); p != "" {
				return p
			}
		}
	case map[string]any:
		return s.object(root, path, v)
	}
	return ""
}

func (s *schema) object(root *schema, path string, v map[string]any) string {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			return path + "/" + name + " is missing"
		}
	}
	for name, item := range v {
		each := s.Properties[name]
		if each == nil && string(s.Additional) != "false" {
			if err := json.Unmarshal(s.Additional, &each); err != nil {
				return err.Error()
			}
		}
		if each == nil {
			return path + "/" + name + " is not known"
		}
		if p := each.problem(root, path+"/"+name, item); p != "" {
			return p
		}
	}
	return ""
}

func (s *schema) typed(v any) bool {
	var is []string
	switch v := v.(type) {
	case nil:
		is = []string{"null"}
	case string:
		is = []string{"string"}
	case bool:
		is = []string{"boolean"}
	case float64:
		is = []string{"number"}
		if v == float64(int64(v)) {
			is = append(is, "integer")
		}
	case []any:
		is = []string{"array"}
	case map[string]any:
		is = []string{"object"}
	}
	switch want := s.Type.(type) {
	case string:
		return slices.Contains(is, want)
	case []any:
		return slices.ContainsFunc(want, func(w any) bool { return slices.Contains(is, w.(string)) })
	}
	return true
}
