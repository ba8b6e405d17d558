package history

import (
	"context"
	"encoding/json"
	"fmt"

	"evo/internal/cfn"
)

// Template is what a release asks a stack for.
type Template struct {
	Authored   *cfn.Node         // as it was packaged, before transforms
	Full       *cfn.Node         // after transforms
	Parameters map[string]string // without those that are not to be shown
	Code       map[string]int64  // the bytes of packaged code, by logical id, as far as they are known
}

type templateDocument struct {
	Authored   json.RawMessage   `json:"authored"`
	Full       json.RawMessage   `json:"full"`
	Parameters map[string]string `json:"parameters"`
	Code       map[string]int64  `json:"code,omitempty"`
}

// Ask writes what a release asks the stack for.
func (s *Store) Ask(ctx context.Context, number int, t Template) error {
	var d templateDocument
	var err error
	if d.Authored, err = t.Authored.MarshalJSON(); err != nil {
		return fmt.Errorf("write the template of release %d: %w", number, err)
	}
	if d.Full, err = t.Full.MarshalJSON(); err != nil {
		return fmt.Errorf("write the template of release %d: %w", number, err)
	}
	d.Parameters, d.Code = t.Parameters, t.Code
	return s.putJSON(ctx, number, templateFile, d)
}

// Asked reads what a release asked the stack for; nil if that was not kept.
func (s *Store) Asked(ctx context.Context, number int) (*Template, error) {
	var d *templateDocument
	if err := s.getJSON(ctx, number, templateFile, &d); err != nil || d == nil {
		return nil, err
	}
	t := &Template{Parameters: d.Parameters, Code: d.Code}
	var err error
	if t.Authored, err = cfn.ParseValue(templateFile, d.Authored); err != nil {
		return nil, fmt.Errorf("read the template of release %d: %w", number, err)
	}
	if t.Full, err = cfn.ParseValue(templateFile, d.Full); err != nil {
		return nil, fmt.Errorf("read the template of release %d: %w", number, err)
	}
	return t, nil
}
