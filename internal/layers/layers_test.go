// Package layers answers: which package may import which? Its test is the only code in it.
package layers

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// layer is where a package lives: it may import the project's packages of its own level (within the cloud: as `sees` says)
// and of those below.
type layer struct {
	prefix string // an import path under the module, and all below it
	level  int
	pure   bool // no SDK client, no network, no processes, no clock
	reason string
}

const outside = -1 // may import anything

// table is the layout. The longest prefix that fits counts. A package that is not in it is an error: put it where it belongs.
var table = []layer{
	{"internal/source", 0, true, "places in files and how problems there are shown"},
	{"internal/cfn", 1, true, "templates"},
	{"internal/sam", 1, true, "SAM to CloudFormation"},
	{"internal/apiurl", 1, true, "where APIs are served"},
	{"internal/unzip", 1, false, "makes folders of archives"},
	{"internal/shape", 2, true, "what services say, as CloudFormation's properties"},
	{"internal/view", 2, true, "what is shown, as values"},
	{"internal/diagnose", 2, true, "what is wrong with templates"},
	{"internal/rules", 2, true, "rules judge configurations"},
	{"internal/fitness", 2, true, "the objective"},
	{"internal/cost", 2, true, "prices"},
	{"internal/rollout", 2, true, "traffic plans and decisions"},
	{"internal/analysis", 2, true, "statistics"},
	{"internal/whatif", 2, true, "mutations"},
	{"internal/awserr", 3, false, "what an SDK client's error says to a person"},
	{"internal/build", 3, false, "makes deployable code"},
	{"internal/artifact", 3, false, "zips by content"},
	{"internal/engine", 3, false, "the deployer"},
	{"internal/appraisal", 2, true, "rules and objective together"},
	{"internal/gate", 2, true, "what is added to a template so that its releases are judged"},
	{"internal/hook", 3, false, "the fitness hook"},
	{"internal/analyst", 3, false, "the canary analyst"},
	{"internal/inventory", 3, false, "reads what a stack has and how it is configured"},
	{"internal/observe", 3, false, "reads metrics, logs, deployments"},
	{"internal/history", 3, false, "releases and their reports"},
	{"internal/publish", 3, false, "publishes applications, and makes projects of published ones"},
	{"internal/release", 3, false, "makes a release of a deployment"},
	{"internal/measure", 3, false, "reads metrics, calls functions and APIs"},
	{"internal/cli", 4, false, "the command line"},
	{"internal/dashboard", 4, false, "the web page"},
	{"cmd", 5, false, "main"},
	{"internal/layers", outside, false, "this test"},
	{"internal/cloud", 3, false, "the embedded cloud's assembly"},
	{"cloudtest", 4, false, "the embedded cloud in a Go test"},
	{"examples", 0, false, "applications: they know AWS, and nothing of evo"},
	{"test", outside, false, "end to end"},
	{"bench", outside, false, "measures all"},
}

// parts of the embedded cloud. A service imports no other service.
// cloudBase is what services share. A piece of a service comes here when a second one needs it, not before.
var cloudBase = []string{
	"internal/cloud/call", "internal/cloud/clock", "internal/cloud/store", "internal/cloud/openapi",
	"internal/cloud/gateway",   // what both API Gateways keep, and how
	"internal/cloud/id",        // names by chance
	"internal/cloud/jsontext",  // strings in JSON, quickly
	"internal/cloud/objecturl", // objects in S3 by URL
	"internal/cloud/paging",    // the parts in which lists are given
	"internal/cloud/tags",      // the sets of tags that services keep
	"internal/cloud/wildcard",  // patterns in policies
}
var cloudWire = []string{"internal/cloud/wire", "internal/cloud/model"}

// apiDefinitions are what an API is, as pure values: the two control planes write them, and what serves APIs reads them.
var apiDefinitions = []string{"internal/cloud/apigateway/restapi", "internal/cloud/apigatewayv2/httpapi"}

type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Doc          string
	Name         string
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, "evo/")
		from, ok := find(name)
		if !ok {
			t.Errorf("%s is not in the table of layers: add it, with its level and reason", name)
			continue
		}
		if p.Doc == "" && len(p.Imports) > 0 && !strings.HasPrefix(p.Name, "main") {
			t.Errorf("%s has no package comment: say which question it answers", name)
		}
		for _, imp := range p.Imports {
			if why := forbidden(name, from, imp); why != "" {
				t.Errorf("%s imports %s: %s", name, imp, why)
			}
		}
	}
}

