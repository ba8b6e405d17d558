package rules

var iamUserLoginProfileUsesSecureParameter = Rule{
	Name: "iam-user-login-profile-uses-secure-parameter", Identifier: "IAM_USER_LOGIN_PROFILE_USES_SECURE_PARAMETER", Source: Registry,
	Summary: "the user's password comes from a NoEcho parameter without default",
	Remedy:  "use Ref to a NoEcho parameter without Default",
	Types:   []string{"AWS::IAM::User"}, Trigger: OnChange, Scope: Template,
	judge:    (*subject).wantSecureParameter,
	registry: &registryReading{nag: []string{"F51"}, alias: "IAM_USER_LOGIN_PROFILE_NO_PLAINTEXT_PASSWORD"},
}
