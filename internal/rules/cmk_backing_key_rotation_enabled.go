package rules

var cmkBackingKeyRotationEnabled = Rule{
	Name: "cmk-backing-key-rotation-enabled", Identifier: "CMK_BACKING_KEY_ROTATION_ENABLED", Source: Managed,
	Summary: "a symmetric key gets new material every year",
	Remedy:  "set EnableKeyRotation to true",
	Types:   []string{"AWS::KMS::Key"}, Trigger: Periodic, Scope: Template,
	judge:    judgeCMKBackingKeyRotationEnabled,
	registry: &registryReading{nag: []string{"F19"}, judge: func(s *subject) Verdict { return s.wantTrue("EnableKeyRotation") }},
}

func judgeCMKBackingKeyRotationEnabled(s *subject) Verdict {
	if spec := s.at("KeySpec"); spec.node != nil && spec.oneOf("SYMMETRIC_DEFAULT") == no {
		return notApplicable(spec, "only symmetric keys rotate by themselves")
	}
	if origin := s.at("Origin"); origin.node != nil && origin.oneOf("AWS_KMS") == no {
		return notApplicable(origin, "only KMS's own key material rotates by itself")
	}
	return s.wantTrue("EnableKeyRotation")
}
