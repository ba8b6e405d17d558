package rules

import (
	"math/big"
	"strconv"

	"evo/internal/source"
)

// Compliance is a verdict in AWS Config's words.
type Compliance uint8

// The verdicts, the better ones first. InsufficientData says that a value is not known yet: an unresolved parameter, import
// or dynamic reference, or a fact that only a live account has.
const (
	NotApplicable Compliance = iota
	Compliant
	InsufficientData
	NonCompliant
)

var complianceNames = [...]string{"NOT_APPLICABLE", "COMPLIANT", "INSUFFICIENT_DATA", "NON_COMPLIANT"}

func (c Compliance) String() string { return complianceNames[c] }

// MarshalText writes AWS Config's word.
func (c Compliance) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Score is how well a resource does, from 0 to 1, as an exact fraction. The zero Score says that there is none: the rule does
// not apply, or cannot tell.
type Score struct{ Num, Den int64 }

// Scores without grades.
var (
	None = Score{}
	Zero = Score{0, 1}
	Full = Score{1, 1}
)

// Known reports whether there is a score.
func (s Score) Known() bool { return s.Den != 0 }

// Rat is the score as a number that can be computed with; 0 if there is none.
func (s Score) Rat() *big.Rat {
	if !s.Known() {
		return new(big.Rat)
	}
	return big.NewRat(s.Num, s.Den)
}

// String is the score in decimals, rounded to three; empty if there is none.
func (s Score) String() string {
	switch {
	case !s.Known():
		return ""
	case s.Num%s.Den == 0:
		return strconv.FormatInt(s.Num/s.Den, 10)
	}
	text := s.Rat().FloatString(3)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	return text
}

// MarshalText writes the decimals.
func (s Score) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// shareOf is 1/(1+n): each of n faults counts, the first one most.
func shareOf(n int) Score { return Score{1, int64(1 + n)} }

// Verdict is what one rule says of one resource.
type Verdict struct {
	Rule       string // its name
	Resource   string // logical id, or AccountID for the account
	Type       string
	Compliance Compliance
	Score      Score
	Reason     string      // names the property and what stands there
	Path       string      // the property, from Properties on, with dots; empty if it is none
	Unresolved string      // with InsufficientData: what is not known
	Condition  string      // the resource's condition, where it is not known whether it holds
	Span       source.Span // the line to look at
}

// Rollup is one verdict for a rule over its resources: the worst.
func Rollup(verdicts []Verdict) Compliance {
	worst := NotApplicable
	for i := range verdicts {
		worst = max(worst, verdicts[i].Compliance)
	}
	return worst
}
