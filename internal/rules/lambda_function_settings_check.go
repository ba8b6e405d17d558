package rules

import (
	"strconv"
	"strings"

	"evo/internal/rules/value"
)

var lambdaFunctionSettingsCheck = Rule{
	Name: "lambda-function-settings-check", Identifier: "LAMBDA_FUNCTION_SETTINGS_CHECK", Source: Managed,
	Summary: "runtime, role, timeout and memory are as given; images and OS-only runtimes are left out",
	Remedy:  "set Runtime to one of the list, and Role, Timeout and MemorySize to the given values",
	Types:   []string{"AWS::Lambda::Function"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "runtime", Kind: CSVParameter, Required: true, About: "the runtimes that are allowed"},
		{Name: "role", About: "the execution role, by name or ARN"},
		// AWS's page gives timeout 3 and memory 128 as defaults, which would make every function with other values
		// NON_COMPLIANT where only runtimes are asked for; Security Hub's Lambda.2 shows that they are not applied.
		{Name: "timeout", Kind: IntParameter, About: "seconds; not compared if it is not given"},
		{Name: "memorySize", Kind: IntParameter, About: "MB; not compared if it is not given"},
	},
	judge: judgeLambdaFunctionSettingsCheck,
}

func judgeLambdaFunctionSettingsCheck(s *subject) Verdict {
	kind := s.at("PackageType")
	switch kind.oneOf("Image") {
	case yes:
		return notApplicable(kind, "PackageType is Image")
	case unknown:
		return unresolved(kind)
	}
	runtime := s.at("Runtime")
	if text := runtime.node.Str(); strings.HasPrefix(text, "provided") {
		return notApplicable(runtime, "Runtime is "+text+", which has no language")
	}
	allowed := s.arg("runtime").words
	worst := wantWord(runtime, allowed)
	for _, v := range []Verdict{s.wantRole(), s.wantNumber("Timeout", 3, "timeout"), s.wantNumber("MemorySize", 128, "memorySize")} {
		if v.Compliance > worst.Compliance {
			worst = v
		}
	}
	return worst
}

// wantRole compares Role, an ARN, with the parameter, an ARN or the role's name.
func (s *subject) wantRole() Verdict {
	a := s.arg("role")
	if !a.set {
		return Verdict{}
	}
	role := s.at("Role")
	if !role.open {
		text, _ := role.node.Scalar()
		name := text[strings.LastIndex(text, "/")+1:]
		return verdictOf(truthOf(text == a.text || name == a.text), role, "should be "+a.text)
	}
	if target, _ := s.set.target(role.node, []string{"AWS::IAM::Role"}); target != nil {
		name, _ := target.name()
		same, sure := target.isCalled(value.Text(a.text))
		if same || sure && name != "" {
			return verdictOf(truthOf(same), role, "should be "+a.text)
		}
	} else if text, ok := value.Of(role.node); ok && strings.HasSuffix(string(text), "role/"+a.text) {
		return compliant(role)
	}
	return unresolved(role)
}

// wantNumber compares a property, or its default, with a parameter if that is given.
func (s *subject) wantNumber(path string, standard float64, parameter string) Verdict {
	a := s.arg(parameter)
	if !a.set {
		return Verdict{}
	}
	p := s.at(path)
	n, known := p.number()
	if p.node == nil {
		n, known = standard, yes
	}
	want := "not " + a.text
	if p.node == nil {
		want = "so it is " + strconv.FormatFloat(standard, 'f', -1, 64) + ", " + want
	}
	return verdictOf(min(known, truthOf(known != yes || n == a.number)), p, want)
}
