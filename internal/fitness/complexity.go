package fitness

import (
	"fmt"

	"evo/internal/fitness/exact"
)

// Dimension is one way in which an architecture is large.
type Dimension string

// The dimensions, in the order in which they are shown.
const (
	Resources Dimension = "resources" // authored resources
	Edges     Dimension = "edges"     // events, references that carry traffic, hooks, alarms' targets
	Code      Dimension = "code"      // own code: megabytes, as packaged
	Grants    Dimension = "grants"    // permissions: actions × resources, a wildcard counts five
	Cost      Dimension = "cost"      // US dollars a month
)

// Dimensions are all of them.
var Dimensions = []Dimension{Resources, Edges, Code, Grants, Cost}

// Size is how large a release's architecture is.
type Size struct {
	Resources int           `json:"resources"`
	Edges     int           `json:"edges"`
	Code      exact.Decimal `json:"code"`
	Grants    int           `json:"grants"`
	Cost      int64         `json:"cost"`              // micro-dollars a month
	AtLeast   bool          `json:"atLeast,omitempty"` // some usage is unknown: Cost holds only the fixed part of it
}

// Amount is the size in one dimension, in the units of its budget.
func (s Size) Amount(d Dimension) exact.Rat {
	switch d {
	case Resources:
		return exact.Whole(int64(s.Resources))
	case Edges:
		return exact.Whole(int64(s.Edges))
	case Code:
		return s.Code.Rat()
	case Grants:
		return exact.Whole(int64(s.Grants))
	case Cost:
		return exact.Ratio(s.Cost, 1_000_000)
	}
	return exact.Rat{}
}

func (s Size) validate() error {
	if s.Resources < 0 || s.Edges < 0 || s.Code < 0 || s.Grants < 0 || s.Cost < 0 {
		return fmt.Errorf("size: nothing of %+v may be negative", s)
	}
	return nil
}

// Budget is how much of a dimension an architecture may have before it counts as complex.
type Budget struct {
	Dimension Dimension     `json:"dimension"`
	Weight    exact.Decimal `json:"weight"`
	Amount    exact.Decimal `json:"amount"`
}

// Complexity is how size counts: λ, and a budget for each dimension.
type Complexity struct {
	Lambda  exact.Decimal `json:"lambda"`
	Budgets []Budget      `json:"budgets"`
}

func (c *Complexity) validate() error {
	if c.Lambda < 0 {
		return fmt.Errorf("complexity: lambda %s is negative", c.Lambda)
	}
	seen := map[Dimension]bool{}
	for _, b := range c.Budgets {
		if b.Amount <= 0 || b.Weight < 0 {
			return fmt.Errorf("complexity: the budget %s of %s must be positive, its weight %s not negative", b.Amount, b.Dimension, b.Weight)
		}
		if seen[b.Dimension] {
			return fmt.Errorf("complexity: %s has two budgets", b.Dimension)
		}
		seen[b.Dimension] = true
	}
	return nil
}

// Part is what one dimension of the size takes away.
type Part struct {
	Dimension Dimension `json:"dimension"`
	Amount    exact.Rat `json:"amount"`
	Points    exact.Rat `json:"points"` // lost: 100·λ·v·x/B
}

// Parts are the points that a size loses by each dimension. They add up to 100·λ·Ω.
func (c *Complexity) Parts(s Size) []Part {
	parts := make([]Part, 0, len(c.Budgets))
	for _, b := range c.Budgets {
		x := s.Amount(b.Dimension)
		points := hundred.Mul(c.Lambda.Rat()).Mul(b.Weight.Rat()).Mul(x).Div(b.Amount.Rat())
		parts = append(parts, Part{b.Dimension, x, points})
	}
	return parts
}

// regularization is Ω.
func (c *Complexity) regularization(s Size) exact.Rat {
	sum := exact.Rat{}
	for _, b := range c.Budgets {
		sum = sum.Add(b.Weight.Rat().Mul(s.Amount(b.Dimension)).Div(b.Amount.Rat()))
	}
	return sum
}

var hundred = exact.Whole(100)

// Calibrate returns the complexity with its budgets set to a size, so that an architecture of that size has Ω = 1. A dimension
// of which there is nothing keeps its budget.
func (c Complexity) Calibrate(s Size) (Complexity, error) {
	out := Complexity{Lambda: c.Lambda}
	for _, b := range c.Budgets {
		amount, err := s.Amount(b.Dimension).Decimal()
		if err != nil {
			return Complexity{}, fmt.Errorf("calibrate the budget of %s: %w", b.Dimension, err)
		}
		if amount > 0 {
			b.Amount = amount
		}
		out.Budgets = append(out.Budgets, b)
	}
	return out, nil
}
