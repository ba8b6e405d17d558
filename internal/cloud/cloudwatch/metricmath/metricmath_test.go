package metricmath

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

const step = 60

// series reads "1 - 3": one value a step, - for none.
func series(id, s string) Series {
	out := Series{ID: id, Label: id, Period: step}
	for i, f := range strings.Fields(s) {
		if v, err := strconv.ParseFloat(f, 64); err == nil {
			out.Points = append(out.Points, Point{int64(i * step), v})
		}
	}
	return out
}

func show(list []Series, slots int) string {
	var all []string
	for _, s := range list {
		var out []string
		for i := range slots {
			if v, ok := s.at(int64(i * step)); ok {
				out = append(out, strconv.FormatFloat(math.Round(v*1e6)/1e6+0, 'f', -1, 64))
			} else {
				out = append(out, "-")
			}
		}
		all = append(all, strings.Join(out, " "))
	}
	return strings.Join(all, " | ")
}

func env(slots int, list ...Series) Env {
	return Env{Start: 0, End: int64(slots * step), Period: step, Metrics: list, Lookup: func(id string) ([]Series, bool, bool) {
		for _, s := range list {
			if s.ID == id {
				return []Series{s}, false, true
			}
		}
		return nil, false, false
	}}
}

func TestEval(t *testing.T) {
	e := env(5, series("m1", "1 2 - 4 0"), series("m2", "30 - 0 0 30"), series("m3", "0 0 20 - 20"), series("c", "1 1 0 0 -"))
	for _, c := range []struct{ src, want string }{
		{"m1 + 1", "2 3 - 5 1"},
		{"m1 + m2", "31 2 0 4 30"},
		{"-m1 * 2 ^ 2", "-4 -8 - -16 0"},
		{"2 - 3 - m1", "-2 -3 - -5 -1"},
		{"m2 / m1", "30 0 - 0 -"},
		{"(m1 + m3) * .5", "0.5 1 10 2 10"},
		{"m1 > 1 AND m3 < 1", "0 1 0 0 0"},
		{"m1 == 1 || m1 == 4", "1 0 - 1 0"},
		{"IF(c, m2, m3)", "30 0 20 - -"},
		{"IF(c, 5, m3)", "5 5 20 - -"},
		{"IF(c, m2, 5)", "30 0 5 5 -"},
		{"IF(c, m2)", "30 0 - - -"},
		{"IF(SUM(m1) > 6, m1, m2)", "1 2 - 4 0"},
		{"IF(m1 < 2, 10, 2)", "10 2 - 2 10"},
		{"SUM([m1, m2])", "31 2 0 4 30"},
		{"SUM(METRICS())", "32 3 20 4 50"},
		{"SUM(METRICS('m'))", "31 2 20 4 50"},
		{"AVG([m1, m2])", "15.5 1 0 2 15"},
		{"MIN([m1, m2])", "1 2 0 0 0"},
		{"MAX([m1, m2])", "30 2 0 4 30"},
		{"STDDEV([m1, m2])", "14.5 0 0 2 15"},
		{"m1 - AVG(m1)", "-0.4 0.6 - 2.6 -1.4"},
		{"m1 / DATAPOINT_COUNT(m1)", "0.25 0.5 - 1 0"},
		{"TIME_SERIES(MAX(m1))", "4 4 4 4 4"},
		{"FILL(m1, 9)", "1 2 9 4 0"},
		{"FILL(m1, REPEAT)", "1 2 2 4 0"},
		{"FILL(m1, LINEAR)", "1 2 3 4 0"},
		{"FILL(m2, m1)", "30 2 0 0 30"},
		{"FILL(c, LINEAR)", "1 1 0 0 -"},
		{"DIFF(m1)", "- 1 - 2 -4"},
		{"RATE(m1) * PERIOD(m1)", "- 1 - 1 -4"},
		{"DIFF_TIME(m1)", "- 60 - 120 60"},
		{"RUNNING_SUM(m1)", "1 3 - 7 7"},
		{"CEIL(m1 / 3) + FLOOR(m1 / 3) + ABS(-m1)", "2 3 - 7 0"},
		{"METRICS() * 2", "2 4 - 8 0 | 60 - 0 0 60 | 0 0 40 - 40 | 2 2 0 0 -"},
		{"SORT([m1, m2, m3], SUM, DESC, 2)", "30 - 0 0 30 | 0 0 20 - 20"},
		{"SLICE(SORT(METRICS(), MAX, ASC), 3)", "30 - 0 0 30"},
		{"FIRST([m3, m1])", "0 0 20 - 20"},
		{"LAST([m3, m1])", "1 2 - 4 0"},
		{"REMOVE_EMPTY([m1, IF(m1 > 100, m1)])", "1 2 - 4 0"},
		{"MINUTE(m1)", "0 1 2 3 4"},
		{"DAY(m1)", "4 4 4 4 4"},
		{"m1 * METRIC_COUNT(METRICS())", "4 8 - 16 0"},
		{"LOG10(m1 * 100)", "2 2.30103 - 2.60206 -"},
		{"100*(m1/FILL(m2,1))", "3.333333 200 - - 0"},
	} {
		x, err := Parse(c.src)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.src, err)
			continue
		}
		got, _, err := x.Eval(e)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
		} else if s := show(got, 5); s != c.want {
			t.Errorf("%s = %s; want %s", c.src, s, c.want)
		}
	}
}

