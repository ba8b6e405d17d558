// Package corpus answers: what do templates look like that teams write? It makes them up, the same ones for the same seed, so that a
// measurement can be repeated anywhere: SAM and plain CloudFormation, YAML and JSON, 3 to 30 resources, 1 to 10 KB.
package corpus

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"evo/internal/cfn"
)

// Template is one template, as a file.
type Template struct {
	Name string // order-service-007.yaml
	Text []byte
}

// Templates makes n templates.
func Templates(seed uint64, n int) []Template {
	all := make([]Template, n)
	for i := range all {
		w := &writer{rnd: rand.New(rand.NewPCG(seed, uint64(i))), ids: map[string][]string{}}
		all[i] = w.template(i)
	}
	return all
}

// Write makes n templates in a directory, and returns their paths.
func Write(dir string, seed uint64, n int) ([]string, error) {
	var paths []string
	for _, t := range Templates(seed, n) {
		path := filepath.Join(dir, t.Name)
		if err := os.WriteFile(path, t.Text, 0o644); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// maxText keeps templates below 10 KB: the longest part has about a kilobyte. JSON takes twice the room.
const maxText = 8800

//go:embed parts.yaml
var partsText string

// A part is how one kind of resource is written, with what differs from template to template left open:
//
//	<id>          the resource's own id
//	<pick a b>    one of the words
//	<some Kind>   the id of a resource of that kind
//	? Line        the line, and what is indented below it, may be missing
type part struct {
	kind, text string
	sam, plain bool
}

var (
	parts       = readParts(partsText)
	placeholder = regexp.MustCompile(`<(id|pick|some)( [^<>]+)?>`)
	domains     = strings.Fields("order payment invoice customer catalog basket shipment review stock coupon session report upload search profile")
	roles       = strings.Fields("Created Archive Worker Public Daily Main Retry Audit Export Import Index Cache Notify Sync Batch")
)

// readParts reads parts.yaml: each part is headed by a line "--- Kind sam|plain|both".
func readParts(text string) []part {
	var all []part
	for _, block := range strings.Split(text, "--- ")[1:] {
		head, body, _ := strings.Cut(block, "\n")
		kind, where, _ := strings.Cut(head, " ")
		all = append(all, part{kind, body, where != "plain", where != "sam"})
	}
	return all
}

type writer struct {
	rnd *rand.Rand
	ids map[string][]string // by kind
	out strings.Builder
	sam bool
}

func (w *writer) chance(percent int) bool { return w.rnd.IntN(100) < percent }

func pick[T any](w *writer, from []T) T { return from[w.rnd.IntN(len(from))] }

func (w *writer) template(i int) Template {
	w.sam = i%2 == 0
	asJSON := i%4 == 3 || i%16 == 6
	domain := pick(w, domains)
	w.head(domain)
	// What others refer to comes first.
	for _, kind := range []string{"Bucket", "Table", "Function"} {
		w.resource(w.ofKind(kind))
	}
	limit := maxText
	if asJSON {
		limit /= 2
	}
	for n := w.rnd.IntN(1 + w.rnd.IntN(28)); n > 0 && w.out.Len() < limit; n-- { // small ones are more frequent
		w.resource(w.any())
	}
	w.tail()
	t := Template{fmt.Sprintf("%s-service-%03d.yaml", domain, i), []byte(w.out.String())}
	if asJSON {
		t.Name = strings.TrimSuffix(t.Name, "yaml") + "json"
		t.Text = toJSON(t.Text)
	}
	return t
}

// toJSON panics on text that is no template: a mistake in parts.yaml.
func toJSON(text []byte) []byte {
	root, err := cfn.Parse("parts.yaml", text)
	if err == nil {
		text, err = root.JSON()
	}
	if err != nil {
		panic(err)
	}
	return text
}

func (w *writer) head(domain string) {
	w.out.WriteString("AWSTemplateFormatVersion: \"2010-09-09\"\n")
	if w.sam {
		w.out.WriteString("Transform: AWS::Serverless-2016-10-31\n")
	}
	w.out.WriteString("Description: The " + domain + " service, and what it keeps\n\n")
	w.write(part{text: parameters})
	if w.sam {
		w.write(part{text: globals})
	}
	w.out.WriteString("Resources:\n")
}

func (w *writer) tail() {
	w.out.WriteString("\nOutputs:\n")
	w.write(part{text: outputs})
}

func (w *writer) ofKind(kind string) part {
	for {
		if p := w.any(); p.kind == kind {
			return p
		}
	}
}

func (w *writer) any() part {
	for {
		if p := pick(w, parts); p.sam && w.sam || p.plain && !w.sam {
			return p
		}
	}
}

func (w *writer) resource(p part) {
	id := pick(w, roles) + p.kind
	for n := 2; w.taken(id); n++ {
		id = fmt.Sprintf("%s%s%d", pick(w, roles), p.kind, n)
	}
	if w.chance(20) {
		w.out.WriteString("\n  # " + strings.ToLower(pick(w, roles)) + ": see the runbook before changing this\n")
	}
	w.out.WriteString("  " + id + ":\n")
	w.ids[p.kind] = append(w.ids[p.kind], id)
	w.write(p)
}

func (w *writer) taken(id string) bool {
	for _, ids := range w.ids {
		for _, other := range ids {
			if other == id {
				return true
			}
		}
	}
	return false
}

// write fills a part in, and leaves out some of what may be missing.
func (w *writer) write(p part) {
	w.lines(p, strings.SplitAfter(strings.TrimSuffix(p.text, "\n"), "\n"), 0)
}

// lines writes lines with less indentation than they have.
func (w *writer) lines(p part, lines []string, less int) {
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSuffix(lines[i], "\n")
		indent := indentation(line)
		rest, optional := strings.CutPrefix(line[indent:], "? ")
		if !optional {
			w.line(p, line[min(less, indent):])
			continue
		}
		below := i + 1
		for below < len(lines) && indentation(lines[below]) > indent {
			below++
		}
		if w.chance(55) {
			w.line(p, line[min(less, indent):indent]+rest)
			w.lines(p, lines[i+1:below], less+len("? "))
		}
		i = below - 1
	}
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

func (w *writer) line(p part, line string) {
	w.out.WriteString(placeholder.ReplaceAllStringFunc(line, func(m string) string { return w.filled(p, m) }) + "\n")
}

func (w *writer) filled(p part, mark string) string {
	words := strings.Fields(strings.Trim(mark, "<>"))
	switch words[0] {
	case "id":
		ids := w.ids[p.kind]
		return ids[len(ids)-1]
	case "some":
		return pick(w, w.ids[words[1]])
	}
	return pick(w, words[1:])
}

const parameters = `Parameters:
  Stage:
    Type: String
    Default: dev
    AllowedValues: [dev, test, prod]
  ? AlarmEmail:
      Type: String
      Description: 'Who is told when something fails'
  LogDays:
    Type: Number
    Default: <pick 7 14 30 90>

Conditions:
  IsProd: !Equals [!Ref Stage, prod]

`

const globals = `Globals:
  Function:
    Runtime: <pick nodejs20.x python3.12 provided.al2023>
    Timeout: <pick 3 10 30>
    MemorySize: <pick 128 256 512>
    ? Tracing: Active
    ? Environment:
        Variables:
          STAGE: !Ref Stage

`

const outputs = `  TableName:
    Value: !Ref <some Table>
  BucketArn:
    Description: Where files go
    Value: !GetAtt <some Bucket>.Arn
    Export:
      Name: !Sub "${AWS::StackName}-bucket"
`
