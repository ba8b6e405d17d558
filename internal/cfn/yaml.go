package cfn

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"evo/internal/source"
)

// parseYAML reads one YAML document.
func parseYAML(text []byte) (*Node, *source.Diagnostic) {
	if root := readDirect(text); root != nil {
		return root, nil
	}
	return parseWithLibrary(text)
}

// parseWithLibrary reads all YAML that there is, and says what is wrong with it.
func parseWithLibrary(text []byte) (*Node, *source.Diagnostic) {
	r := &yamlReader{text: text, places: newYAMLPlaces(text), lines: source.NewLines(text), done: map[*yaml.Node]*aliased{}}
	doc, d := r.load()
	if d != nil {
		return nil, d
	}
	if doc == nil || len(doc.Content) == 0 {
		return &Node{}, nil
	}
	return r.read(doc)
}

// yamlReader turns the nodes of the YAML library into ours.
type yamlReader struct {
	text     []byte
	places   *yamlPlaces
	lines    *source.Lines
	depth    int
	expanded int                     // values that aliases stand for, so far
	done     map[*yaml.Node]*aliased // anchored values
}

// aliased is a value with an anchor. It is shared by all its aliases, but counts in full for each of them.
type aliased struct {
	node         *Node // nil while it is being read: an alias to it then stands within itself
	size, height int
}

// load lets the library scan the text. A library that panics on some text is a problem of that text here.
func (r *yamlReader) load() (doc *yaml.Node, failure *source.Diagnostic) {
	defer func() {
		if v := recover(); v != nil {
			doc, failure = nil, source.Errorf(source.Span{}, "this is not YAML that can be read: %v", v)
		}
	}()
	limits := loaderlimits.New(loaderlimits.DepthValue(maxDepth), loaderlimits.AliasNone())
	loader, err := yaml.NewLoader(bytes.NewReader(r.text), yaml.WithPlugin(limits), yaml.WithUniqueKeys(false))
	if err != nil {
		return nil, source.Errorf(source.Span{}, "reading YAML: %v", err)
	}
	doc = &yaml.Node{}
	if err := loader.Load(doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, r.syntaxError(err)
	}
	second := &yaml.Node{}
	if err := loader.Load(second); !errors.Is(err, io.EOF) {
		span := source.Span{}
		if err == nil {
			span = r.lines.Span(r.places.offset(second.Line, second.Column), r.places.offset(second.Line, second.Column)+1)
		}
		return nil, source.Errorf(span, "the file holds more than one YAML document; a template is one").
			WithHint("remove what follows the second '---'")
	}
	return doc, nil
}

// syntaxError says what the library found, in our words where it is a common mistake.
func (r *yamlReader) syntaxError(err error) *source.Diagnostic {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return source.Errorf(source.Span{}, "this is not YAML: %v", err)
	}
	mark := load.Mark
	if mark.Line == 0 {
		mark = load.ContextMark
	}
	if i := bytes.IndexFunc(r.text, isControl); mark.Line == 0 && i >= 0 { // the library's reader does not say where
		c, size := utf8.DecodeRune(r.text[i:])
		return source.Errorf(r.lines.Span(i, i+size), "a template cannot hold the character %U", c).
			WithHint("remove it, or in double quotes write \\x%02x", c)
	}
	var span source.Span
	if mark.Line > 0 {
		at := r.places.offset(mark.Line, mark.Column)
		span = r.lines.Span(at, min(at+1, len(r.text)))
	}
	message := strings.TrimSpace(load.Message)
	if load.ContextMsg != "" {
		message = load.ContextMsg + ": " + message
	}
	d := source.Errorf(span, "%s", message)
	if load.ContextMark.Line > 0 && load.ContextMark != mark {
		at := r.places.offset(load.ContextMark.Line, load.ContextMark.Column)
		d.WithNote(r.lines.Span(at, at+1), "this is where it begins")
	}
	if span.IsValid() && r.tabBefore(span.Start) {
		return d.WithHint("YAML is indented with spaces; replace the tab")
	}
	switch {
	case strings.Contains(message, "found character that cannot start any token"):
		d.WithHint("put the value in quotes")
	case strings.Contains(message, "mapping values are not allowed"):
		d.WithHint("put a value that holds ': ' in quotes, and check the indentation")
	case strings.Contains(message, "did not find expected key"), strings.Contains(message, "did not find expected '-'"):
		d.WithHint("check the indentation here and above")
	case strings.Contains(message, "exceeded max depth"):
		d.Message = "values are nested too deep"
	}
	return d
}

