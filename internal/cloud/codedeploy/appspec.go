package codedeploy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

// appSpec is what an AppSpec file for Lambda says.
type appSpec struct {
	Function, Alias string
	Current, Target string // versions
	Before, After   string // hooks; "": none
}

const maxAppSpec = 100 << 10

var versionPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[1-9][0-9]{0,18}$`) })

// parseAppSpec reads an AppSpec file, YAML or JSON. Keys are matched without regard to case, as in AWS's own samples.
func parseAppSpec(content string) (spec appSpec, err error) {
	if len(content) > maxAppSpec {
		return spec, fmt.Errorf("the AppSpec file has %d bytes; %d are allowed", len(content), maxAppSpec)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(content), &doc); err != nil {
		return spec, fmt.Errorf("the AppSpec file is neither YAML nor JSON: %w", err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return spec, errors.New("the AppSpec file has no map at its top")
	}
	root := doc.Content[0]
	if v := member(root, "version"); v != nil && v.Value != "0.0" && v.Value != "0" {
		return spec, fmt.Errorf("the AppSpec file has version %q; only 0.0 is defined", v.Value)
	}
	if spec, err = parseResources(member(root, "resources")); err != nil {
		return spec, err
	}
	return spec, parseHooks(member(root, "hooks"), &spec)
}

// member returns the value of a key of a map, whatever the case of its letters; nil if it is not there.
func member(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if strings.EqualFold(n.Content[i].Value, key) {
			return n.Content[i+1]
		}
	}
	return nil
}

// entries returns the pairs of a list of maps, or of one map.
func entries(n *yaml.Node) (pairs [][2]*yaml.Node, err error) {
	maps := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		maps = n.Content
	}
	for _, m := range maps {
		if m.Kind != yaml.MappingNode {
			return nil, errors.New("a map is expected in each element")
		}
		for i := 0; i+1 < len(m.Content); i += 2 {
			pairs = append(pairs, [2]*yaml.Node{m.Content[i], m.Content[i+1]})
		}
	}
	return pairs, nil
}

func parseResources(n *yaml.Node) (spec appSpec, err error) {
	if n == nil {
		return spec, errors.New("the AppSpec file has no Resources")
	}
	pairs, err := entries(n)
	if err != nil {
		return spec, fmt.Errorf("read Resources: %w", err)
	}
	if len(pairs) != 1 {
		return spec, fmt.Errorf("the AppSpec file has %d resources; exactly one function is expected", len(pairs))
	}
	resource := pairs[0][1]
	if t := member(resource, "type"); t == nil || t.Value != "AWS::Lambda::Function" {
		return spec, fmt.Errorf("resource %s is not of type AWS::Lambda::Function", pairs[0][0].Value)
	}
	properties := member(resource, "properties")
	for _, p := range []struct {
		name string
		to   *string
	}{{"Name", &spec.Function}, {"Alias", &spec.Alias}, {"CurrentVersion", &spec.Current}, {"TargetVersion", &spec.Target}} {
		v := member(properties, p.name)
		if v == nil || v.Kind != yaml.ScalarNode || v.Value == "" {
			return spec, fmt.Errorf("resource %s has no property %s", pairs[0][0].Value, p.name)
		}
		*p.to = v.Value
	}
	for _, v := range []string{spec.Current, spec.Target} {
		if !versionPattern().MatchString(v) {
			return spec, fmt.Errorf("version %q is not a positive integer", v)
		}
	}
	return spec, nil
}

func parseHooks(n *yaml.Node, spec *appSpec) error {
	if n == nil || n.Kind == yaml.ScalarNode && n.Value == "" {
		return nil
	}
	pairs, err := entries(n)
	if err != nil {
		return fmt.Errorf("read Hooks: %w", err)
	}
	for _, p := range pairs {
		var to *string
		switch strings.ToLower(p[0].Value) {
		case "beforeallowtraffic":
			to = &spec.Before
		case "afterallowtraffic":
			to = &spec.After
		default:
			return fmt.Errorf("hook %q does not exist; a Lambda deployment has BeforeAllowTraffic and AfterAllowTraffic", p[0].Value)
		}
		if p[1].Kind != yaml.ScalarNode {
			return fmt.Errorf("hook %s must be the name or the ARN of a function", p[0].Value)
		}
		if *to != "" {
			return fmt.Errorf("hook %s is given twice", p[0].Value)
		}
		*to = p[1].Value
	}
	return nil
}
