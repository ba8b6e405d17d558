package value_test

import (
	"strings"
	"testing"

	"evo/internal/cfn"
	"evo/internal/rules/value"
)

func parse(t *testing.T, text string) *cfn.Node {
	t.Helper()
	n, err := cfn.ParseValue("value", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTextsThatAreTheSame(t *testing.T) {
	for _, same := range [][]string{
		{"table/orders", "!Sub table/orders", "!Join ['/', [table, orders]]", "!Sub ['${A}/orders', {A: table}]"},
		{"!Sub table/${Orders}", "!Join ['', [table/, !Ref Orders]]", "!Sub ['table/${T}', {T: !Ref Orders}]", "{'Fn::Join': ['/', [table, {Ref: Orders}]]}"},
		{"!GetAtt Data.Arn", "!Sub '${Data.Arn}'", "!GetAtt [Data, Arn]", "{'Fn::GetAtt': [Data, Arn]}"},
		{"!Sub 'arn:${AWS::Partition}:s3:::b'", "!Join [':', [arn, !Ref 'AWS::Partition', s3, '', '', b]]"},
		{"!Sub '${!Literal}'", "'${Literal}'"},
		{"12", "'12'"},
	} {
		first, ok := value.Of(parse(t, same[0]))
		for _, other := range same[1:] {
			if text, ok2 := value.Of(parse(t, other)); text != first || !ok || !ok2 {
				t.Errorf("%s is %q, %s is %q", same[0], first, other, text)
			}
		}
	}
}

func TestTextsOfWhichNothingIsKnown(t *testing.T) {
	deep := strings.Repeat("{'Fn::Join': ['', [", 25) + "a" + strings.Repeat("]]}", 25)
	for _, text := range []string{"!ImportValue a", "!If [A, b, c]", "!Select [0, [a]]", "[a]", "{a: b}", "null", "'{{resolve:ssm:a}}'",
		"!Join ['', [a, !ImportValue b]]", "!Join ['', !Split [',', a]]", "!Sub ['${A}', {A: !ImportValue b}]", "!Ref []", "!GetAtt [A]", deep} {
		if got, ok := value.Of(parse(t, text)); ok {
			t.Errorf("%s is %q", text, got)
		}
	}
}

func TestText(t *testing.T) {
	text, ok := value.Of(parse(t, "!Sub 'arn:${AWS::Partition}:iam::${Account}:role/${Role.Name}-x'"))
	if !ok || text.Literal() {
		t.Fatalf("%q %v", text, ok)
	}
	var references []string
	text.References(func(name, attribute string) bool {
		references = append(references, name+"|"+attribute)
		return len(references) < 2
	})
	if got := strings.Join(references, " "); got != "AWS|Partition Account|" {
		t.Error(got)
	}
	if got := text.Plain(); got != "arn::iam:::role/-x" {
		t.Error(got)
	}
	if got := text.String(); got != "arn:${AWS::Partition}:iam::${Account}:role/${Role.Name}-x" {
		t.Error(got)
	}
}
