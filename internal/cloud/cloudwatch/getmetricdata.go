package cloudwatch

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/cloudwatch/metricmath"
	"evo/internal/cloud/cloudwatch/stats"
	"evo/internal/cloud/store"
)

func validation(format string, args ...any) error {
	return call.Errorf("ValidationError", format, args...)
}

// maxDatapoints is what one answer of GetMetricData may hold, and maxQueries what one request may ask for.
const (
	maxDatapoints = 100800
	maxQueries    = 500
)

// GetMetricData returns the values of metrics and of expressions on them.
func (s *Service) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	if !aws.ToTime(in.StartTime).Before(aws.ToTime(in.EndTime)) {
		return nil, validation("The parameter StartTime must be less than the parameter EndTime.")
	}
	if len(in.MetricDataQueries) > maxQueries {
		return nil, validation("The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	}
	limit := int(aws.ToInt32(in.MaxDatapoints))
	if limit <= 0 || limit > maxDatapoints {
		limit = maxDatapoints
	}
	from, err := parsePosition(aws.ToString(in.NextToken))
	if err != nil {
		return nil, err
	}
	if err := s.behind.Now(ctx); err != nil {
		return nil, fmt.Errorf("store metrics: %w", err)
	}
	q := s.newQuery(in.MetricDataQueries, *in.StartTime, *in.EndTime)
	if err := q.run(); err != nil {
		return nil, err
	}
	results := q.results(in.ScanBy != types.ScanByTimestampAscending)
	out := &cloudwatch.GetMetricDataOutput{Messages: []types.MessageData{}, MetricDataResults: []types.MetricDataResult{}}
	var next *position
	out.MetricDataResults, next = page(results, from, limit)
	if next != nil {
		out.NextToken = new(next.token())
	}
	return out, nil
}

// position is where a page begins: at a value of a result.
type position struct{ result, offset int }

func (p position) token() string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d/%d", p.result, p.offset))
}

func parsePosition(token string) (position, error) {
	var p position
	if token == "" {
		return p, nil
	}
	b, err := base64.StdEncoding.DecodeString(token)
	if err == nil {
		_, err = fmt.Sscanf(string(b), "%d/%d", &p.result, &p.offset)
	}
	if err != nil || p.result < 0 || p.offset < 0 {
		return p, invalidToken()
	}
	return p, nil
}

// page returns the results from a position on, cut when they hold the limit of values, and where the next page begins.
func page(results []types.MetricDataResult, from position, limit int) ([]types.MetricDataResult, *position) {
	out := []types.MetricDataResult{}
	for i := from.result; i < len(results); i++ {
		if limit == 0 {
			return out, &position{i, 0}
		}
		r, begin := results[i], 0
		if i == from.result {
			begin = min(from.offset, len(r.Values))
		}
		end := min(len(r.Values), begin+limit)
		if end < len(r.Values) {
			r.StatusCode = types.StatusCodePartialData
		}
		whole := len(r.Values)
		r.Values, r.Timestamps = r.Values[begin:end], r.Timestamps[begin:end]
		out = append(out, r)
		if end < whole {
			return out, &position{i, end}
		}
		limit -= end - begin
	}
	return out, nil
}

// query is one GetMetricData request under way, or the metrics of an alarm.
type query struct {
	s          *Service
	queries    []types.MetricDataQuery
	start, end time.Time
	now        time.Time
	byID       map[string]*queryResult
	ordered    []*queryResult
}

type queryResult struct {
	query    *types.MetricDataQuery
	series   []metricmath.Series
	array    bool              // an expression has made them: there may be any number
	samples  map[int64]float64 // how many samples are behind a point, for metrics
	messages []types.MessageData
	window   window
	done     bool
	visiting bool
}

func (s *Service) newQuery(queries []types.MetricDataQuery, start, end time.Time) *query {
	return &query{s: s, queries: queries, start: start, end: end, now: s.Clock.Now(), byID: map[string]*queryResult{}}
}

