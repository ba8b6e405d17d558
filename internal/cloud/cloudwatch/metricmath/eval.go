package metricmath

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Point is one value of a time series; At is in seconds since 1970.
type Point struct {
	At    int64
	Value float64
}

// Series is a time series, its points in order of time.
type Series struct {
	ID     string // of the metric or expression that it comes from
	Label  string
	Period int64 // in seconds; 0 for the result of an expression
	Points []Point
}

// Env is what an expression is computed in. The grid is the moments Start, Start+Period, … before End.
type Env struct {
	Start, End, Period int64
	Metrics            []Series // those of the request, without expressions, in its order
	// Lookup returns what an id stands for: one series, or the array that an expression has made, however many are in it.
	Lookup func(id string) (list []Series, array, ok bool)
	// Search serves SEARCH. Where it is nil there is no SEARCH.
	Search func(query Query, stat string, period int64) ([]Series, error)
}

// maxGrid bounds the number of points that TIME_SERIES and FILL make.
const maxGrid = 200_000

// errNoSeries says that a whole expression came out as a number.
var errNoSeries = errors.New("the result of an expression must be a time series or an array of time series, not a scalar")

// Eval computes the expression: a time series, or an array of them. It fails if the result is a scalar.
func (e *Expression) Eval(env Env) (list []Series, array bool, err error) {
	v, err := env.eval(e.root)
	if err != nil {
		return nil, false, err
	}
	if v.kind == scalar || v.kind == literalText {
		return nil, false, errNoSeries
	}
	for i := range v.list {
		v.list[i].Points = slices.DeleteFunc(slices.Clone(v.list[i].Points), func(p Point) bool {
			return math.IsNaN(p.Value) || math.IsInf(p.Value, 0)
		})
	}
	return v.list, v.kind == many, nil
}

type valueKind int

const (
	scalar valueKind = iota
	single
	many
	literalText // a text or a word, which only some functions take
)

type value struct {
	kind valueKind
	num  float64
	list []Series
	text string
}

func number1(f float64) value     { return value{kind: scalar, num: f} }
func series1(s Series) value      { return value{kind: single, list: []Series{s}} }
func seriesN(list []Series) value { return value{kind: many, list: list} }

func (env Env) eval(n node) (value, error) {
	switch n := n.(type) {
	case number:
		return number1(float64(n)), nil
	case text:
		return value{kind: literalText, text: string(n)}, nil
	case word:
		return value{kind: literalText, text: string(n)}, nil
	case ref:
		list, array, ok := env.Lookup(string(n))
		switch {
		case !ok:
			return value{}, fmt.Errorf("the id %q is not in the request", string(n))
		case array:
			return seriesN(list), nil
		}
		return series1(list[0]), nil
	case array:
		return env.array(n)
	case unary:
		v, err := env.eval(n.operand)
		if err != nil {
			return v, err
		}
		return v.each("-", func(f float64) float64 { return -f })
	case binary:
		return env.binary(n)
	case apply:
		return env.apply(n)
	}
	return value{}, fmt.Errorf("%T is not an expression", n)
}

func (env Env) array(items array) (value, error) {
	var list []Series
	for _, item := range items {
		v, err := env.eval(item)
		if err != nil {
			return v, err
		}
		if v.kind == scalar || v.kind == literalText {
			return v, errors.New("an array holds time series only")
		}
		list = append(list, v.list...)
	}
	return seriesN(list), nil
}

func (env Env) binary(n binary) (value, error) {
	left, err := env.eval(n.left)
	if err != nil {
		return left, err
	}
	right, err := env.eval(n.right)
	if err != nil {
		return right, err
	}
	return combine(n.op, left, right)
}

// operators compute one point of two values.
var operators = map[string]func(a, b float64) float64{
	"+":   func(a, b float64) float64 { return a + b },
	"-":   func(a, b float64) float64 { return a - b },
	"*":   func(a, b float64) float64 { return a * b },
	"/":   divide,
	"^":   math.Pow,
	"==":  func(a, b float64) float64 { return truth(a == b) },
	"!=":  func(a, b float64) float64 { return truth(a != b) },
	"<=":  func(a, b float64) float64 { return truth(a <= b) },
	">=":  func(a, b float64) float64 { return truth(a >= b) },
	"<":   func(a, b float64) float64 { return truth(a < b) },
	">":   func(a, b float64) float64 { return truth(a > b) },
	"AND": func(a, b float64) float64 { return truth(a != 0 && b != 0) },
	"&&":  func(a, b float64) float64 { return truth(a != 0 && b != 0) },
	"OR":  func(a, b float64) float64 { return truth(a != 0 || b != 0) },
	"||":  func(a, b float64) float64 { return truth(a != 0 || b != 0) },
}