// forbidden returns why a package may not import imp, or "".
func forbidden(name string, from layer, imp string) string {
	if from.level == outside {
		return ""
	}
	if from.pure {
		if why := impure(imp); why != "" {
			return why
		}
	}
	to, ours := strings.CutPrefix(imp, "evo/")
	if !ours {
		return ""
	}
	target, ok := find(to)
	switch {
	case !ok:
		return "which is not in the table of layers"
	case inCloud(name) && inCloud(to):
		return betweenCloud(name, to)
	case inCloud(to) && from.level < 4:
		return "only the command line chooses the cloud; everybody else meets it through SDK clients"
	case inCloud(name) && target.level > 2:
		return "the embedded cloud knows nothing of what deploys to it"
	case target.level > from.level:
		return "imports point down"
	case target.level == outside:
		return "tests are nobody's library"
	}
	return ""
}

// impure says why what is pure may not import imp. The types that SDK clients answer with are plain structures.
func impure(imp string) string {
	if strings.HasPrefix(imp, "github.com/aws/aws-sdk-go-v2/service/") && strings.HasSuffix(imp, "/types") {
		return ""
	}
	for _, bad := range []string{"net", "os/exec", "github.com/aws/aws-sdk-go-v2", "math/rand", "crypto/rand"} {
		if imp == bad || strings.HasPrefix(imp, bad+"/") && imp != "net/url" && imp != "net/netip" {
			return "packages of levels 0 to 2 are pure"
		}
	}
	return ""
}

func inCloud(name string) bool {
	return name == "internal/cloud" || strings.HasPrefix(name, "internal/cloud/")
}

// part returns the cloud's part that a package belongs to: the first element below internal/cloud.
func part(name string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(name, "internal/cloud"), "/")
	first, _, _ := strings.Cut(rest, "/")
	return path.Join("internal/cloud", first)
}

func betweenCloud(name, to string) string {
	from, target := part(name), part(to)
	switch {
	case from == "internal/cloud", from == target, slices.Contains(cloudBase, target):
		return ""
	case slices.Contains(cloudWire, from) && slices.Contains(cloudWire, target):
		return ""
	case from == "internal/cloud/lambda" && target == "internal/cloud/sandbox":
		return "" // the service runs its functions there
	case from == "internal/cloud/executeapi" && slices.Contains(apiDefinitions, to):
		return "" // it serves what these define
	case slices.Contains(cloudWire, target):
		return "a service is plain methods: it knows nothing of the wire"
	}
	return "a service imports no other: declare a small interface, which internal/cloud fills"
}

func find(name string) (layer, bool) {
	if path.Base(name) == "gen" { // what go generate runs
		return layer{name, outside, false, "makes tables, never part of the program"}, true
	}
	best, ok := layer{}, false
	for _, l := range table {
		if (name == l.prefix || strings.HasPrefix(name, l.prefix+"/")) && (!ok || len(l.prefix) > len(best.prefix)) {
			best, ok = l, true
		}
	}
	return best, ok
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json", "evo/...").Output()
	if err != nil {
		t.Fatalf("list the packages: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestTheTableItself(t *testing.T) {
	for _, c := range []struct {
		from, imp string
		allowed   bool
	}{
		{"internal/sam", "evo/internal/cfn", true},
		{"internal/cfn", "evo/internal/rollout", false},
		{"internal/cfn", "net/http", false},
		{"internal/rollout", "github.com/aws/aws-sdk-go-v2/aws", false},
		{"internal/shape", "github.com/aws/aws-sdk-go-v2/service/s3/types", true},
		{"internal/shape", "github.com/aws/aws-sdk-go-v2/service/s3", false},
		{"internal/engine", "evo/internal/cloud", false},
		{"internal/cli", "evo/internal/cloud", true},
		{"internal/cloud/s3", "evo/internal/cloud/dynamodb", false},
		{"internal/cloud/s3", "evo/internal/cloud/s3/blob", true},
		{"internal/cloud/s3", "evo/internal/cloud/store", true},
		{"internal/cloud/s3", "evo/internal/cloud/wire", false},
		{"internal/cloud/lambda", "evo/internal/cloud/sandbox", true},
		{"internal/cloud/executeapi", "evo/internal/cloud/apigateway/restapi", true},
		{"internal/cloud/executeapi", "evo/internal/cloud/apigatewayv2/httpapi", true},
		{"internal/cloud/executeapi", "evo/internal/cloud/apigateway", false},
		{"internal/cloud/lambda", "evo/internal/cloud/apigateway/restapi", false},
		{"internal/cloud", "evo/internal/cloud/s3", true},
		{"internal/cloud/codedeploy", "evo/internal/rollout", true},
		{"internal/cloud/codedeploy", "evo/internal/engine", false},
	} {
		from, _ := find(c.from)
		if why := forbidden(c.from, from, c.imp); (why == "") != c.allowed {
			t.Errorf("%s imports %s: %q", c.from, c.imp, why)
		}
	}
}
