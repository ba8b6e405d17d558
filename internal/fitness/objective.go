package fitness

import (
	"math/big"
	"slices"

	"evo/internal/fitness/exact"
)

// Range is a number, or what it lies between.
type Range struct {
	Lo exact.Rat `json:"lo"`
	Hi exact.Rat `json:"hi"`
}

// IsKnown reports whether r is a single number.
func (r Range) IsKnown() bool { return r.Lo.Equal(r.Hi) }

func (r Range) plus(o Range) Range { return Range{r.Lo.Add(o.Lo), r.Hi.Add(o.Hi)} }

func exactly(v exact.Rat) Range { return Range{v, v} }

// Standing is how a release stands in one characteristic.
type Standing struct {
	Name    string    `json:"name"`
	Share   exact.Rat `json:"share"` // Ŵ
	Total   exact.Rat `json:"total"` // T
	Debt    Range     `json:"debt"`  // D
	Score   Range     `json:"score"` // φ
	Pairs   int       `json:"pairs"`
	Unknown int       `json:"unknown,omitempty"` // pairs with a score that is not known
	known   *big.Int
}

// Assessment is a release's level: how fit it is by itself, valued with its own totals.
type Assessment struct {
	Characteristics []Standing `json:"characteristics"` // those with pairs, in the suite's order
	Loss            Range      `json:"loss"`
	Regularization  exact.Rat  `json:"regularization"`
	Objective       Range      `json:"objective"`
	Fitness         Range      `json:"fitness"` // 0 to 100

	// Coverage is the part of the weight that is known: Σ Ŵ·(known part of T)/T. What is unknown moves the loss by no more
	// than 1 − Coverage.
	Coverage exact.Rat `json:"coverage"`
	Lost     []Lost    `json:"-"` // by points, largest first
	Parts    []Part    `json:"parts"`
}

// Lost is what one pair takes away: 100·Ŵ·v·c·(1 − s)/T points.
type Lost struct {
	Pair
	Characteristic string
	Points         Range
}

// Assess computes a release's level.
func Assess(s *Suite, r *Release) (*Assessment, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := s.check(r); err != nil {
		return nil, err
	}
	pairs := sorted(r.Pairs)
	functions := s.index()
	a := &Assessment{Characteristics: standings(s, functions, pairs), Coverage: exact.Whole(1), Regularization: s.Complexity.regularization(r.Size), Parts: s.Complexity.Parts(r.Size)}
	missing := exact.Rat{}
	for _, c := range a.Characteristics {
		a.Loss.Lo = a.Loss.Lo.Add(c.Share.Mul(c.Debt.Lo).Div(c.Total))
		a.Loss.Hi = a.Loss.Hi.Add(c.Share.Mul(c.Debt.Hi).Div(c.Total))
		missing = missing.Add(c.Share.Mul(c.Total.Sub(exact.Scaled(c.known, weightDigits))).Div(c.Total))
	}
	a.Coverage = a.Coverage.Sub(missing)
	a.Objective = a.Loss.plus(exactly(s.Complexity.Lambda.Rat().Mul(a.Regularization)))
	one := exact.Whole(1)
	a.Fitness.Lo = hundred.Mul(exact.Max(exact.Rat{}, one.Sub(a.Objective.Hi)))
	a.Fitness.Hi = hundred.Mul(exact.Max(exact.Rat{}, one.Sub(a.Objective.Lo)))
	a.Lost = lost(a.Prices(), functions, pairs)
	return a, nil
}

// Weights v·c have 2·9 digits after the point, debts v·c·(1 − s) 3·9. Within a characteristic they are added as whole numbers.
const (
	weightDigits = 2 * exact.Digits
	debtDigits   = 3 * exact.Digits
)

func weight(f *Function, p *Pair) *big.Int {
	return new(big.Int).Mul(big.NewInt(int64(f.Severity)), big.NewInt(int64(p.Criticality)))
}

// debt is v·c·(1 − s).
func debt(f *Function, p *Pair, score exact.Decimal) *big.Int {
	w := weight(f, p)
	return w.Mul(w, big.NewInt(int64(exact.One-score)))
}

// tally adds up a characteristic's pairs.
type tally struct {
	total, known, least, most big.Int
	pairs, unknown            int
}

func tallies(functions map[string]*Function, pairs []Pair) map[string]*tally {
	out := map[string]*tally{}
	for i := range pairs {
		p := &pairs[i]
		f := functions[p.Function]
		t := out[f.Characteristic]
		if t == nil {
			t = &tally{}
			out[f.Characteristic] = t
		}
		t.pairs++
		t.total.Add(&t.total, weight(f, p))
		t.least.Add(&t.least, debt(f, p, p.Score.Hi))
		t.most.Add(&t.most, debt(f, p, p.Score.Lo))
		if p.Score.IsKnown() {
			t.known.Add(&t.known, weight(f, p))
		} else {
			t.unknown++
		}
	}
	return out
}

// standings are those of the characteristics that have pairs and a weight. Shares add up to 1.
func standings(s *Suite, functions map[string]*Function, pairs []Pair) []Standing {
	found := tallies(functions, pairs)
	out := []Standing{}
	sum := exact.Rat{}
	for _, c := range s.Characteristics {
		t := found[c.Name]
		if t == nil || c.Weight == 0 {
			continue
		}
		sum = sum.Add(c.Weight.Rat())
		st := Standing{Name: c.Name, Share: c.Weight.Rat(), Total: exact.Scaled(&t.total, weightDigits), Pairs: t.pairs, Unknown: t.unknown, known: &t.known,
			Debt: Range{exact.Scaled(&t.least, debtDigits), exact.Scaled(&t.most, debtDigits)}}
		one := exact.Whole(1)
		st.Score = Range{one.Sub(st.Debt.Hi.Div(st.Total)), one.Sub(st.Debt.Lo.Div(st.Total))}
		out = append(out, st)
	}
	for i := range out {
		out[i].Share = out[i].Share.Div(sum)
	}
	return out
}

// Prices are what a unit of debt costs, in points, by characteristic: 100·Ŵ/T. A characteristic without a price costs nothing.
// With the prices of one basis, points of different architectures can be added and compared.
type Prices map[string]exact.Rat

// Prices are those of a release's own totals.
func (a *Assessment) Prices() Prices {
	p := Prices{}
	for _, c := range a.Characteristics {
		p[c.Name] = hundred.Mul(c.Share).Div(c.Total)
	}
	return p
}

// Lost is how many points a pair takes away, if f is its function.
func (p Prices) Lost(f *Function, pair *Pair) Range {
	price := p[f.Characteristic]
	return Range{price.Mul(exact.Scaled(debt(f, pair, pair.Score.Hi), debtDigits)), price.Mul(exact.Scaled(debt(f, pair, pair.Score.Lo), debtDigits))}
}

func lost(p Prices, functions map[string]*Function, pairs []Pair) []Lost {
	var out []Lost
	for i := range pairs {
		f := functions[pairs[i].Function]
		if points := p.Lost(f, &pairs[i]); points.Hi.Sign() > 0 {
			out = append(out, Lost{pairs[i], f.Characteristic, points})
		}
	}
	slices.SortStableFunc(out, func(a, b Lost) int {
		if c := b.Points.Lo.Cmp(a.Points.Lo); c != 0 {
			return c
		}
		return b.Points.Hi.Cmp(a.Points.Hi)
	})
	return out
}
