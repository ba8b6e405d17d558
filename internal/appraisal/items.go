package appraisal

import (
	"encoding/json"
	"errors"
	"fmt"

	"evo/internal/cfn"
	"evo/internal/fitness/exact"
	"evo/internal/rules"
)

// itemsVersion is that of the documents that EncodeItems writes.
const itemsVersion = 1

// document is an architecture as it is kept with a release's report.
type document struct {
	Version  int               `json:"version"`
	Region   string            `json:"region"`
	Authored json.RawMessage   `json:"authored"`
	Full     json.RawMessage   `json:"full"`
	Desired  []json.RawMessage `json:"desired"`
	Live     []json.RawMessage `json:"live"`
	Account  json.RawMessage   `json:"account,omitempty"`

	Code    map[string]int64         `json:"code,omitempty"`
	Metrics map[string]exact.Decimal `json:"metrics,omitempty"`
}

// EncodeItems writes the configuration that was judged, so that DecodeItems and Appraise can judge it again by other requirements.
func EncodeItems(a Architecture) ([]byte, error) {
	d := document{Version: itemsVersion, Region: a.Desired.Region, Code: a.Code, Metrics: a.Metrics}
	var err error
	write := func(n *cfn.Node) json.RawMessage {
		text, writeErr := n.MarshalJSON()
		if writeErr != nil && err == nil {
			err = writeErr
		}
		return text
	}
	d.Authored, d.Full = write(a.Authored), write(a.Full)
	for _, it := range a.Desired.Items {
		d.Desired = append(d.Desired, write(itemNode(it)))
	}
	if a.Live != nil {
		d.Live = []json.RawMessage{}
		for _, it := range a.Live.Items {
			d.Live = append(d.Live, write(itemNode(it)))
		}
		if a.Live.Account != nil {
			d.Account = write(a.Live.Account)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("write the configuration items: %w", err)
	}
	return json.Marshal(d)
}

func itemNode(it *rules.Item) *cfn.Node {
	n := cfn.Obj(cfn.P("ID", cfn.Str(it.ID)), cfn.P("Type", cfn.Str(it.Type)))
	for _, p := range []cfn.Pair{cfn.P("Name", cfn.Str(it.Name)), cfn.P("ARN", cfn.Str(it.ARN)), cfn.P("PhysicalID", cfn.Str(it.PhysicalID)), cfn.P("Condition", cfn.Str(it.Condition))} {
		if p.Value.Text != "" {
			n.Set(p.Key, p.Value)
		}
	}
	for _, p := range []cfn.Pair{cfn.P("Properties", it.Properties), cfn.P("Metadata", it.Metadata), cfn.P("Supplementary", it.Supplementary)} {
		if p.Value != nil {
			n.Set(p.Key, p.Value)
		}
	}
	return n
}

// DecodeItems reads what EncodeItems has written.
func DecodeItems(text []byte) (Architecture, error) {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return Architecture{}, fmt.Errorf("read configuration items: %w", err)
	}
	if d.Version != itemsVersion {
		return Architecture{}, fmt.Errorf("read configuration items: they have version %d, and this evo reads %d", d.Version, itemsVersion)
	}
	a := Architecture{Code: d.Code, Metrics: d.Metrics}
	var err error
	if a.Authored, err = node(d.Authored); err != nil {
		return a, err
	}
	if a.Full, err = node(d.Full); err != nil {
		return a, err
	}
	if !a.Authored.Is(cfn.Map) || !a.Full.Is(cfn.Map) {
		return a, errors.New("read configuration items: the templates are not there")
	}
	if a.Desired, err = set(d.Desired, nil, d.Region); err != nil {
		return a, err
	}
	if d.Live == nil {
		return a, nil
	}
	var account *cfn.Node
	if d.Account != nil {
		if account, err = node(d.Account); err != nil {
			return a, err
		}
	}
	a.Live, err = set(d.Live, account, d.Region)
	return a, err
}

func node(text json.RawMessage) (*cfn.Node, error) {
	n, err := cfn.ParseValue("items.json", text)
	if err != nil {
		return nil, fmt.Errorf("read configuration items: %w", err)
	}
	return n, nil
}

func set(texts []json.RawMessage, account *cfn.Node, region string) (*rules.Set, error) {
	items := make([]*rules.Item, len(texts))
	for i, text := range texts {
		n, err := node(text)
		if err != nil {
			return nil, err
		}
		if n.Get("ID").Str() == "" || n.Get("Type").Str() == "" {
			return nil, errors.New("read configuration items: one has no id or no type")
		}
		items[i] = &rules.Item{ID: n.Get("ID").Str(), Type: n.Get("Type").Str(), Name: n.Get("Name").Str(), ARN: n.Get("ARN").Str(),
			PhysicalID: n.Get("PhysicalID").Str(), Condition: n.Get("Condition").Str(),
			Properties: n.Get("Properties"), Metadata: n.Get("Metadata"), Supplementary: n.Get("Supplementary")}
	}
	return rules.NewSet(items, account, region), nil
}
