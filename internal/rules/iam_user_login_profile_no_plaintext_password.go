package rules

import (
	"strings"

	"evo/internal/cfn"
)

var iamUserLoginProfileNoPlaintextPassword = Rule{
	Name: "iam-user-login-profile-no-plaintext-password", Identifier: "IAM_USER_LOGIN_PROFILE_NO_PLAINTEXT_PASSWORD", Source: Registry,
	Summary: "the user's password comes from a NoEcho parameter without default, or from a secret",
	Remedy:  "use Ref to a NoEcho parameter without Default, or {{resolve:secretsmanager:…}}",
	Types:   []string{"AWS::IAM::User"}, Trigger: OnChange, Scope: Template,
	judge:    judgeIAMUserLoginProfileNoPlaintextPassword,
	registry: &registryReading{nag: []string{"F51"}},
}

func judgeIAMUserLoginProfileNoPlaintextPassword(s *subject) Verdict {
	if v := s.wantSecureParameter(); v.Compliance == Compliant {
		return v
	}
	return s.wantSecureService()
}

// wantSecureParameter is the rule that the password is that of a NoEcho parameter without default.
func (s *subject) wantSecureParameter() Verdict {
	password := s.at("LoginProfile.Password")
	name, arg, ok := password.node.Intrinsic()
	parameter := s.set.Parameters.Get(arg.Str())
	switch {
	case !ok || name != "Ref" || parameter == nil:
		return nonCompliantBecause(password, password.path+" is no reference to a parameter")
	case parameter.Get("Type").Str() != "String":
		return nonCompliantBecause(password, arg.Str()+" is not of type String")
	case property{node: parameter.Get("NoEcho")}.isTrue() != yes:
		return nonCompliantBecause(password, arg.Str()+" has no NoEcho: true, so that its value can be read")
	case parameter.Has("Default"):
		return nonCompliantBecause(password, arg.Str()+" has a Default, which everybody can read")
	}
	return compliant(password)
}

// wantSecureService is the rule that there is no password, or one that a service keeps.
func (s *subject) wantSecureService() Verdict {
	profile := s.at("LoginProfile")
	if profile.node == nil {
		return compliant(profile)
	}
	password := s.at("LoginProfile.Password")
	for _, kept := range []string{"{{resolve:secretsmanager:", "{{resolve:ssm-secure:"} {
		if strings.Contains(password.node.Str(), kept) {
			return compliantBecause(password, password.path+" is kept by a service")
		}
	}
	if password.node.Is(cfn.String) { // say where it stands, not what it is
		return nonCompliantBecause(password, password.path+" is written out")
	}
	return nonCompliant(password, "no NoEcho parameter without default, and no secret")
}
