package rules

import (
	"strconv"
	"strings"
)

var secretsmanagerRotationEnabledCheck = Rule{
	Name: "secretsmanager-rotation-enabled-check", Identifier: "SECRETSMANAGER_ROTATION_ENABLED_CHECK", Source: Managed,
	Summary: "the secret changes by itself (often enough)",
	Remedy:  "add an AWS::SecretsManager::RotationSchedule",
	Types:   []string{"AWS::SecretsManager::Secret"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "maximumAllowedRotationFrequency", Kind: IntParameter, About: "days"},
	},
	judge: judgeSecretsManagerRotationEnabledCheck,
}

func judgeSecretsManagerRotationEnabledCheck(s *subject) Verdict {
	live := s.supplementary("RotationEnabled")
	schedules := s.attachedOf("AWS::SecretsManager::RotationSchedule")
	if len(schedules) == 0 {
		if it := s.mayHave("AWS::SecretsManager::RotationSchedule"); it != nil {
			return s.unresolvedTarget(it)
		}
		if live.isTrue() == yes {
			return compliant(live)
		}
		return nonCompliantBecause(property{path: "RotationSchedule", span: s.Span}, "no RotationSchedule rotates the secret")
	}
	rules := follow(schedules[0].Properties, "RotationRules")
	rules.path = schedules[0].ID + ".RotationRules"
	if !rules.span.IsValid() {
		rules.span = schedules[0].Span
	}
	a := s.arg("maximumAllowedRotationFrequency")
	if !a.set {
		return compliantBecause(rules, schedules[0].ID+" rotates the secret")
	}
	days, known := rotationDays(rules)
	switch {
	case known == unknown:
		return unresolved(rules)
	case known == no, days > a.number:
		return nonCompliantBecause(rules, rules.path+" does not say every "+a.text+" days or more often")
	}
	return compliantBecause(rules, schedules[0].ID+" rotates the secret often enough")
}

// rotationDays reads how many days pass between rotations: a number, or a rate. A cron expression's are not worked out.
func rotationDays(rules property) (days float64, known truth) {
	if rules.open {
		return 0, unknown
	}
	if n, known := rules.in("AutomaticallyAfterDays").number(); known != no {
		return n, known
	}
	expression, ok := rules.in("ScheduleExpression").text()
	if !ok || strings.HasPrefix(expression, "cron") {
		return 0, truthOf(false)
	}
	amount, unit, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(expression, "rate("), ")"), " ")
	n, err := strconv.ParseFloat(amount, 64)
	if err != nil {
		return 0, no
	}
	if strings.HasPrefix(unit, "hour") {
		n /= 24
	}
	return n, yes
}