// divide makes of a division by zero what Eval drops.
func divide(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func combine(op string, a, b value) (value, error) {
	f := operators[op]
	switch {
	case a.kind == literalText || b.kind == literalText:
		return a, fmt.Errorf("%s takes numbers and time series, not text", op)
	case a.kind == scalar && b.kind == scalar:
		return number1(f(a.num, b.num)), nil
	case a.kind == scalar:
		return b.each(op, func(v float64) float64 { return f(a.num, v) })
	case b.kind == scalar:
		return a.each(op, func(v float64) float64 { return f(v, b.num) })
	case a.kind == many && b.kind == many:
		return a, fmt.Errorf("%s takes one array of time series at most", op)
	case a.kind == many:
		return a.mapped(func(s Series) Series { return zip(s, b.list[0], f) }), nil
	case b.kind == many:
		return b.mapped(func(s Series) Series { return named(s, zip(a.list[0], s, f)) }), nil
	}
	return series1(zip(a.list[0], b.list[0], f)), nil
}

// named gives a result the identity of one of the series that it was made of.
func named(of, s Series) Series {
	s.ID, s.Label = of.ID, of.Label
	return s
}

// each applies f to every point.
func (v value) each(what string, f func(float64) float64) (value, error) {
	switch v.kind {
	case literalText:
		return v, fmt.Errorf("%s takes numbers and time series, not text", what)
	case scalar:
		return number1(f(v.num)), nil
	}
	return v.mapped(func(s Series) Series {
		points := make([]Point, len(s.Points))
		for i, p := range s.Points {
			points[i] = Point{p.At, f(p.Value)}
		}
		s.Points = points
		return s
	}), nil
}

// mapped applies f to every series; what comes out has no period of its own.
func (v value) mapped(f func(Series) Series) value {
	out := value{kind: v.kind, list: make([]Series, len(v.list))}
	for i, s := range v.list {
		out.list[i] = f(s)
		out.list[i].Period = 0
	}
	return out
}

// zip combines two series point by point; what one of them lacks is 0.
func zip(a, b Series, f func(a, b float64) float64) Series {
	out := Series{ID: a.ID, Label: a.Label, Points: make([]Point, 0, max(len(a.Points), len(b.Points)))}
	p, q := a.Points, b.Points
	for len(p) > 0 || len(q) > 0 {
		switch {
		case len(q) == 0 || len(p) > 0 && p[0].At < q[0].At:
			out.Points = append(out.Points, Point{p[0].At, f(p[0].Value, 0)})
			p = p[1:]
		case len(p) == 0 || q[0].At < p[0].At:
			out.Points = append(out.Points, Point{q[0].At, f(0, q[0].Value)})
			q = q[1:]
		default:
			out.Points = append(out.Points, Point{p[0].At, f(p[0].Value, q[0].Value)})
			p, q = p[1:], q[1:]
		}
	}
	return out
}

// moments returns the times at which any of the series has a point.
func moments(list []Series) []int64 {
	var at []int64
	for _, s := range list {
		for _, p := range s.Points {
			at = append(at, p.At)
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// at returns the series' value at a moment.
func (s Series) at(t int64) (float64, bool) {
	i, ok := slices.BinarySearchFunc(s.Points, t, func(p Point, t int64) int { return cmp.Compare(p.At, t) })
	if !ok {
		return 0, false
	}
	return s.Points[i].Value, true
}

// grid returns the moments of the request.
func (env Env) grid() []int64 {
	if env.Period <= 0 || env.End <= env.Start || (env.End-env.Start)/env.Period > maxGrid {
		return nil
	}
	at := make([]int64, 0, (env.End-env.Start)/env.Period+1)
	for t := env.Start; t < env.End; t += env.Period {
		at = append(at, t)
	}
	return at
}
