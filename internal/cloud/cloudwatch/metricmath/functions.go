package metricmath

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// laterFunctions exist in CloudWatch and not here: using one fails with an error that says so.
var laterFunctions = map[string]bool{
	"ANOMALY_DETECTION_BAND": true, "INSIGHT_RULE_METRIC": true, "SERVICE_QUOTA": true, "LAMBDA": true, "DB_PERF_INSIGHTS": true,
}

type function func(env Env, args []value) (value, error)

// functions by name. It is filled in by init, since apply refers to it.
var functions map[string]function

func init() {
	functions = map[string]function{
		"ABS": pointwise(math.Abs), "CEIL": pointwise(math.Ceil), "FLOOR": pointwise(math.Floor),
		"LOG": pointwise(math.Log), "LOG10": pointwise(math.Log10),
		"SUM": aggregate(sum), "AVG": aggregate(average), "MIN": aggregate(minimum), "MAX": aggregate(maximum),
		"STDDEV": aggregate(deviation), "DATAPOINT_COUNT": aggregate(count),
		"RATE": successive(rate), "DIFF": successive(diff), "DIFF_TIME": successive(diffTime), "RUNNING_SUM": wholeSeries(runningSum),
		"METRICS": metrics, "METRIC_COUNT": metricCount, "PERIOD": period, "TIME_SERIES": timeSeries,
		"FILL": fill, "IF": conditional, "FIRST": first, "LAST": last, "SLICE": slice, "SORT": sort, "REMOVE_EMPTY": removeEmpty,
		"SEARCH": search,
		"MINUTE": calendar(func(t time.Time) int { return t.Minute() }), "HOUR": calendar(func(t time.Time) int { return t.Hour() }),
		"DAY": calendar(weekday), "DATE": calendar(func(t time.Time) int { return t.Day() }),
		"MONTH": calendar(func(t time.Time) int { return int(t.Month()) }), "YEAR": calendar(func(t time.Time) int { return t.Year() }),
		"EPOCH": calendar(func(t time.Time) int { return int(t.Unix()) }),
	}
}

func (env Env) apply(n apply) (value, error) {
	f, ok := functions[n.function]
	if !ok {
		return value{}, fmt.Errorf("the function %s is not there in the embedded cloud", n.function)
	}
	args := make([]value, len(n.args))
	for i, a := range n.args {
		v, err := env.eval(a)
		if err != nil {
			return v, err
		}
		args[i] = v
	}
	v, err := f(env, args)
	if err != nil {
		return v, fmt.Errorf("%s: %w", n.function, err)
	}
	return v, nil
}

var (
	errOneArgument = errors.New("it takes one argument")
	errArguments   = errors.New("it does not take these arguments")
	errSeries      = errors.New("its argument must be a time series or an array of time series")
)

func pointwise(f func(float64) float64) function {
	return func(_ Env, args []value) (value, error) {
		if len(args) != 1 {
			return value{}, errOneArgument
		}
		return args[0].each("it", f)
	}
}

// onSeries checks that the one argument is a series or several.
func onSeries(args []value) error {
	if len(args) != 1 {
		return errOneArgument
	}
	if args[0].kind != single && args[0].kind != many {
		return errSeries
	}
	return nil
}

func wholeSeries(f func(Series) Series) function {
	return func(_ Env, args []value) (value, error) {
		if err := onSeries(args); err != nil {
			return value{}, err
		}
		return args[0].mapped(f), nil
	}
}

// aggregate makes of one series a scalar, and of several a series that has at each moment what f makes of their values then.
// slots is how many values there would be if none were missing.
func aggregate(f func(values []float64, slots int) float64) function {
	return func(env Env, args []value) (value, error) {
		if err := onSeries(args); err != nil {
			return value{}, err
		}
		list := args[0].list
		if args[0].kind == single {
			values := make([]float64, len(list[0].Points))
			for i, p := range list[0].Points {
				values[i] = p.Value
			}
			return number1(f(values, max(len(env.grid()), len(values)))), nil
		}
		out := Series{}
		next := make([]int, len(list))
		values := make([]float64, 0, len(list))
		for _, at := range moments(list) {
			values = values[:0]
			for i, s := range list {
				if next[i] < len(s.Points) && s.Points[next[i]].At == at {
					values = append(values, s.Points[next[i]].Value)
					next[i]++
				}
			}
			out.Points = append(out.Points, Point{at, f(values, len(list))})
		}
		return series1(out), nil
	}
}

func sum(values []float64, _ int) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

// average counts missing values as 0, as CloudWatch's AVG does.
func average(values []float64, slots int) float64 { return divide(sum(values, slots), float64(slots)) }

func minimum(values []float64, _ int) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return slices.Min(values)
}

