package history

import (
	"context"
	"fmt"
	"time"

	"evo/internal/appraisal"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
)

// As is an earlier release as the suite of a new one scores it: as it was scored then if both ask for the same, else anew from its
// configuration. What was measured on it then cannot be measured again; a function that did not exist scores 0 there.
func (s *Store) As(ctx context.Context, last *Release, suite *appraisal.Suite, now time.Time) (*fitness.Release, error) {
	old := &last.Report.Release
	if last.Report.Suite.Requirements() == suite.Suite.Requirements() {
		return old, nil
	}
	text, err := s.Items(ctx, last.Number)
	if err != nil {
		return nil, err
	}
	if text == nil {
		return nil, fmt.Errorf("release %d is to be judged by new requirements, and its configuration was not kept", last.Number)
	}
	arch, err := appraisal.DecodeItems(text)
	if err != nil {
		return nil, s.unreadable(last.Number, fmt.Errorf("s3://%s/%s: %w", s.Bucket, s.key(last.Number, itemsFile), err))
	}
	return suite.Appraise(old.Name, arch, Remembered(old, suite), now).Release, nil
}

// Remembered are the scores that were measured then and that the new suite asks for as well; new functions score 0.
func Remembered(old *fitness.Release, suite *appraisal.Suite) []fitness.Pair {
	var pairs []fitness.Pair
	for _, f := range suite.Suite.Functions {
		if !suitefile.Live(suite.Measures[f.ID]) {
			continue
		}
		p := fitness.Pair{Function: f.ID, Resource: fitness.Stack, Score: fitness.Known(0), Criticality: exact.One, Reason: "not asked for then"}
		for _, known := range old.Pairs {
			if known.Function == f.ID && known.Resource == fitness.Stack {
				p = known
			}
		}
		pairs = append(pairs, p)
	}
	return pairs
}

// Metrics are the values of the suite's own metrics by which a release was judged.
func (s *Store) Metrics(ctx context.Context, number int) (map[string]exact.Decimal, error) {
	text, err := s.Items(ctx, number)
	if err != nil || text == nil {
		return nil, err
	}
	arch, err := appraisal.DecodeItems(text)
	if err != nil {
		return nil, s.unreadable(number, fmt.Errorf("s3://%s/%s: %w", s.Bucket, s.key(number, itemsFile), err))
	}
	return arch.Metrics, nil
}
