package rules

import (
	"strings"

	"evo/internal/cfn"
	"evo/internal/rules/policy"
	"evo/internal/rules/value"
)

var lambdaPermissions = []string{"AWS::Lambda::Permission"}

var lambdaFunctionPublicAccessProhibited = Rule{
	Name: "lambda-function-public-access-prohibited", Identifier: "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED", Source: Managed,
	Summary: "the function's policy lets nobody in who is not named; S3 only from a known account",
	Remedy:  "name an account, role or service as Principal; give SourceAccount for S3, PrincipalOrgID for *",
	Types:   []string{"AWS::Lambda::Function"}, Trigger: OnChange, Scope: Template,
	judge: judgeLambdaFunctionPublicAccessProhibited,
	registry: &registryReading{types: []string{"AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission"},
		judge: registryLambdaFunctionPublicAccessProhibited},
}

func judgeLambdaFunctionPublicAccessProhibited(s *subject) Verdict {
	if p := s.supplementary("Policy"); p.node != nil {
		return s.wantNone([]document{{property: p}}, "lets everyone, or S3 from any account, invoke the function", func(st policy.Statement) truth {
			return s.openInvocation(st)
		})
	}
	worst := compliantBecause(property{span: s.Span}, "no permission lets everyone in")
	for _, it := range s.attachedOf(lambdaPermissions...) {
		if v := s.wantPermission(it); v.Compliance > worst.Compliance {
			worst = v
		}
	}
	if it := s.mayHave(lambdaPermissions...); it != nil && worst.Compliance == Compliant {
		return s.unresolvedTarget(it)
	}
	return worst
}

// openInvocation judges a statement of a live function's policy.
func (s *subject) openInvocation(st policy.Statement) truth {
	everyone := max(st.Everyone(s.isResource), truthOf(!st.HasPrincipal()))
	open := min(everyone, st.Narrowed(s.isResource).Not())
	if st.Service(s3Service) {
		open = max(open, st.Narrowed(s.isResource, "aws:sourcearn").Not()) // a bucket's ARN names no account: see narrowed
	}
	return min(st.Allows(), open)
}

const s3Service = "s3.amazonaws.com"

// wantPermission judges a Permission, which is one statement: its source properties are its conditions.
func (s *subject) wantPermission(it *Item) Verdict {
	principal := follow(it.Properties, "Principal")
	principal.path = it.ID + ".Principal"
	if !principal.span.IsValid() {
		principal.span = it.Span
	}
	text, ok := value.Of(principal.node)
	everyone := no
	switch {
	case !ok && principal.node != nil, !text.Literal() && s.mayMean(string(text)):
		everyone = unknown
	case text == "", strings.Contains(string(text), "*"), text == s3Service:
		everyone = yes
	}
	if everyone == no {
		return compliant(principal)
	}
	narrowed := s.narrowed(it)
	switch {
	case narrowed == yes:
		return compliantBecause(principal, principal.path+" "+principal.shown()+", from a fixed source")
	case everyone == unknown:
		return unresolved(principal)
	case narrowed == unknown:
		return Verdict{Compliance: InsufficientData, Path: principal.path, Span: principal.span, Unresolved: it.ID + ".SourceAccount",
			Reason: "the source of " + it.ID + " is not known yet"}
	}
	return nonCompliant(principal, "and no SourceAccount, SourceArn or PrincipalOrgID narrows that to a fixed value")
}

// narrowed tells whether a Permission's source is fixed. For S3 only an account is: a bucket's ARN names none, and the bucket
// may be deleted and made again by others.
func (s *subject) narrowed(it *Item) truth {
	best := no
	for _, key := range []string{"SourceAccount", "PrincipalOrgID", "SourceArn", "EventSourceToken"} {
		n := it.Properties.Get(key)
		if n.IsNull() || key == "SourceArn" && it.Properties.Get("Principal").Str() == s3Service && !namesAccount(n) {
			continue
		}
		text, ok := value.Of(n)
		switch {
		case !ok || s.mayMean(string(text)):
			best = max(best, unknown)
		case text != "" && !strings.ContainsAny(text.Plain(), "*?") && !strings.Contains(text.Plain(), "${"):
			best = yes
		}
	}
	return best
}

// namesAccount reports whether an ARN has an account in its place.
func namesAccount(n *cfn.Node) bool {
	text, ok := value.Of(n)
	parts := strings.SplitN(string(text), ":", 6)
	return ok && len(parts) == 6 && parts[4] != ""
}

// The registry's rule is a choice between four forms, one of which all permissions of the template must have.
const (
	fromAccount = 1 << iota
	fromService
	fromS3
	layerShared
)

func registryLambdaFunctionPublicAccessProhibited(s *subject) Verdict {
	common := fromAccount | fromService | fromS3 | layerShared
	reading := s.check.Rule.registry
	for _, it := range s.set.Items {
		if (it.Type == "AWS::Lambda::Permission" || it.Type == "AWS::Lambda::LayerVersionPermission") && !reading.suppressed(s.check.Rule, it) {
			common &= permissionForms(it)
		}
	}
	principal := s.at("Principal")
	switch {
	case permissionForms(s.Item) == 0:
		return nonCompliant(principal, "no account, and no source limits it")
	case common == 0:
		return nonCompliantBecause(principal, "the template's permissions are limited in different ways")
	}
	return compliant(principal)
}

func permissionForms(it *Item) (forms int) {
	p := it.Properties
	principal := p.Get("Principal")
	account := isAccount(principal)
	some := func(key string) bool { n := p.Get(key); return !n.IsNull() && !(n.Is(cfn.String) && n.Text == "") }
	if it.Type == "AWS::Lambda::LayerVersionPermission" {
		if some("OrganizationId") || account {
			return layerShared
		}
		return 0
	}
	if account {
		forms |= fromAccount
	}
	limited := some("PrincipalOrgID") || p.Has("SourceAccount")
	s3 := principal.Str() == s3Service
	if principal.Is(cfn.String) && !s3 && (limited || some("SourceArn")) {
		forms |= fromService
	}
	if s3 && limited {
		forms |= fromS3
	}
	return forms
}

// isAccount reports whether n is an account's number, or a reference to the template's own.
func isAccount(n *cfn.Node) bool {
	if n.Is(cfn.Int) {
		number, ok := n.Int()
		return ok && number > 0
	}
	if name, arg, ok := n.Intrinsic(); ok {
		return name == "Ref" && arg.Str() == "AWS::AccountId"
	}
	text := n.Str()
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}