func maximum(values []float64, _ int) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return slices.Max(values)
}

func deviation(values []float64, _ int) float64 {
	mean := divide(sum(values, 0), float64(len(values)))
	squares := 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(divide(squares, float64(len(values))))
}

func count(values []float64, _ int) float64 { return float64(len(values)) }

// successive makes a series of each point and the one before it.
func successive(f func(before, p Point) float64) function {
	return wholeSeries(func(s Series) Series {
		points := make([]Point, 0, len(s.Points))
		for i := 1; i < len(s.Points); i++ {
			points = append(points, Point{s.Points[i].At, f(s.Points[i-1], s.Points[i])})
		}
		s.Points = points
		return s
	})
}

func diff(before, p Point) float64     { return p.Value - before.Value }
func diffTime(before, p Point) float64 { return float64(p.At - before.At) }
func rate(before, p Point) float64     { return divide(diff(before, p), diffTime(before, p)) }

func runningSum(s Series) Series {
	points := make([]Point, len(s.Points))
	total := 0.0
	for i, p := range s.Points {
		total += p.Value
		points[i] = Point{p.At, total}
	}
	s.Points = points
	return s
}

func metrics(env Env, args []value) (value, error) {
	if len(args) == 0 {
		return seriesN(env.Metrics), nil
	}
	if len(args) > 1 || args[0].kind != literalText {
		return value{}, errors.New("its argument must be a text")
	}
	var list []Series
	for _, s := range env.Metrics {
		if strings.Contains(s.ID, args[0].text) {
			list = append(list, s)
		}
	}
	return seriesN(list), nil
}

func metricCount(_ Env, args []value) (value, error) {
	if err := onSeries(args); err != nil {
		return value{}, err
	}
	return number1(float64(len(args[0].list))), nil
}

func period(_ Env, args []value) (value, error) {
	if len(args) != 1 || args[0].kind != single || args[0].list[0].Period == 0 {
		return value{}, errors.New("its argument must be a metric")
	}
	return number1(float64(args[0].list[0].Period)), nil
}

func timeSeries(env Env, args []value) (value, error) {
	if len(args) != 1 || args[0].kind != scalar {
		return value{}, errors.New("its argument must be a scalar")
	}
	return series1(env.constant(args[0].num)), nil
}

func (env Env) constant(f float64) Series {
	s := Series{}
	for _, at := range env.grid() {
		s.Points = append(s.Points, Point{at, f})
	}
	return s
}

func fill(env Env, args []value) (value, error) {
	if len(args) != 2 || args[0].kind != single && args[0].kind != many {
		return value{}, errArguments
	}
	filler := args[1]
	switch {
	case filler.kind == scalar:
		constant := env.constant(filler.num)
		return args[0].mapped(func(s Series) Series { return env.filled(s, constant.at) }), nil
	case filler.kind == single:
		return args[0].mapped(func(s Series) Series { return env.filled(s, filler.list[0].at) }), nil
	case filler.text == "REPEAT":
		return args[0].mapped(func(s Series) Series { return env.filled(s, s.before) }), nil
	case filler.text == "LINEAR":
		return args[0].mapped(func(s Series) Series { return env.filled(s, s.linear) }), nil
	}
	return value{}, errors.New("it fills with a scalar, a time series, REPEAT or LINEAR")
}

// filled returns the series with what f gives for the moments of the grid that it lacks.
func (env Env) filled(s Series, f func(t int64) (float64, bool)) Series {
	missing := Series{}
	for _, at := range env.grid() {
		if _, ok := s.at(at); ok {
			continue
		}
		if v, ok := f(at); ok {
			missing.Points = append(missing.Points, Point{at, v})
		}
	}
	return zip(s, missing, func(a, b float64) float64 { return a + b }) // no moment is in both
}

func (s Series) index(t int64) int {
	i, _ := slices.BinarySearchFunc(s.Points, t, func(p Point, t int64) int { return cmp.Compare(p.At, t) })
	return i
}

// before returns the last value before t.
func (s Series) before(t int64) (float64, bool) {
	i := s.index(t)
	if i == 0 {
		return 0, false
	}
	return s.Points[i-1].Value, true
}

// linear returns the value at t on the line between the points around it.
func (s Series) linear(t int64) (float64, bool) {
	i := s.index(t)
	if i == 0 || i == len(s.Points) {
		return 0, false
	}
	a, b := s.Points[i-1], s.Points[i]
	return a.Value + (b.Value-a.Value)*float64(t-a.At)/float64(b.At-a.At), true
}

