package fitness

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"evo/internal/fitness/exact"
)

// Basis is what differences between releases are valued with: the totals T of one release in the history, frozen (a Laspeyres
// index). With one basis differences are path-independent and dilution-proof. Where a new basis begins, the chain of differences
// goes on from where it is, and the link is marked.
type Basis struct {
	Release      string               `json:"release"`      // whose totals these are
	Requirements string               `json:"requirements"` // digest of the suite that made them
	Totals       map[string]exact.Rat `json:"totals"`       // T by characteristic
	Links        int                  `json:"links"`        // how many bases there were before this one
	Reason       LinkReason           `json:"reason"`
}

// LinkReason says why a basis was made.
type LinkReason string

// A basis is made for the first release, when somebody asks, when the requirements have changed, when the totals have doubled
// or halved, and (extended by it) when a characteristic has its first pair.
const (
	FirstRelease        LinkReason = "first release"
	Requested           LinkReason = "requested"
	RequirementsChanged LinkReason = "requirements changed"
	SizeChanged         LinkReason = "size doubled or halved"
	NewCharacteristic   LinkReason = "new characteristic"
)

// Requirements is a digest of what totals depend on: the functions, their severities and definitions, and the weights.
func (s *Suite) Requirements() string {
	reduced := struct {
		Characteristics []Characteristic
		Functions       []Function
	}{make([]Characteristic, len(s.Characteristics)), make([]Function, len(s.Functions))}
	for i, c := range s.Characteristics {
		reduced.Characteristics[i] = Characteristic{Name: c.Name, Weight: c.Weight}
	}
	for i, f := range s.Functions {
		reduced.Functions[i] = Function{ID: f.ID, Characteristic: f.Characteristic, Severity: f.Severity, Definition: f.Definition}
	}
	text, err := json.Marshal(reduced)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// totals are a release's T by characteristic.
func (s *Suite) totals(r *Release) map[string]exact.Rat {
	out := map[string]exact.Rat{}
	for name, t := range tallies(s.index(), r.Pairs) {
		out[name] = exact.Scaled(&t.total, weightDigits)
	}
	return out
}

// NextBasis is the basis with which candidate is compared with reference, the release before it as scored under s. previous is
// the basis of the comparison before, nil if there was none. Without a reference, candidate is the first release. Both
// releases must be valid under s.
func NextBasis(s *Suite, previous *Basis, reference, candidate *Release, request bool) Basis {
	if reference == nil {
		reference = candidate
	}
	now := s.totals(reference)
	fresh := func(reason LinkReason) Basis {
		b := Basis{Release: reference.Name, Requirements: s.Requirements(), Totals: now, Reason: reason}
		if previous != nil {
			b.Links = previous.Links + 1
		}
		return b
	}
	var b Basis
	switch {
	case previous == nil:
		b = fresh(FirstRelease)
	case request:
		b = fresh(Requested)
	case previous.Requirements != s.Requirements():
		b = fresh(RequirementsChanged)
	case s.outgrown(previous, now):
		b = fresh(SizeChanged)
	default:
		b = *previous
	}
	extended := s.extended(b, candidate)
	if previous != nil && extended.Reason == NewCharacteristic && len(extended.Totals) > len(previous.Totals) {
		extended.Links = previous.Links + 1
	}
	return extended
}

// outgrown reports whether the totals, weighed as the characteristics are, have doubled or halved.
func (s *Suite) outgrown(b *Basis, now map[string]exact.Rat) bool {
	growth := exact.Rat{}
	for name, share := range s.shares(b) {
		growth = growth.Add(share.Mul(now[name]).Div(b.Totals[name]))
	}
	return growth.Sign() > 0 && (!growth.Less(exact.Whole(2)) || !exact.Ratio(1, 2).Less(growth))
}

// extended adds the characteristics in which candidate has the history's first pairs.
func (s *Suite) extended(b Basis, candidate *Release) Basis {
	totals := map[string]exact.Rat{}
	for name, t := range b.Totals {
		totals[name] = t
	}
	for name, t := range s.totals(candidate) {
		if b.Totals[name].Sign() == 0 {
			totals[name], b.Reason = t, NewCharacteristic
		}
	}
	b.Totals = totals
	return b
}

// shares are Ŵ over the characteristics that the basis has totals of.
func (s *Suite) shares(b *Basis) map[string]exact.Rat {
	sum := exact.Rat{}
	for _, c := range s.Characteristics {
		if b.Totals[c.Name].Sign() > 0 {
			sum = sum.Add(c.Weight.Rat())
		}
	}
	out := map[string]exact.Rat{}
	for _, c := range s.Characteristics {
		if c.Weight > 0 && b.Totals[c.Name].Sign() > 0 {
			out[c.Name] = c.Weight.Rat().Div(sum)
		}
	}
	return out
}

// Prices are those of a basis's totals.
func (s *Suite) Prices(b *Basis) Prices {
	p := Prices{}
	for name, share := range s.shares(b) {
		p[name] = hundred.Mul(share).Div(b.Totals[name])
	}
	return p
}
