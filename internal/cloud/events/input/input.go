// Package input answers: what does a target get of an event?
//
// The whole event, unless the target says otherwise: a constant, the part that a JSON path leads to, or a template into which parts
// are put.
package input

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Input is what a target says of its input; at most one of the three is set.
type Input struct {
	Constant string            // JSON
	Path     string            // such as $.detail
	Template string            // with <name> where a part is put
	Paths    map[string]string // of the template's parts, by name
}

// Check says what is wrong, if anything.
func (in Input) Check() error {
	if in.Constant != "" && !json.Valid([]byte(in.Constant)) {
		return errors.New("the input is not JSON")
	}
	for _, path := range in.paths() {
		if _, err := parsePath(path); err != nil {
			return err
		}
	}
	if in.Template == "" {
		return nil
	}
	text, err := in.render(func(name string) (any, bool) { return nil, in.Paths[name] != "" || strings.HasPrefix(name, reserved) })
	if err == nil && strings.HasPrefix(strings.TrimSpace(in.Template), "{") && !json.Valid(text) {
		err = errors.New("the template makes no JSON")
	}
	return err
}

func (in Input) paths() []string {
	var all []string
	if in.Path != "" {
		all = append(all, in.Path)
	}
	for _, p := range in.Paths {
		all = append(all, p)
	}
	return all
}

// reserved begins the names of what can be put into a template without a path.
const reserved = "aws.events."

// For returns what the target gets of an event. About holds the values of the reserved names, without what they begin with.
func (in Input) For(event []byte, about map[string]string) ([]byte, error) {
	if in.Constant != "" {
		return []byte(in.Constant), nil
	}
	if in.Path == "" && in.Template == "" {
		return event, nil
	}
	var whole any
	d := json.NewDecoder(bytes.NewReader(event))
	d.UseNumber()
	if err := d.Decode(&whole); err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	if in.Path != "" {
		steps, err := parsePath(in.Path)
		if err != nil {
			return nil, err
		}
		part, _ := find(whole, steps) // null, if it leads to nothing
		return encode(part)
	}
	text, err := in.render(func(name string) (any, bool) { return in.part(name, whole, about) })
	if err == nil && !json.Valid(text) {
		err = fmt.Errorf("the template makes no JSON of this event: %.200s", text)
	}
	return text, err
}

// part is what a name in the template stands for; a path that leads to nothing makes it null.
func (in Input) part(name string, event any, about map[string]string) (any, bool) {
	if path, ok := in.Paths[name]; ok {
		steps, err := parsePath(path)
		if err != nil {
			return nil, false
		}
		v, _ := find(event, steps)
		return v, true
	}
	switch key, ok := strings.CutPrefix(name, reserved); {
	case !ok:
		return nil, false
	case key == "event", key == "event.json":
		return event, true
	default:
		v, ok := about[key]
		return v, ok
	}
}

var placeholder = regexp.MustCompile(`^<([A-Za-z0-9_.-]+)>`)

// render writes the template. Within quotes a part becomes text, elsewhere it is JSON.
func (in Input) render(value func(name string) (any, bool)) ([]byte, error) {
	var out []byte
	quoted := false
	for i := 0; i < len(in.Template); {
		c := in.Template[i]
		m := placeholder.FindStringSubmatch(in.Template[i:])
		switch {
		case c == '\\' && quoted && i+1 < len(in.Template):
			out = append(out, in.Template[i:i+2]...)
			i += 2
			continue
		case m != nil:
			v, ok := value(m[1])
			if !ok {
				return nil, fmt.Errorf("nothing says what <%s> stands for", m[1])
			}
			text, err := insert(v, quoted)
			if err != nil {
				return nil, err
			}
			out, i = append(out, text...), i+len(m[0])
			continue
		case c == '"':
			quoted = !quoted
		}
		out = append(out, c)
		i++
	}
	return out, nil
}

func insert(v any, quoted bool) ([]byte, error) {
	text, err := encode(v)
	switch _, isText := v.(string); {
	case err != nil || !quoted:
		return text, err
	case v == nil:
		return nil, nil
	case isText:
		return text[1 : len(text)-1], nil
	}
	if text, err = encode(string(text)); err != nil {
		return nil, err
	}
	return text[1 : len(text)-1], nil
}

// encode writes JSON in which <, > and & stand for themselves.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