// The example of the user guide.
func TestComparisonWithMissing(t *testing.T) {
	e := env(4, series("metric1", "30 20 0 0"), series("metric2", "20 - 20 -"))
	for src, want := range map[string]string{
		"metric1 < metric2": "0 0 1 0", "metric1 >= 30": "1 0 0 0", "metric1 > 15 AND metric2 > 15": "1 0 0 0",
	} {
		x, err := Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := x.Eval(e)
		if err != nil || show(got, 4) != want {
			t.Errorf("%s = %s, %v; want %s", src, show(got, 4), err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	e := env(1, series("m1", "1"))
	for src, want := range map[string]string{
		"":                            `unexpected the end at position 1`,
		"m1 +":                        `unexpected the end at position 5`,
		"m1 m1":                       `unexpected "m1" at position 4`,
		"SELECT AVG(m) FROM NS":       `Metrics Insights queries (SELECT …) are not there in the embedded cloud`,
		"(m1":                         `expected ")" instead of the end at position 4`,
		"m1 # 2":                      `unexpected "#" at position 4`,
		"'abc":                        `the text that begins at position 1 does not end`,
		"1.2.3":                       `"1.2.3" at position 1 is not a number`,
		"FOO(m1)":                     `FOO is not a function`,
		"m2":                          `the id "m2" is not in the request`,
		"SUM(m1)":                     `the result of an expression must be a time series or an array of time series, not a scalar`,
		"METRICS() + METRICS()":       ``, // one metric: an array of one
		"ANOMALY_DETECTION_BAND(m1)":  `the function ANOMALY_DETECTION_BAND is not there in the embedded cloud`,
		"FILL(m1)":                    `FILL: it does not take these arguments`,
		"IF(METRICS(), m1)":           `IF: its arguments must be scalars or single time series`,
		"PERIOD(m1 + 1) * m1":         `PERIOD: its argument must be a metric`,
		strings.Repeat("(", 999):      `the expression nests deeper than 64 levels`,
		strings.Repeat("-", 999):      `the expression nests deeper than 64 levels`,
		"SEARCH('{A}', 'Sum', 300)":   `SEARCH: it cannot be used here`,
		"m1 + 'a'":                    `+ takes numbers and time series, not text`,
		"TIME_SERIES(m1)":             `TIME_SERIES: its argument must be a scalar`,
		"SORT(METRICS(), MEDIAN, UP)": `SORT: it sorts by AVG, MIN, MAX or SUM, ASC or DESC`,
	} {
		x, err := Parse(src)
		if err == nil {
			_, _, err = x.Eval(e)
		}
		if want == "" {
			continue
		}
		if err == nil || err.Error() != want {
			t.Errorf("%.20q: %v; want %s", src, err, want)
		}
	}
}

func TestSearchQuery(t *testing.T) {
	dims := map[string]string{"FunctionName": "shop-cart", "Resource": "shop-cart:live"}
	for src, want := range map[string]bool{
		`{AWS/Lambda,FunctionName,Resource} MetricName="Errors"`: true,
		`{AWS/Lambda,FunctionName} MetricName="Errors"`:          false,
		`{"AWS/Lambda", Resource, FunctionName} Errors`:          true,
		`errors cart`:         true,
		`FunctionName="shop"`: false,
		`FunctionName=shop`:   true,
		`Errors NOT cart`:     false,
		`MetricName="Errors" (FunctionName=a OR FunctionName="b")`:     true,
		`Namespace="AWS/Lambda" AND NOT (MetricName="Errors" OR live)`: false,
		`{AWS/ApiGateway,FunctionName,Resource} MetricName="Errors"`:   false,
		`MetricName=("Throttles" OR "Errors")`:                         true,
		`MetricName=(Lambda OR cart)`:                                  false,
		`MetricName=(Lambda OR cart) OR Lambda`:                        true,
		`"MetricName"=("Errors") FunctionName = "shop-cart"`:           true,
		`MetricName = "Throttles"`:                                     false,
		`Resource="shop=cart:live"`:                                    false,
	} {
		q, err := ParseQuery(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
		} else if got := q.Match("AWS/Lambda", "Errors", dims); got != want {
			t.Errorf("%s: %v; want %v", src, got, want)
		}
	}
	for _, src := range []string{"{AWS/Lambda", "(a", "a)", "NOT", strings.Repeat("(", 500)} {
		if _, err := ParseQuery(src); err == nil {
			t.Errorf("%.10s: no error", src)
		}
	}
}

func FuzzExpression(f *testing.F) {
	for _, s := range []string{"m1/m2*100", "IF(m1>1,m1,-m2)", "SORT(METRICS('m'),AVG,DESC,1)", "FILL([m1,m2],REPEAT)", "SEARCH('{A,B} \"x\" OR NOT y','Sum',60)", "m1^-2e3"} {
		f.Add(s)
	}
	e := env(3, series("m1", "1 - 3"), series("m2", "- 5 6"))
	e.Search = func(q Query, stat string, period int64) ([]Series, error) {
		if q.Match("A", "n", map[string]string{"B": "x"}) {
			return []Series{series("s", "1 2 3")}, nil
		}
		return nil, nil
	}
	f.Fuzz(func(t *testing.T, src string) {
		x, err := Parse(src)
		if err != nil {
			return
		}
		list, _, err := x.Eval(e)
		if err != nil {
			return
		}
		for _, s := range list {
			for i, p := range s.Points {
				if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || i > 0 && p.At <= s.Points[i-1].At {
					t.Fatalf("%q gives the point %s", src, fmt.Sprint(p))
				}
			}
		}
	})
}
