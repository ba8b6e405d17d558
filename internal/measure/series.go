package measure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
)

// series is a metric's values over a window that ends now.
type series struct {
	ref    suitefile.MetricRef
	window time.Duration
	unit   string // that the values are wanted in, as suites have them: ms, B, % or none

	points []point // in order of time; none if there is no data
	err    error   // why there are none, if it is not for lack of data
}

// point is one value. CloudWatch's floating-point numbers are converted once, here, by the shortest decimal that stands for them; all
// that follows is exact.
type point struct {
	at    time.Time
	value exact.Rat
}

// query asks for one reading of a series.
type query struct {
	series     *series
	dimensions []suitefile.Dimension
	unit       types.StandardUnit // only data of this unit; empty: all
	factor     exact.Rat          // brings values into the series' unit
	points     []point
	err        error
}

// conversions of what may be collected in another unit than targets are given in. CloudWatch does not convert, nor say with the
// values what unit they have; it only selects by it.
var conversions = map[string][]struct {
	unit   types.StandardUnit
	factor exact.Rat
}{
	"ms": {{types.StandardUnitSeconds, exact.Whole(1000)}, {types.StandardUnitMicroseconds, exact.Ratio(1, 1000)}},
	"B": {{types.StandardUnitKilobytes, exact.Whole(1 << 10)}, {types.StandardUnitMegabytes, exact.Whole(1 << 20)},
		{types.StandardUnitGigabytes, exact.Whole(1 << 30)}},
}

// queries are the readings of a series, in the order in which they are believed: the first with data counts. A dimension's value that
// is a logical id means the resource; a metric of one's own may have such a value by chance, so that it is also taken as it stands.
func (s *series) queries(named names) []*query {
	readings := [][]suitefile.Dimension{named.resolve(s.ref.Dimensions)}
	if !slices.Equal(readings[0], s.ref.Dimensions) {
		readings = append(readings, s.ref.Dimensions)
	}
	var out []*query
	for _, dimensions := range readings {
		for _, c := range conversions[s.unit] {
			out = append(out, &query{series: s, dimensions: dimensions, unit: c.unit, factor: c.factor})
		}
		out = append(out, &query{series: s, dimensions: dimensions, factor: exact.Whole(1)})
	}
	return out
}

// maxQueries is what one request may ask for, and readTimeout how long reading metrics may take.
const (
	maxQueries  = 500
	readTimeout = 20 * time.Second
)

// read fills in all series. Those with one window are asked for together.
func (m *Measurer) read(ctx context.Context, all []*series, named names, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	byWindow := map[time.Duration][]*query{}
	var queries []*query
	for _, s := range all {
		added := s.queries(named)
		byWindow[s.window] = append(byWindow[s.window], added...)
		queries = append(queries, added...)
	}
	var wg sync.WaitGroup
	for window, group := range byWindow {
		for batch := range slices.Chunk(group, maxQueries) {
			wg.Go(func() { m.ask(ctx, batch, now.Add(-window), now) })
		}
	}
	wg.Wait()
	for _, q := range queries {
		q.settle()
	}
}

// settle hands what was read to the series, if nothing before it did.
func (q *query) settle() {
	s := q.series
	if len(s.points) > 0 {
		return
	}
	slices.SortFunc(q.points, func(a, b point) int { return a.at.Compare(b.at) })
	s.points = q.points
	switch {
	case len(s.points) > 0:
		s.err = nil
	case s.err == nil:
		s.err = q.err
	}
}

// ask makes one request. If CloudWatch refuses it for what it asks, it is asked in halves, so that one metric that cannot be had does not
// take the others along.
func (m *Measurer) ask(ctx context.Context, batch []*query, from, to time.Time) {
	err := m.request(ctx, batch, from, to)
	if len(batch) > 1 && refused(err) {
		half := len(batch) / 2
		m.ask(ctx, batch[:half], from, to)
		m.ask(ctx, batch[half:], from, to)
		return
	}
	for _, q := range batch {
		if err != nil {
			q.points, q.err = nil, fmt.Errorf("the metric cannot be read: %s", said(err))
		}
	}
}

// refused reports whether a request was wrong in itself.
func refused(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	return slices.ContainsFunc([]string{"Validation", "InvalidParameter", "Missing"}, func(begin string) bool { return strings.HasPrefix(api.ErrorCode(), begin) })
}

func (m *Measurer) request(ctx context.Context, batch []*query, from, to time.Time) error {
	in := &cloudwatch.GetMetricDataInput{StartTime: &from, EndTime: &to, ScanBy: types.ScanByTimestampAscending}
	byID := map[string]*query{}
	for i, q := range batch {
		id := "q" + strconv.Itoa(i)
		byID[id], q.points, q.err = q, nil, nil
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: &id, MetricStat: q.stat(to.Sub(from))})
	}
	pages := cloudwatch.NewGetMetricDataPaginator(m.cloudwatch, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.MetricDataResults {
			if q := byID[aws.ToString(r.Id)]; q != nil {
				q.take(r)
			}
		}
	}
	return nil
}

func (q *query) stat(age time.Duration) *types.MetricStat {
	ref := &q.series.ref
	metric := &types.Metric{Namespace: &ref.Namespace, MetricName: &ref.Name}
	for _, d := range q.dimensions {
		metric.Dimensions = append(metric.Dimensions, types.Dimension{Name: aws.String(d.Name), Value: aws.String(d.Value)})
	}
	return &types.MetricStat{Metric: metric, Stat: &ref.Stat, Unit: q.unit, Period: aws.Int32(seconds(ref.Period, age))}
}

// take adds a page's values.
func (q *query) take(r types.MetricDataResult) {
	if r.StatusCode == types.StatusCodeForbidden || r.StatusCode == types.StatusCodeInternalError {
		q.err = fmt.Errorf("the metric cannot be read: CloudWatch answers %s", r.StatusCode)
		return
	}
	for i := range min(len(r.Values), len(r.Timestamps)) {
		v, err := number(r.Values[i])
		if err != nil {
			q.err = err
			continue
		}
		q.points = append(q.points, point{r.Timestamps[i], v.Mul(q.factor)})
	}
}

// number is the decimal that a floating-point number is written as in as few digits as tell it from all others.
func number(v float64) (exact.Rat, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return exact.Rat{}, fmt.Errorf("the metric has the value %v", v)
	}
	return exact.ParseRat(strconv.FormatFloat(v, 'g', -1, 64))
}

// seconds is a period that CloudWatch takes for data as old as that: the older, the coarser it is kept.
func seconds(period, age time.Duration) int32 {
	least := time.Second
	switch day := 24 * time.Hour; {
	case age > 63*day:
		least = time.Hour
	case age > 15*day:
		least = 5 * time.Minute
	case age > 3*time.Hour || period > 30*time.Second:
		least = time.Minute
	}
	if least > time.Second {
		return int32((period + least - 1) / least * least / time.Second)
	}
	for _, short := range []int32{1, 5, 10, 20} {
		if period <= time.Duration(short)*time.Second {
			return short
		}
	}
	return 30
}

// said is an error as the service put it, without the client's own words around it.
func said(err error) string {
	var api smithy.APIError
	var web *url.Error
	switch {
	case errors.As(err, &api) && api.ErrorMessage() != "":
		return api.ErrorCode() + ": " + api.ErrorMessage()
	case errors.As(err, &api):
		return api.ErrorCode()
	case errors.Is(err, context.DeadlineExceeded):
		return "there was no answer in time"
	case errors.Is(err, context.Canceled):
		return "measuring was cut short"
	case errors.As(err, &web):
		return web.Err.Error()
	}
	return err.Error()
}