// isControl tells the characters that YAML takes nowhere.
func isControl(c rune) bool {
	return unicode.IsControl(c) && c != '\t' && c != '\n' && c != '\r' && c != '\u0085'
}

func (r *yamlReader) tabBefore(p source.Pos) bool {
	start := p.Offset - (p.Col - 1)
	rest := r.text[start:]
	indent := rest[:len(rest)-len(bytes.TrimLeft(rest, " \t"))]
	return bytes.IndexByte(indent, '\t') >= 0
}

// read makes a node of y, with what its tag says.
func (r *yamlReader) read(y *yaml.Node) (*Node, *source.Diagnostic) {
	if y.Kind == yaml.DocumentNode {
		return r.read(y.Content[0])
	}
	if y.Kind == yaml.AliasNode {
		return r.alias(y)
	}
	if y.Anchor == "" {
		return r.tagged(y)
	}
	entry := &aliased{}
	r.done[y] = entry
	n, d := r.tagged(y)
	if d != nil {
		return nil, d
	}
	entry.node, entry.size, entry.height = n, size(n), height(n)
	return n, nil
}

func (r *yamlReader) alias(y *yaml.Node) (*Node, *source.Diagnostic) {
	entry := r.done[y.Alias]
	span := r.span(y, len(y.Value)+1)
	if entry == nil || entry.node == nil {
		return nil, source.Errorf(span, "the alias *%s stands within the value that it stands for", y.Value)
	}
	if r.expanded += entry.size; r.expanded > maxAliased {
		return nil, source.Errorf(span, "the aliases of this template stand for more than %d values", maxAliased)
	}
	if r.depth+entry.height > maxDepth {
		return nil, source.Errorf(span, "with this alias, values are nested more than %d deep", maxDepth)
	}
	return entry.node, nil
}

// height counts the maps and lists within each other. What is read is never higher than maxDepth.
func height(n *Node) int {
	h := 0
	for _, item := range n.Items {
		h = max(h, height(item))
	}
	for _, p := range n.Pairs {
		h = max(h, height(p.Value))
	}
	return h + 1
}

// size counts the values of a tree, up to more than can be allowed.
func size(n *Node) int {
	total := 1
	for _, item := range n.Items {
		if total += size(item); total > maxAliased {
			return total
		}
	}
	for _, p := range n.Pairs {
		if total += size(p.Value); total > maxAliased {
			return total
		}
	}
	return total
}

// tagged wraps a value with a short tag in the function that it stands for.
func (r *yamlReader) tagged(y *yaml.Node) (*Node, *source.Diagnostic) {
	if r.depth++; r.depth > maxDepth {
		return nil, source.Errorf(r.span(y, 1), "values are nested more than %d deep", maxDepth)
	}
	defer func() { r.depth-- }()
	if y.Style&yaml.TaggedStyle == 0 || strings.HasPrefix(y.ShortTag(), "!!") {
		return r.plain(y)
	}
	name, ok := shortTags[y.Tag]
	if !ok {
		return nil, r.unknownTag(y)
	}
	tag := r.span(y, len(y.Tag))
	arg, d := r.argument(y, name)
	if d != nil {
		return nil, d
	}
	n := Obj(Pair{Key: name, KeySpan: tag, Value: arg})
	n.Span = source.Span{Start: tag.Start, End: later(tag.End, arg.Span.End)}
	return n, nil
}