// conditional is IF(condition, true value, false value); the last may be left out.
func conditional(env Env, args []value) (value, error) {
	if len(args) < 2 || len(args) > 3 {
		return value{}, errors.New("it takes a condition, a value, and perhaps another")
	}
	for _, a := range args {
		if a.kind == many || a.kind == literalText {
			return value{}, errors.New("its arguments must be scalars or single time series")
		}
	}
	if args[0].kind == scalar {
		return choose(args), nil
	}
	yes, no := args[1], value{kind: single, list: []Series{{}}}
	if len(args) == 3 {
		no = args[2]
	}
	out := Series{}
	for _, p := range args[0].list[0].Points {
		if p.Value != 0 {
			v, _ := yes.pick(p.At) // a missing one is 0
			out.Points = append(out.Points, Point{p.At, v})
		} else if v, ok := no.pick(p.At); ok {
			out.Points = append(out.Points, Point{p.At, v})
		}
	}
	return series1(out), nil
}

func choose(args []value) value {
	switch {
	case args[0].num != 0:
		return args[1]
	case len(args) == 3:
		return args[2]
	}
	return series1(Series{})
}

// pick returns a scalar, or a series' value at a moment.
func (v value) pick(t int64) (float64, bool) {
	if v.kind == scalar {
		return v.num, true
	}
	return v.list[0].at(t)
}

func first(_ Env, args []value) (value, error) {
	if err := onSeries(args); err != nil || len(args[0].list) == 0 {
		return series1(Series{}), err
	}
	return series1(args[0].list[0]), nil
}

func last(_ Env, args []value) (value, error) {
	if err := onSeries(args); err != nil || len(args[0].list) == 0 {
		return series1(Series{}), err
	}
	return series1(args[0].list[len(args[0].list)-1]), nil
}

func slice(_ Env, args []value) (value, error) {
	if len(args) < 2 || len(args) > 3 || args[0].kind != many && args[0].kind != single || args[1].kind != scalar {
		return value{}, errArguments
	}
	list := args[0].list
	clamp := func(f float64) int { return int(math.Min(math.Max(f, 0), float64(len(list)))) }
	from, to := clamp(args[1].num), len(list)
	if len(args) == 3 {
		if args[2].kind != scalar {
			return value{}, errArguments
		}
		to = clamp(args[2].num)
	}
	return seriesN(list[from:max(from, to)]), nil
}

func sort(env Env, args []value) (value, error) {
	if len(args) < 3 || len(args) > 4 || args[0].kind != many && args[0].kind != single {
		return value{}, errArguments
	}
	if !slices.Contains([]string{"AVG", "MIN", "MAX", "SUM"}, args[1].text) || args[2].text != "ASC" && args[2].text != "DESC" {
		return value{}, errors.New("it sorts by AVG, MIN, MAX or SUM, ASC or DESC")
	}
	weigh := functions[args[1].text]
	list := slices.Clone(args[0].list)
	slices.SortStableFunc(list, func(a, b Series) int {
		x, _ := weigh(env, []value{series1(a)})
		y, _ := weigh(env, []value{series1(b)})
		if args[2].text == "DESC" {
			x, y = y, x
		}
		return cmp.Compare(x.num, y.num)
	})
	if len(args) == 4 {
		return slice(env, []value{seriesN(list), number1(0), args[3]})
	}
	return seriesN(list), nil
}

func removeEmpty(_ Env, args []value) (value, error) {
	if err := onSeries(args); err != nil {
		return value{}, err
	}
	return seriesN(slices.DeleteFunc(slices.Clone(args[0].list), func(s Series) bool { return len(s.Points) == 0 })), nil
}

// calendar makes a series of the grid's moments, in UTC.
func calendar(f func(time.Time) int) function {
	return func(env Env, args []value) (value, error) {
		if len(args) != 1 || args[0].kind != single {
			return value{}, errSeries
		}
		s := Series{}
		for _, at := range env.grid() {
			s.Points = append(s.Points, Point{at, float64(f(time.Unix(at, 0).UTC()))})
		}
		return series1(s), nil
	}
}

// weekday counts from Monday, 1, to Sunday, 7.
func weekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

func search(env Env, args []value) (value, error) {
	if len(args) < 2 || len(args) > 3 || args[0].kind != literalText || args[1].kind != literalText {
		return value{}, errors.New("it takes a query, a statistic, and perhaps a period")
	}
	if env.Search == nil {
		return value{}, errors.New("it cannot be used here")
	}
	q, err := ParseQuery(args[0].text)
	if err != nil {
		return value{}, err
	}
	p := env.Period
	if len(args) == 3 {
		if args[2].kind != scalar || args[2].num < 1 || args[2].num > 86400 {
			return value{}, errors.New("its period must be a number of seconds")
		}
		p = int64(args[2].num)
	}
	list, err := env.Search(q, args[1].text, p)
	return seriesN(list), err
}
