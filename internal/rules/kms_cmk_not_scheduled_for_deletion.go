package rules

var kmsCMKNotScheduledForDeletion = Rule{
	Name: "kms-cmk-not-scheduled-for-deletion", Identifier: "KMS_CMK_NOT_SCHEDULED_FOR_DELETION", Source: Managed,
	Summary: "the key is not about to be deleted",
	Remedy:  "cancel the deletion",
	Types:   []string{"AWS::KMS::Key"}, Trigger: Periodic, Scope: Live,
	Parameters: []Parameter{
		{Name: "kmsKeyIds", Kind: CSVParameter, About: "only these keys are judged"},
	},
	judge: judgeKMSCMKNotScheduledForDeletion,
}

func judgeKMSCMKNotScheduledForDeletion(s *subject) Verdict {
	if a := s.arg("kmsKeyIds"); !a.allows(s.PhysicalID) && !a.allows(s.ARN) {
		return notApplicable(property{span: s.Span}, "only the given keys are judged")
	}
	state := s.supplementary("KeyState")
	if state.node == nil {
		return unknownFact("the key's state")
	}
	return verdictOf(state.oneOf("PendingDeletion").Not(), state, "so the key is about to be deleted")
}
