package suitefile

import (
	"fmt"
	"slices"
	"strings"

	"evo/internal/fitness"
)

// Resource is a resource of the template that a file is begun for.
type Resource struct {
	ID, Type string
}

// becomes are the resource types that rules judge, of what a SAM resource becomes.
var becomes = map[string][]string{
	"AWS::Serverless::Function":     {"AWS::Lambda::Function"},
	"AWS::Serverless::SimpleTable":  {"AWS::DynamoDB::Table"},
	"AWS::Serverless::Api":          {"AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage"},
	"AWS::Serverless::HttpApi":      {"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", "AWS::ApiGatewayV2::Route"},
	"AWS::Serverless::StateMachine": {"AWS::StepFunctions::StateMachine"},
	"AWS::Serverless::GraphQLApi":   {"AWS::AppSync::GraphQLApi"},
}

// Init writes a fitness.yaml to begin with, for a template's resources: what holds already, as it would without a file, and
// beside it, commented out, what could be asked for. It can be read by Parse, and then asks for nothing new.
func Init(resources []Resource) []byte {
	s := fitness.Default()
	var b strings.Builder
	b.WriteString("# What evo holds releases of this application to. Every line may go: these are the defaults, and what is\n" +
		"# commented out is what you could ask for. `evo fitness` shows what each function costs.\n\n")
	writeCharacteristics(&b, s)
	writeFunctions(&b, s, resources)
	writeOwn(&b)
	writeComplexity(&b, s)
	writeRatchet(&b, s)
	writeResources(&b, s, resources)
	return []byte(b.String())
}

func writeCharacteristics(b *strings.Builder, s *fitness.Suite) {
	b.WriteString("# What matters, and how much beside the others. `floor: 0.6` refuses releases that score less.\ncharacteristics:\n")
	for _, c := range s.Characteristics {
		fmt.Fprintf(b, "  %s: {weight: %s}\n", c.Name, c.Weight)
	}
}

// writeFunctions lists the functions for the template's types, by characteristic, and below each those that must be asked for,
// by why they are not on.
func writeFunctions(b *strings.Builder, s *fitness.Suite, resources []Resource) {
	b.WriteString("\n# Checks of the resources in the template. `required: true` makes a gate of one; an exception needs a reason and an end:\n" +
		"#   except: [{resource: PublicSite, reason: it is a web site, until: 2027-12-31}]\nfunctions:\n")
	for _, c := range s.Characteristics {
		why := []string{""} // first what is on, then the reasons in the catalogue's order
		lines := map[string]string{}
		for _, e := range fitness.Catalogue {
			if ids := judged(e, resources); e.Characteristic == c.Name && len(ids) > 0 {
				if !slices.Contains(why, e.OptIn) {
					why = append(why, e.OptIn)
				}
				lines[e.OptIn] += functionLine(e, ids)
			}
		}
		if len(lines) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n  # %s\n%s", c.Name, lines[""])
		for _, reason := range why[1:] {
			fmt.Fprintf(b, "  # Not on, %s:\n%s", reason, lines[reason])
		}
	}
}

// functionLine is a catalogue's function, commented out if it is not on.
func functionLine(e fitness.Entry, ids []string) string {
	mark := ""
	if e.OptIn != "" {
		mark = "# "
	}
	return fmt.Sprintf("  %-70s # %s (%s)\n", mark+e.Rule+": {severity: "+severityName(e)+"}", e.Title, few(ids))
}

func severityName(e fitness.Entry) string {
	for name, v := range severities {
		if v == e.Severity {
			return name
		}
	}
	return e.Severity.String()
}

// few names the first resources, and how many more there are.
func few(ids []string) string {
	if len(ids) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:3], ", "), len(ids)-3)
	}
	return strings.Join(ids, ", ")
}

// judged are the resources that a rule judges.
func judged(e fitness.Entry, resources []Resource) []string {
	var ids []string
	for _, r := range resources {
		if r.Type == e.Type || slices.Contains(becomes[r.Type], e.Type) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func writeOwn(b *strings.Builder) {
	b.WriteString(`
  # Your own. What customers can do is what a release is for: give it a smoke test, which is a gate.
  # shop-opens:
  #   characteristic: functionality
  #   severity: critical
  #   invoke: {url: /catalog, expect: {status: 200, within: 2s}}
  # checkout-latency:
  #   characteristic: performance
  #   metric: {namespace: AWS/Lambda, name: Duration, dimensions: {FunctionName: Checkout}, stat: p99}
  #   target: 200ms
  #   limit: 1s
  # personal-data-has-a-key-of-its-own:
  #   characteristic: security
  #   type: AWS::DynamoDB::Table
  #   expression: has(properties.SSESpecification.KMSMasterKeyId)
`)
}

func writeComplexity(b *strings.Builder, s *fitness.Suite) {
	fmt.Fprintf(b, "\n# Size has a price, so that nobody builds for the checks alone. `evo fitness calibrate` sets the budgets to what is there.\n"+
		"complexity:\n  lambda: %s\n  budgets:\n", s.Complexity.Lambda)
	for _, budget := range s.Complexity.Budgets {
		fmt.Fprintf(b, "    %-14s # %s\n", fmt.Sprintf("%s: %s", budget.Dimension, budget.Amount), fileShape.field("complexity").field("budgets").field(string(budget.Dimension)).doc)
	}
}

func writeRatchet(b *strings.Builder, s *fitness.Suite) {
	r := s.Ratchet
	b.WriteString("\n# How a release is held to the ones before it.\nratchet:\n")
	for _, f := range []struct{ name, value string }{{"policy", string(r.Policy)}, {"tolerance", r.Tolerance.String()}, {"additions", string(r.Additions)},
		{"regressions", string(r.Regressions)}, {"reference", string(r.Reference)}, {"unknown", string(r.Unknown)}, {"coverage", r.Coverage.String()}} {
		fmt.Fprintf(b, "  %-28s # %s\n", f.name+": "+f.value, ratchetShape.field(f.name).doc)
	}
}

func writeResources(b *strings.Builder, s *fitness.Suite, resources []Resource) {
	b.WriteString("\n# Resources that count for more or for less than others; 1 is usual, helpers have less.\nresources:\n")
	for _, r := range resources {
		fmt.Fprintf(b, "  # %s: {criticality: %s}\n", r.ID, s.CriticalityOf(r.ID, r.Type))
	}
}
