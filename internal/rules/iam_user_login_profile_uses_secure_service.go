package rules

var iamUserLoginProfileUsesSecureService = Rule{
	Name: "iam-user-login-profile-uses-secure-service", Identifier: "IAM_USER_LOGIN_PROFILE_USES_SECURE_SERVICE", Source: Registry,
	Summary: "the user's password, unless it is a secure parameter, is kept by Secrets Manager or Parameter Store",
	Remedy:  "use {{resolve:secretsmanager:…}}",
	Types:   []string{"AWS::IAM::User"}, Trigger: OnChange, Scope: Template,
	judge:    judgeIAMUserLoginProfileUsesSecureService,
	registry: &registryReading{nag: []string{"F51"}, alias: "IAM_USER_LOGIN_PROFILE_NO_PLAINTEXT_PASSWORD"},
}

func judgeIAMUserLoginProfileUsesSecureService(s *subject) Verdict {
	if v := s.wantSecureParameter(); v.Compliance == Compliant {
		return notApplicable(s.at("LoginProfile.Password"), "the password is a secure parameter")
	}
	return s.wantSecureService()
}