var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// run checks the queries, fetches the metrics, and computes the expressions.
func (q *query) run() error {
	for i := range q.queries {
		m := &q.queries[i]
		id := aws.ToString(m.Id)
		if !queryID.MatchString(id) {
			return validation("The value %s for parameter MetricDataQueries.member.%d.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", id, i+1)
		}
		if q.byID[id] != nil {
			return validation("The values for parameter id in the MetricDataQueries are not unique.")
		}
		if (m.MetricStat == nil) == (m.Expression == nil) {
			return validation("The parameters MetricDataQueries.member.%d.MetricStat and MetricDataQueries.member.%[1]d.Expression are mutually exclusive and exactly one is needed.", i+1)
		}
		r := &queryResult{query: m}
		q.byID[id] = r
		q.ordered = append(q.ordered, r)
	}
	var err error
	q.s.Store.View(func(tx *store.Tx) {
		for _, r := range q.ordered {
			if r.query.MetricStat != nil && err == nil {
				err = q.fetch(tx, r)
			}
		}
		for _, r := range q.ordered {
			if err == nil {
				err = q.compute(tx, r)
			}
		}
	})
	return err
}

// fetch reads one metric.
func (q *query) fetch(tx *store.Tx, r *queryResult) error {
	m := r.query.MetricStat
	if m.Metric == nil {
		return missingParameter("The parameter MetricStat.Metric of %s is required.", aws.ToString(r.query.Id))
	}
	period := aws.ToInt32(m.Period)
	if !validPeriod(period) {
		return validation("The value %d for parameter Period of %s is not valid: it must be 1, 5, 10, 20, 30 or a multiple of 60.", period, aws.ToString(r.query.Id))
	}
	st, err := parseStat(aws.ToString(m.Stat))
	if err != nil {
		return err
	}
	dims, err := dimensions("Metric", m.Metric.Dimensions)
	if err != nil {
		return err
	}
	r.window = windowOf(q.start, q.end, int64(period), q.now)
	key := seriesKey(aws.ToString(m.Metric.Namespace), aws.ToString(m.Metric.MetricName), dims)
	found := q.s.fetch(tx, key, string(m.Unit), r.window)
	slices.SortFunc(found, func(a, b ofUnit) int { return cmp.Compare(a.unit, b.unit) })
	if len(found) > 1 {
		units := make([]string, len(found))
		for i, f := range found {
			units[i] = f.unit
		}
		r.messages = []types.MessageData{{Code: new("MultipleUnits"), Value: new(fmt.Sprintf("Multiple units returned: '[%s]'", strings.Join(units, ", ")))}}
	}
	series := metricmath.Series{ID: aws.ToString(r.query.Id), Period: int64(period)}
	r.samples = map[int64]float64{}
	if len(found) > 0 {
		series.Points = points(found[0].points, st, r.samples)
	}
	r.series, r.done = []metricmath.Series{series}, true
	return nil
}

func points(data []bucket, st stats.Statistic, samples map[int64]float64) []metricmath.Point {
	var out []metricmath.Point
	for _, b := range data {
		if v, ok := st.Value(b.Distribution); ok {
			out = append(out, metricmath.Point{At: b.at, Value: v})
			if samples != nil {
				samples[b.at] = b.Count
			}
		}
	}
	return out
}

// compute evaluates an expression, after those that it refers to.
func (q *query) compute(tx *store.Tx, r *queryResult) error {
	if r.done {
		return nil
	}
	id := aws.ToString(r.query.Id)
	if r.visiting {
		return validation("Error in expression '%s': it refers to itself", id)
	}
	r.visiting = true
	defer func() { r.visiting = false }()
	x, err := metricmath.Parse(aws.ToString(r.query.Expression))
	if err != nil {
		return validation("Error in expression '%s': %v", id, err)
	}
	for _, ref := range x.References() {
		if other := q.byID[ref]; other != nil {
			if err := q.compute(tx, other); err != nil {
				return err
			}
		}
	}
	env := q.env(tx, r, x.References())
	r.window = window{env.Start, env.End, env.Period}
	r.series, r.array, err = x.Eval(env)
	if err != nil {
		return validation("Error in expression '%s': %v", id, err)
	}
	r.done = true
	return nil
}

