package rules

var lambdaConcurrencyCheck = Rule{
	Name: "lambda-concurrency-check", Identifier: "LAMBDA_CONCURRENCY_CHECK", Source: Managed,
	Summary: "concurrency is reserved, within the given bounds",
	Remedy:  "set ReservedConcurrentExecutions",
	Types:   []string{"AWS::Lambda::Function"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "ConcurrencyLimitLow", Kind: IntParameter, About: "the least that may be reserved"},
		{Name: "ConcurrencyLimitHigh", Kind: IntParameter, About: "the most that may be reserved"},
	},
	judge:    judgeLambdaConcurrencyCheck,
	registry: &registryReading{nag: []string{"W92"}, judge: func(s *subject) Verdict { return s.wantSet("ReservedConcurrentExecutions") }},
}

func judgeLambdaConcurrencyCheck(s *subject) Verdict {
	p := s.at("ReservedConcurrentExecutions")
	if set := s.isSet(p); set != yes {
		return verdictOf(set, p, "")
	}
	low, high := s.arg("ConcurrencyLimitLow"), s.arg("ConcurrencyLimitHigh")
	if !low.set && !high.set {
		return compliant(p)
	}
	n, known := p.number()
	switch {
	case known == unknown:
		return unresolved(p)
	case low.set && n < low.number:
		return nonCompliant(p, "less than "+low.text)
	case high.set && n > high.number:
		return nonCompliant(p, "more than "+high.text)
	}
	return compliant(p)
}
