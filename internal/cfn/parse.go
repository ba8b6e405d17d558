package cfn

import (
	"bytes"
	"unicode/utf8"

	"evo/internal/source"
)

// Limits of what Parse reads. The size is CloudFormation's own for a template in S3; the others are far above what people
// write, and keep hostile templates from using up the machine.
const (
	MaxTemplateSize = 1 << 20 // bytes
	maxDepth        = 100     // maps and lists within each other
	maxAliased      = 100_000 // values that aliases (*name) may stand for in all
)

// Parse reads a template, in YAML or JSON. The root is a map. Errors are source.Diagnostics, whose File is name.
func Parse(name string, text []byte) (*Node, error) {
	root, err := ParseValue(name, text)
	if err != nil {
		return nil, err
	}
	if !root.Is(Map) {
		d := source.Errorf(root.Span, "a template must be a map, not a value of the kind %s", root.Kind)
		if root.Is(Null) {
			d = source.Errorf(source.Span{}, "the template is empty")
		}
		return nil, named(name, d.WithHint("a template begins with sections such as Resources:"))
	}
	return root, nil
}

// ParseValue reads any value that a template may hold, with the same rules, tags and limits as Parse.
func ParseValue(name string, text []byte) (*Node, error) {
	if err := checkText(name, text); err != nil {
		return nil, err
	}
	if root, jsonErr := parseJSON(text); jsonErr == nil {
		return root, nil
	} else if trimmed := bytes.TrimLeft(text, " \t\r\n\ufeff"); len(trimmed) > 0 && trimmed[0] == '{' {
		// Flow YAML begins like JSON: what is valid as either is read, and what is not is most likely meant as JSON.
		if root, err := parseYAML(text); err == nil {
			return root, nil
		}
		return nil, named(name, jsonErr)
	}
	root, d := parseYAML(text)
	if d != nil {
		return nil, named(name, d)
	}
	return root, nil
}

func named(file string, d *source.Diagnostic) error {
	d.File = file
	return source.Diagnostics{d}
}

func checkText(name string, text []byte) error {
	if len(text) > MaxTemplateSize {
		d := source.Errorf(source.Span{}, "the template has %d bytes; CloudFormation takes at most %d (1 MB)", len(text), MaxTemplateSize)
		return named(name, d.WithHint("move a part of it into a nested stack (AWS::CloudFormation::Stack)"))
	}
	bad := source.InvalidUTF8(text)
	what := "this byte (0x%02x) is not UTF-8 text"
	if nul := bytes.IndexByte(text, 0); bad < 0 && nul >= 0 {
		bad, what = nul, "a template cannot hold the character 0x%02x"
	}
	if bad >= 0 {
		d := source.Errorf(source.NewLines(text).Span(bad, bad+1), what, text[bad])
		return named(name, d.WithHint("save the file as UTF-8"))
	}
	return nil
}

// A shortTag is what a YAML tag such as !Sub stands for. Ref and Condition have no Fn:: before their names.
var shortTags = map[string]string{
	"!Ref": "Ref", "!Condition": "Condition",
	"!And": "Fn::And", "!Base64": "Fn::Base64", "!Cidr": "Fn::Cidr", "!Contains": "Fn::Contains",
	"!EachMemberEquals": "Fn::EachMemberEquals", "!EachMemberIn": "Fn::EachMemberIn", "!Equals": "Fn::Equals",
	"!FindInMap": "Fn::FindInMap", "!GetAtt": "Fn::GetAtt", "!GetAZs": "Fn::GetAZs", "!If": "Fn::If",
	"!ImportValue": "Fn::ImportValue", "!Join": "Fn::Join", "!Length": "Fn::Length", "!Not": "Fn::Not", "!Or": "Fn::Or",
	"!RefAll": "Fn::RefAll", "!Select": "Fn::Select", "!Split": "Fn::Split", "!Sub": "Fn::Sub",
	"!ToJsonString": "Fn::ToJsonString", "!Transform": "Fn::Transform", "!ValueOf": "Fn::ValueOf",
	"!ValueOfAll": "Fn::ValueOfAll",
}

// bom is the byte order mark that some editors write before UTF-8 text.
const bom = "\ufeff"

func isBOM(text []byte) bool { return bytes.HasPrefix(text, []byte(bom)) }

// runeLen is the length in bytes of the character at text[i].
func runeLen(text []byte, i int) int {
	_, size := utf8.DecodeRune(text[i:])
	return max(size, 1)
}
