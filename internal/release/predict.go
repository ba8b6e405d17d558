package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"evo/internal/appraisal"
	"evo/internal/appraisal/desired"
	"evo/internal/fitness"
	"evo/internal/fitness/report"
	"evo/internal/fitness/suitefile"
	"evo/internal/history"
	"evo/internal/view"
)

// predict judges the template as the release gate will judge the stack, as far as a template tells. What only a running release tells is
// taken to stay as it was.
func (m *Maker) predict(ctx context.Context, r *Release, q Request, template *desired.Template, file *suitefile.File) (*view.Fitness, error) {
	suite, err := appraisal.Prepare(file)
	if err != nil {
		return nil, err
	}
	last, err := r.Store.LastSucceeded(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the release to compare with: %w", err)
	}
	now := m.Now().UTC()
	options := fitness.Options{Override: q.Override}
	arch := template.Architecture
	var reference *fitness.Release
	if last != nil {
		if reference, err = r.Store.As(ctx, last, suite, now); err != nil {
			return nil, err
		}
		reference = withoutNested(reference)
		if len(file.Metrics) > 0 {
			if arch.Metrics, err = r.Store.Metrics(ctx, last.Number); err != nil {
				return nil, err
			}
		}
		options.Basis, options.Judged = &last.Report.Verdict.Basis, last.Report.Verdict.Level
	}
	made := suite.Appraise(fmt.Sprintf("v%d", r.Number), arch, unmeasured(reference, suite), now)
	sum := sha256.Sum256([]byte(r.Digest))
	predicted, err := report.New(report.About{Stack: q.Stack, Number: r.Number, Title: q.Name, Time: now, Items: hex.EncodeToString(sum[:]), Excepted: made.Excepted},
		reference, made.Release, suite.Suite, options)
	if err != nil {
		return nil, err
	}
	f := Fitness(predicted, view.StagePredicted)
	if last == nil && r.after > 0 {
		f.Warning = append(f.Warning, fmt.Sprintf("the stack has release v%d, and the history in s3://%s/%s/ has none to compare with: nothing keeps this one from being less fit",
			r.after, r.Bucket, r.Prefix))
	}
	if ids := appraisal.Unsized(arch); len(ids) > 0 {
		f.Warning = append(f.Warning, "the size of the code of "+strings.Join(ids, ", ")+" is not known, and counts 0")
	}
	for _, n := range file.Notes {
		f.Warning = append(f.Warning, n.Error())
	}
	return f, nil
}

// withoutNested leaves out what stands in nested stacks: the template at hand does not say what they contain.
func withoutNested(r *fitness.Release) *fitness.Release {
	out := *r
	out.Pairs = nil
	for _, p := range r.Pairs {
		if !strings.Contains(p.Resource, "/") {
			out.Pairs = append(out.Pairs, p)
		}
	}
	return &out
}

// unmeasured are the pairs of functions that only a running release scores: as they were in the reference, else unknown.
func unmeasured(reference *fitness.Release, suite *appraisal.Suite) []fitness.Pair {
	if reference != nil {
		return history.Remembered(reference, suite)
	}
	return suite.Unmeasured()
}

// Fitness is what is to be seen of a report.
func Fitness(r *report.Report, stage string) *view.Fitness {
	v := &r.Verdict
	f := &view.Fitness{Stage: stage, Stack: r.Stack, Release: r.Number, Name: r.Title, Fitness: span(v.Level.Fitness), Against: v.Reference,
		Verdict: string(v.Decision), Proceed: v.Proceed, Why: v.Why[:], Warning: v.Warnings}
	if v.Delta != nil {
		f.Delta = v.Delta.Decided.Lo.Signed(2)
	}
	for _, finding := range v.Findings {
		f.Because = append(f.Because, finding.Text)
	}
	if v.Override != "" {
		f.Warning = append(f.Warning, "goes on whatever its fitness is: "+v.Override)
	}
	return f
}

// span writes a range with two digits.
func span(r fitness.Range) string {
	if r.IsKnown() {
		return r.Lo.Text(2)
	}
	return r.Lo.Text(2) + " to " + r.Hi.Text(2)
}