// argument is what stands after a short tag: a scalar is a string whatever it looks like, and !GetAtt's is split at its
// first point.
func (r *yamlReader) argument(y *yaml.Node, name string) (*Node, *source.Diagnostic) {
	if y.Kind != yaml.ScalarNode {
		return r.plain(y)
	}
	n := Str(y.Value)
	n.Span = r.scalarSpan(y)
	if name != "Fn::GetAtt" {
		return n, nil
	}
	// Without a point it has one part only: a mistake, but one of evaluation, not of reading.
	list := Arr()
	list.Span = n.Span
	for _, part := range strings.SplitN(y.Value, ".", 2) {
		list.Items = append(list.Items, &Node{Kind: String, Text: part, Span: n.Span})
	}
	return list, nil
}

func (r *yamlReader) unknownTag(y *yaml.Node) *source.Diagnostic {
	d := source.Errorf(r.span(y, len(y.Tag)), "CloudFormation has no function %s", y.Tag)
	if near, ok := source.Nearest(y.Tag, slices.Sorted(maps.Keys(shortTags))); ok {
		d.WithHint("did you mean %s?", near)
	}
	return d
}

func (r *yamlReader) plain(y *yaml.Node) (*Node, *source.Diagnostic) {
	switch y.Kind {
	case yaml.ScalarNode:
		return r.scalar(y)
	case yaml.SequenceNode:
		return r.list(y)
	case yaml.MappingNode:
		return r.mapping(y)
	}
	return nil, source.Errorf(r.span(y, 1), "a template cannot hold this kind of YAML")
}

func (r *yamlReader) list(y *yaml.Node) (*Node, *source.Diagnostic) {
	n := Arr()
	n.Span = r.span(y, 0)
	for _, item := range y.Content {
		v, d := r.read(item)
		if d != nil {
			return nil, d
		}
		n.Items = append(n.Items, v)
		n.Span.End = later(n.Span.End, r.end(item, v))
	}
	r.closeFlow(y, n, ']')
	return n, nil
}

func (r *yamlReader) mapping(y *yaml.Node) (*Node, *source.Diagnostic) {
	n := Obj()
	n.Span = r.span(y, 0)
	var merged []*Node
	seen := make(map[string]source.Span, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		v, d := r.read(value)
		if d != nil {
			return nil, d
		}
		n.Span.End = later(n.Span.End, r.end(value, v))
		if isMerge(key) {
			merged = append(merged, v)
			continue
		}
		if key.Kind != yaml.ScalarNode {
			return nil, source.Errorf(r.span(key, 1), "a key must be a string").WithHint("put a key that begins with { or [ in quotes")
		}
		span := r.scalarSpan(key)
		if before, ok := seen[key.Value]; ok {
			return nil, duplicateKey(key.Value, span, before)
		}
		seen[key.Value] = span
		bare := key.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.TaggedStyle) == 0 && resolve(key.Value).Kind != String
		n.Pairs = append(n.Pairs, Pair{Key: key.Value, KeySpan: span, Value: v, Bare: bare})
		n.Span.End = later(n.Span.End, span.End)
	}
	r.closeFlow(y, n, '}')
	return n, r.merge(n, merged)
}

func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && key.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
}

// merge adds what << brings: keys that are not there yet, of a map or of each map of a list.
func (r *yamlReader) merge(n *Node, values []*Node) *source.Diagnostic {
	for _, v := range values {
		maps := []*Node{v}
		if v.Is(List) {
			maps = v.Items
		}
		for _, m := range maps {
			if !m.Is(Map) {
				return source.Errorf(m.Span, "<< merges maps, not a value of the kind %s", m.Kind)
			}
			if r.expanded += len(m.Pairs); r.expanded > maxAliased {
				return source.Errorf(m.Span, "the aliases of this template stand for more than %d values", maxAliased)
			}
			for _, p := range m.Pairs {
				if !n.Has(p.Key) {
					n.Pairs = append(n.Pairs, p)
				}
			}
		}
	}
	return nil
}

func later(a, b source.Pos) source.Pos {
	if b.Offset > a.Offset {
		return b
	}
	return a
}
