package rules

var iamUserLoginProfilePasswordResetRule = Rule{
	Name: "iam-user-login-profile-password-reset-rule", Identifier: "IAM_USER_LOGIN_PROFILE_PASSWORD_RESET_RULE", Source: Registry,
	Summary: "the user must change the first password",
	Remedy:  "set LoginProfile.PasswordResetRequired to true",
	Types:   []string{"AWS::IAM::User"}, Trigger: OnChange, Scope: Template,
	judge:    judgeIAMUserLoginProfilePasswordResetRule,
	registry: &registryReading{nag: []string{"W50"}},
}

func judgeIAMUserLoginProfilePasswordResetRule(s *subject) Verdict {
	reset := s.at("LoginProfile.PasswordResetRequired")
	if s.guard && reset.open {
		return compliant(reset)
	}
	return verdictOf(reset.isTrue(), reset, "should be true")
}
