package measure

import (
	"context"

	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
)

// Metrics reads the suite's own metrics that expressions over the stack name, as they are now, by name. One that has no data, or cannot be
// read, is not there: an expression that needs it is unknown. Before traffic shifts none is.
func (m *Measurer) Metrics(ctx context.Context, file *suitefile.File, s Subject) map[string]exact.Decimal {
	declared := map[string]*series{}
	for name := range metricsOfChecks(file) {
		declared[name] = recent(file.Metrics[name], "")
	}
	values := map[string]exact.Decimal{}
	if s.BeforeTraffic || len(declared) == 0 {
		return values
	}
	all := make([]*series, 0, len(declared))
	for _, d := range declared {
		all = append(all, d)
	}
	m.read(ctx, all, namesOf(s.Stack.Items), s.Now)
	for name, d := range declared {
		if d.err == nil && len(d.points) > 0 {
			values[name] = capped(middle(d.latest(s.Now)))
		}
	}
	return values
}

// metricsOfChecks are the declared metrics that the suite's checks read.
func metricsOfChecks(file *suitefile.File) map[string]bool {
	names := map[string]bool{}
	for _, f := range file.Suite.Functions {
		check, ok := file.Measures[f.ID].(suitefile.Check)
		if !ok {
			continue
		}
		for _, name := range check.Expression.Metrics() {
			if _, ok := file.Metrics[name]; ok {
				names[name] = true
			}
		}
	}
	return names
}