// env is what an expression is computed in: its period is its own, or the longest of what it refers to, or of all metrics.
func (q *query) env(tx *store.Tx, r *queryResult, refs []string) metricmath.Env {
	period := int64(aws.ToInt32(r.query.Period))
	if period == 0 {
		for _, ref := range refs {
			if other := q.byID[ref]; other != nil {
				period = max(period, other.window.period)
			}
		}
	}
	var all []metricmath.Series
	for _, o := range q.ordered {
		if o.query.MetricStat != nil {
			all = append(all, o.labelled())
			if len(refs) == 0 && aws.ToInt32(r.query.Period) == 0 {
				period = max(period, o.window.period)
			}
		}
	}
	if period == 0 {
		period = 300
	}
	w := windowOf(q.start, q.end, period, q.now)
	return metricmath.Env{
		Start: w.start, End: w.end, Period: w.period, Metrics: all,
		Lookup: func(id string) (list []metricmath.Series, array, ok bool) {
			if o := q.byID[id]; o != nil && o.done {
				return o.series, o.array, true
			}
			return nil, false, false
		},
		Search: func(mq metricmath.Query, stat string, period int64) ([]metricmath.Series, error) {
			return q.search(tx, mq, stat, period)
		},
	}
}

func (r *queryResult) labelled() metricmath.Series {
	s := r.series[0]
	s.Label = aws.ToString(r.query.Label)
	if s.Label == "" {
		s.Label = aws.ToString(r.query.MetricStat.Metric.MetricName)
	}
	return s
}

// maxFound is how many metrics SEARCH returns.
const maxFound = 100

func (q *query) search(tx *store.Tx, mq metricmath.Query, stat string, period int64) ([]metricmath.Series, error) {
	st, err := stats.Parse(stat)
	if err != nil {
		return nil, err
	}
	if !validPeriod(int32(period)) {
		return nil, fmt.Errorf("%d is not a period", period)
	}
	w := windowOf(q.start, q.end, period, q.now)
	var out []metricmath.Series
	for key, sr := range q.s.series.Ascend(tx, "") {
		dims := map[string]string{}
		label := make([]string, 0, len(sr.Dimensions)+1)
		for _, d := range sr.Dimensions {
			dims[d.Name] = d.Value
			label = append(label, d.Value)
		}
		if !mq.Match(sr.Namespace, sr.Name, dims) {
			continue
		}
		found := metricmath.Series{ID: key, Period: period, Label: strings.Join(append(label, sr.Name), " ")}
		if units := q.s.fetch(tx, key, "", w); len(units) > 0 {
			found.Points = points(units[0].points, st, nil)
		}
		if out = append(out, found); len(out) == maxFound {
			break
		}
	}
	return out, nil
}

// results are those that are to be returned, with their labels.
func (q *query) results(descending bool) []types.MetricDataResult {
	var out []types.MetricDataResult
	labels := q.metricLabels()
	for i, r := range q.ordered {
		if r.query.ReturnData != nil && !*r.query.ReturnData {
			continue
		}
		for _, s := range r.series {
			res := types.MetricDataResult{
				Id: r.query.Id, StatusCode: types.StatusCodeComplete, Messages: r.messages,
				Timestamps: make([]time.Time, len(s.Points)), Values: make([]float64, len(s.Points)),
			}
			label := labels[i]
			if r.query.Expression != nil && len(r.series) > 1 {
				label = strings.TrimSpace(aws.ToString(r.query.Label) + " " + s.Label)
			}
			res.Label = new(dynamicLabel(label, s, r.query))
			for j, p := range s.Points {
				if descending {
					j = len(s.Points) - 1 - j
				}
				res.Timestamps[j], res.Values[j] = time.Unix(p.At, 0).UTC(), p.Value
			}
			out = append(out, res)
		}
	}
	return out
}
