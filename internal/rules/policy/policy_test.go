package policy_test

import (
	"testing"

	"pgregory.net/rapid"

	"evo/internal/cfn"
	"evo/internal/rules/policy"
	"evo/internal/rules/value"
)

func statement(t *testing.T, text string) policy.Statement {
	t.Helper()
	n, err := cfn.ParseValue("statement", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return policy.Statement{Node: n}
}

// resources says that Role and Key are resources of the template, and all else is a parameter.
func resources(name string) bool { return name == "Role" || name == "Key" }

func TestStatements(t *testing.T) {
	for _, c := range []struct {
		statement string
		of        func(policy.Statement) value.Truth
		want      value.Truth
	}{
		{"{Effect: Allow}", policy.Statement.Allows, value.Yes},
		{"{Effect: allow}", policy.Statement.Allows, value.No},
		{"{Effect: !Ref E}", policy.Statement.Denies, value.Unknown},
		{"!If [A, {Effect: Deny}, {Effect: Allow}]", policy.Statement.Denies, value.Unknown},
		{"{Principal: '*'}", everyone, value.Yes},
		{"{Principal: {AWS: [a, '*']}}", everyone, value.Yes},
		{"{Principal: {Federated: '*'}}", everyone, value.Yes},
		{"{Principal: {AWS: !GetAtt Role.Arn}}", everyone, value.No},
		{"{Principal: {AWS: !Sub 'arn:aws:iam::${Account}:root'}}", everyone, value.Unknown},
		{"{Principal: {AWS: !Sub 'arn:aws:iam::*:${Account}'}}", everyone, value.Yes},
		{"{Principal: !Ref P}", everyone, value.Unknown},
		{"{NotPrincipal: {AWS: a}}", everyone, value.Yes},
		{"{}", everyone, value.No},
		{"{Principal: {AWS: '*'}}", policy.Statement.ForAnybody, value.Yes},
		{"{Principal: {Service: '*'}}", policy.Statement.ForAnybody, value.No},
		{"{Action: 's3:*'}", policy.Statement.WildAction, value.Yes},
		{"{Action: '*'}", policy.Statement.WildAction, value.Yes},
		{"{Action: ['s3:Get*', 's3:List*']}", policy.Statement.WildAction, value.No},
		{"{Action: ['s3:Get*', !Ref A]}", policy.Statement.WildAction, value.Unknown},
		{"{Action: !Sub 's3:${A}'}", reaches("s3:get*"), value.Unknown},
		{"{Action: 's3:G*Object'}", reaches("s3:get*"), value.Yes},
		{"{Action: 's3:Put*'}", reaches("s3:get*"), value.No},
		{"{NotAction: 's3:Get*'}", reaches("s3:get*"), value.No},
		{"{NotAction: 's3:GetObject'}", reaches("s3:get*"), value.Yes},
		{"{NotAction: !Ref A}", reaches("s3:get*"), value.Unknown},
		{"{Condition: !Ref C}", narrowed, value.Unknown},
		{"{Condition: {StringEquals: !Ref C}}", narrowed, value.Unknown},
		{"{Condition: {StringEquals: {'aws:SourceArn': !GetAtt Key.Arn}}}", narrowed, value.Yes},
		{"{Condition: {StringEquals: {'aws:SourceArn': !Ref Arn}}}", narrowed, value.Unknown},
		{"{Condition: {StringEquals: {'aws:SourceArn': []}}}", narrowed, value.No},
		{"{Condition: {StringEquals: {'kms:CallerAccount': 1}, Bool: {a: b}}}", narrowed, value.Yes},
		{"{Condition: {IpAddress: {'aws:SourceIp': ['10.0.0.0/7']}}}", narrowed, value.No},
		{"{Condition: {IpAddress: {'aws:SourceIp': '2001:db8::/32'}}}", narrowed, value.Yes},
		{"{Condition: {IpAddress: {'aws:SourceIp': '2001::/16'}}}", narrowed, value.No},
		{"{Condition: {NotIpAddress: {'aws:SourceIp': '192.0.2.1'}}}", narrowed, value.No},
	} {
		if got := c.of(statement(t, c.statement)); got != c.want {
			t.Errorf("%s: %d, want %d", c.statement, got, c.want)
		}
	}
}

func everyone(s policy.Statement) value.Truth { return s.Everyone(resources) }
func narrowed(s policy.Statement) value.Truth { return s.Narrowed(resources) }
func reaches(pattern string) func(policy.Statement) value.Truth {
	return func(s policy.Statement) value.Truth { return s.Reaches(pattern) }
}

func TestWithin(t *testing.T) {
	const control = "{Principal: {AWS: [a, b]}, Action: ['s3:Get*', 's3:List*'], Resource: 'arn:*', Condition: {Bool: {'aws:SecureTransport': 'true'}}}"
	for _, c := range []struct {
		statement string
		want      value.Truth
	}{
		{control, value.Yes},
		{"{Principal: {AWS: b}, Action: 's3:GetObject', Resource: 'arn:x', Condition: {Bool: {'aws:SecureTransport': 'true'}, IpAddress: {a: b}}}", value.Yes},
		{"{Principal: {AWS: b}, Action: 's3:GetObject', Resource: 'arn:x'}", value.No},
		{"{Principal: {AWS: c}, Action: 's3:GetObject', Resource: 'arn:x', Condition: {Bool: {'aws:SecureTransport': 'true'}}}", value.No},
		{"{Principal: {AWS: a}, Action: 's3:*', Resource: 'arn:x', Condition: {Bool: {'aws:SecureTransport': 'true'}}}", value.No},
		{"{Principal: {AWS: a}, NotAction: 's3:Put*', Resource: 'arn:x', Condition: {Bool: {'aws:SecureTransport': 'true'}}}", value.No},
	} {
		if got := statement(t, c.statement).Within(statement(t, control)); got != c.want {
			t.Errorf("%s: %d, want %d", c.statement, got, c.want)
		}
	}
}

func TestDocument(t *testing.T) {
	count := func(document *cfn.Node) (n int) {
		policy.Statements(policy.Document(document), func(int, policy.Statement) bool { n++; return true })
		return n
	}
	for text, want := range map[string]int{
		"{Statement: {Effect: Allow}}": 1, "{Statement: [{}, {}]}": 2, "{}": 0, "!Ref A": 0,
		`'{"Statement": [{}, {}, {}]}'`: 3, "'no document'": 0, "[]": 0,
	} {
		n, err := cfn.ParseValue("document", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := count(n); got != want {
			t.Errorf("%s has %d statements, want %d", text, got, want)
		}
	}
}

// matches is what a pattern means, without haste.
func matches(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	if pattern[0] == '*' {
		return matches(pattern[1:], text) || text != "" && matches(pattern, text[1:])
	}
	return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && matches(pattern[1:], text[1:])
}

func TestPatterns(t *testing.T) {
	patterns := rapid.StringMatching(`[ab?*]{0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, text := patterns.Draw(t, "a"), patterns.Draw(t, "b"), rapid.StringMatching(`[ab]{0,6}`).Draw(t, "text")
		if policy.Covers(a, text) != matches(a, text) {
			t.Errorf("%q covers %q: %v", a, text, !matches(a, text))
		}
		if policy.Covers(a, b) && matches(b, text) && !matches(a, text) {
			t.Errorf("%q covers %q, but not %q", a, b, text)
		}
		reach := policy.Statement{Node: cfn.Obj(cfn.P("Action", cfn.Str(a)))}.Reaches(b)
		if matches(a, text) && matches(b, text) && reach != value.Yes {
			t.Errorf("%q and %q both stand for %q", a, b, text)
		}
	})
}
