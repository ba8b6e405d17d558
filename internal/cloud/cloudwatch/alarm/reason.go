package alarm

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// timeFormat is that of StateReasonData and of history.
const timeFormat = "2006-01-02T15:04:05.000-0700"

// FormatTime writes a time as StateReasonData and history items do.
func FormatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

var comparisons = map[string]string{
	"GreaterThanThreshold":          "greater than",
	"GreaterThanOrEqualToThreshold": "greater than or equal to",
	"LessThanThreshold":             "less than",
	"LessThanOrEqualToThreshold":    "less than or equal to",
}

// Reason says in CloudWatch's words why the verdict is what it is.
func (r Rule) Reason(v Verdict) string {
	if v.State == InsufficientData {
		return fmt.Sprintf("Insufficient Data: %s unknown.", were(r.Periods, ""))
	}
	decisive := r.decisive(v)
	if len(decisive) == 0 {
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %s and %s treated as [%s].",
			counted(v.Filled, "period"), were(v.Filled, "missing "), r.treatment())
	}
	var b strings.Builder
	b.WriteString("Threshold Crossed: ")
	if r.DatapointsToAlarm > 0 && v.Filled == 0 {
		fmt.Fprintf(&b, "%d out of the last %d datapoints", len(decisive), r.Periods)
	} else {
		b.WriteString(counted(len(decisive), "datapoint"))
	}
	fmt.Fprintf(&b, " [%s] %s the threshold (%s)", list(decisive), r.comparison(v.State, len(decisive)), Number(r.Threshold))
	if v.Filled > 0 && (r.Missing == Breaching || r.Missing == NotBreaching) {
		fmt.Fprintf(&b, " and %s treated as [%s]", were(v.Filled, "missing "), r.treatment())
	}
	if r.DatapointsToAlarm > 0 && v.Filled == 0 {
		b.WriteString(r.minimum(v.State))
	}
	return b.String() + "."
}

// decisive are the datapoints that speak for the state.
func (r Rule) decisive(v Verdict) []Datapoint {
	var out []Datapoint
	for _, p := range v.Evaluated {
		if p.Present && r.Breaches(p.Value) == (v.State == Alarm) {
			out = append(out, p)
		}
	}
	return out
}

func (r Rule) treatment() string {
	if r.Missing == Breaching {
		return "Breaching"
	}
	return "NonBreaching"
}

func (r Rule) comparison(s State, n int) string {
	verb := "was "
	if n != 1 {
		verb = "were "
	}
	if s == OK {
		verb += "not "
	}
	return verb + comparisons[r.Comparison]
}

func (r Rule) minimum(s State) string {
	if s == Alarm {
		return fmt.Sprintf(" (minimum %s for OK -> ALARM transition)", counted(r.toAlarm(), "datapoint"))
	}
	return fmt.Sprintf(" (minimum %s for ALARM -> OK transition)", counted(r.Periods-r.toAlarm()+1, "datapoint"))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func were(n int, adjective string) string {
	if n == 1 {
		return "1 " + adjective + "datapoint was"
	}
	return fmt.Sprintf("%d %sdatapoints were", n, adjective)
}

func list(points []Datapoint) string {
	out := make([]string, len(points))
	for i, p := range points {
		out[i] = fmt.Sprintf("%s (%s)", Number(p.Value), p.At.UTC().Format("02/01/06 15:04:05"))
	}
	return strings.Join(out, ", ")
}

// Number writes a number as CloudWatch's reasons do: 21.0, 0.25, 1.0E10.
func Number(f float64) string {
	if f == 0 || math.Abs(f) >= 1e-3 && math.Abs(f) < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}

// number is a JSON number that always has a fraction.
type number float64

func (n number) MarshalJSON() ([]byte, error) { return []byte(Number(float64(n))), nil }

// Query describes what was asked for, for StateReasonData.
type Query struct {
	At        time.Time
	Unit      string
	Statistic string
	Period    int32
}

// ReasonData is the StateReasonData of a verdict.
func (r Rule) ReasonData(v Verdict, q Query) string {
	type datapoint struct {
		Timestamp   string  `json:"timestamp"`
		SampleCount *number `json:"sampleCount,omitempty"`
		Value       *number `json:"value,omitempty"`
	}
	data := struct {
		Version   string      `json:"version"`
		QueryDate string      `json:"queryDate"`
		StartDate string      `json:"startDate,omitempty"`
		Unit      string      `json:"unit,omitempty"`
		Statistic string      `json:"statistic,omitempty"`
		Period    int32       `json:"period"`
		Recent    []number    `json:"recentDatapoints"`
		Threshold number      `json:"threshold"`
		Evaluated []datapoint `json:"evaluatedDatapoints,omitempty"`
	}{Version: "1.0", QueryDate: FormatTime(q.At), Unit: q.Unit, Statistic: q.Statistic, Period: q.Period, Recent: []number{}, Threshold: number(r.Threshold)}
	for _, p := range v.Evaluated {
		d := datapoint{Timestamp: FormatTime(p.At)}
		if p.Present {
			value := number(p.Value)
			d.Value = &value
			if p.SampleCount > 0 {
				samples := number(p.SampleCount)
				d.SampleCount = &samples
			}
			data.Recent = append([]number{value}, data.Recent...)
			data.StartDate = d.Timestamp
		}
		data.Evaluated = append(data.Evaluated, d)
	}
	b, err := json.Marshal(data)
	if err != nil { // numbers that JSON does not have: they are not stored in the first place
		return ""
	}
	return string(b)
}
