package hook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/appraisal"
	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/report"
	"evo/internal/fitness/suitefile"
	"evo/internal/history"
	"evo/internal/inventory"
	"evo/internal/measure"
)

// Stack judges one stack's releases: by its configuration as it is, by what calls and metrics say, and by its history.
type Stack struct {
	Name           string
	CloudFormation *cloudformation.Client
	Reader         *inventory.Reader
	Measurer       *measure.Measurer
	History        *history.Store
	Publisher      *Publisher
	Release        Release // that the hook was deployed with
	Suite          func(ctx context.Context, key string) (*suitefile.File, error)
	Now            func() time.Time
}

// RollingBack reports whether CloudFormation is taking a release back.
func (s *Stack) RollingBack(ctx context.Context) (bool, error) {
	out, err := s.CloudFormation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &s.Name})
	if err != nil {
		return false, fmt.Errorf("read stack %s: %w", s.Name, err)
	}
	return len(out.Stacks) > 0 && strings.Contains(string(out.Stacks[0].StackStatus), "ROLLBACK"), nil
}

// TakenBack writes into the history that a release that passed was taken back all the same: else it would be the next one's reference. How a
// release ended that has an outcome is known better.
func (s *Stack) TakenBack(ctx context.Context, r Release) error {
	known := s.History.Release(ctx, r.Number)
	if known.Report == nil || known.Outcome != nil || known.Status() != history.Succeeded {
		return known.Problem
	}
	return s.History.End(ctx, r.Number, history.Outcome{Status: history.RolledBack, Finished: s.Now().UTC(), Reason: "CloudFormation took the release back after it had passed the gate"})
}

// judgement is what is gathered to judge a release.
type judgement struct {
	question Question
	before   *Answer // that was given to the same question; there is nothing else then
	suite    *appraisal.Suite
	arch     appraisal.Architecture
	stack    *inventory.Stack
	now      time.Time
}

// Judge judges the stack as it is now. What hangs has its share of the time: what could not be read or measured by then is unknown.
func (s *Stack) Judge(ctx context.Context, q Question) (*Answer, error) {
	if q.Release.Number == 0 {
		q.Release = s.Release
	}
	j := &judgement{question: q, now: s.Now().UTC()}
	err := within(ctx, readingShare, func(ctx context.Context) error { return s.read(ctx, j) })
	if err != nil || j.before != nil {
		return j.before, err
	}
	made := j.suite.Appraise(fmt.Sprintf("v%d", q.Release.Number), j.arch, s.look(ctx, j), j.now)
	for _, p := range made.Problems {
		log.Printf("a check has no score: %s", p)
	}
	items, err := appraisal.EncodeItems(j.arch)
	if err != nil {
		return nil, err
	}
	var r *report.Report
	err = within(ctx, comparingShare, func(ctx context.Context) (err error) {
		r, err = s.report(ctx, j, made, items)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.conclude(ctx, q, r, items)
}

// read reads what the release is held to, and what it asks for: without that there is no judgement.
func (s *Stack) read(ctx context.Context, j *judgement) (err error) {
	if j.question.Occasion == Gate {
		if j.before = s.judged(ctx, j.question.Release); j.before != nil {
			return nil
		}
	}
	if j.suite, err = s.suite(ctx, j.question); err != nil {
		return err
	}
	j.arch, j.stack, err = s.asked(ctx, j.question.Release.Number)
	return err
}

// look reads how the resources are configured, and measures.
func (s *Stack) look(ctx context.Context, j *judgement) (measured []fitness.Pair) {
	subject := measure.Subject{Stack: j.stack, Deployment: j.question.Deployment, BeforeTraffic: j.question.Occasion == PreTraffic, Now: j.now}
	phase := func(of int, do func(context.Context)) {
		ctx, cancel := share(ctx, of)
		defer cancel()
		do(ctx)
	}
	phase(liveShare, func(ctx context.Context) {
		account := s.Reader.Account(ctx, j.stack, j.suite.Asks)
		j.arch.Live = inventory.Set(s.Reader.Live(ctx, j.stack.Items), account, j.stack.Region)
	})
	phase(measuringShare, func(ctx context.Context) { measured = s.Measurer.Measure(ctx, j.suite.File, subject) })
	phase(metricsShare, func(ctx context.Context) { j.arch.Metrics = s.Measurer.Metrics(ctx, j.suite.File, subject) })
	return measured
}

// judged returns the answer that a release was given before: CloudFormation may ask twice.
func (s *Stack) judged(ctx context.Context, r Release) *Answer {
	known := s.History.Release(ctx, r.Number)
	if known.Problem != nil || known.Report == nil || known.Attempt == nil || known.Attempt.Digest != r.Digest || !known.Report.Verdict.Proceed {
		return nil // what cannot be read now is told where the judgement needs it
	}
	return s.answer(known.Report)
}

// Given returns the answer that a release was given by the gate.
func (s *Stack) Given(ctx context.Context, r Release) *Answer {
	known := s.History.Release(ctx, r.Number)
	if known.Report == nil {
		if known.Problem != nil {
			log.Print(known.Problem)
		}
		return nil
	}
	return s.answer(known.Report)
}

// suite reads what the release is held to. Around traffic only what is required counts: the stack is half updated, and what a release
// gains elsewhere may still come.
func (s *Stack) suite(ctx context.Context, q Question) (*appraisal.Suite, error) {
	file, err := s.Suite(ctx, q.Release.Suite)
	if err != nil {
		return nil, err
	}
	if q.Occasion == PreTraffic || q.Occasion == PostTraffic {
		lenient := *file.Suite
		lenient.Ratchet.Policy, lenient.Ratchet.Coverage, lenient.Ratchet.Regressions = fitness.Off, 0, fitness.Allow
		lenient.Ratchet.Unknown = fitness.AcceptWithWarning // what needs traffic is not known yet
		lenient.Characteristics = append([]fitness.Characteristic{}, lenient.Characteristics...)
		for i := range lenient.Characteristics {
			lenient.Characteristics[i].Floor = 0
		}
		changed := *file
		changed.Suite, file = &lenient, &changed
	}
	return appraisal.Prepare(file)
}

// asked reads the stack, and what the release asks it for.
func (s *Stack) asked(ctx context.Context, number int) (appraisal.Architecture, *inventory.Stack, error) {
	var a appraisal.Architecture
	asked, err := s.History.Asked(ctx, number)
	if err != nil {
		return a, nil, err
	}
	var stack *inventory.Stack
	if asked != nil {
		a.Authored, a.Code = asked.Authored, asked.Code
		stack, err = s.Reader.StackAs(ctx, s.Name, inventory.Asked{Template: asked.Full, Parameters: asked.Parameters})
	} else {
		stack, err = s.Reader.Stack(ctx, s.Name)
	}
	if err != nil {
		return a, nil, err
	}
	if a.Authored == nil {
		if a.Authored, err = s.authored(ctx); err != nil {
			return a, nil, err
		}
	}
	a.Full = stack.Template
	a.Desired = inventory.Set(stack.Items, nil, stack.Region)
	return a, stack, nil
}

// authored is the stack's template as it was written, of a release that nobody has kept.
func (s *Stack) authored(ctx context.Context) (*cfn.Node, error) {
	out, err := s.CloudFormation.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &s.Name, TemplateStage: cftypes.TemplateStageOriginal})
	if err != nil {
		return nil, fmt.Errorf("read the template of stack %s as it was written: %w", s.Name, err)
	}
	root, err := cfn.Parse("template", []byte(aws.ToString(out.TemplateBody)))
	if err != nil {
		return nil, fmt.Errorf("read the template of stack %s as it was written: %w", s.Name, err)
	}
	return root, nil
}

// report compares the release with the reference, and decides.
func (s *Stack) report(ctx context.Context, j *judgement, made *appraisal.Appraisal, items []byte) (*report.Report, error) {
	q := j.question
	digest := sha256.Sum256(items)
	at := j.now
	if q.Occasion == Gate && !j.stack.Changed.IsZero() {
		at = j.stack.Changed // the gate's own change: the cloud's clock may run faster than the machine's, and its dashboards with it
	}
	about := report.About{Stack: s.Name, Number: max(1, q.Release.Number), Title: q.Release.Name, Time: at, Items: hex.EncodeToString(digest[:]), Excepted: made.Excepted}
	options := fitness.Options{Override: q.Release.Override}
	before := q.Release.Number
	if q.Occasion == OnRequest || q.Occasion == Scheduled {
		before = math.MaxInt // the release itself, if it succeeded: how it has drifted
	}
	last, err := s.History.LastSucceededBefore(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("find the release to compare with: %w", err)
	}
	var reference *fitness.Release
	if last != nil {
		if reference, err = s.History.As(ctx, last, j.suite, j.now); err != nil {
			return nil, err
		}
		options.Basis, options.Judged = &last.Report.Verdict.Basis, last.Report.Verdict.Level
	}
	return report.New(about, reference, made.Release, j.suite.Suite, options)
}

// conclude records and publishes what is to be known of the judgement.
func (s *Stack) conclude(ctx context.Context, q Question, r *report.Report, items []byte) (*Answer, error) {
	a := s.answer(r)
	if q.Occasion == PreTraffic || q.Occasion == PostTraffic {
		a.Report = ""
		return a, nil
	}
	var unrecorded error
	if q.Occasion == Gate {
		unrecorded = within(ctx, recordingShare, func(ctx context.Context) error { return s.History.Record(ctx, r, items) })
	}
	if err := within(ctx, publishShare, func(ctx context.Context) error { return s.Publisher.Publish(ctx, r) }); err != nil {
		log.Printf("the fitness is not published: %v", err)
	}
	if unrecorded != nil {
		// A release without a report could not be the next one's reference: the ratchet would start anew.
		return nil, fmt.Errorf("its fitness is %s (%s), and that cannot be recorded: %w", a.Fitness, r.Verdict.Decision, unrecorded)
	}
	if q.Occasion == Gate {
		if err := within(ctx, markingShare, func(ctx context.Context) error { return s.Publisher.Annotate(ctx, r) }); err != nil {
			log.Printf("the release is not marked on the dashboard: %v", err)
		}
	}
	return a, nil
}

func (s *Stack) answer(r *report.Report) *Answer {
	v := &r.Verdict
	a := &Answer{Proceed: v.Proceed, Report: s.History.URI(r.Number), Fitness: v.Level.Fitness.Lo.Text(2), Threshold: threshold(r)}
	a.Lines = append(a.Lines, v.Why[:]...)
	for _, f := range v.Findings {
		a.Lines = append(a.Lines, f.Text)
	}
	if !a.Proceed && len(v.Findings) > 0 { // what decided comes first
		a.Lines = append([]string{v.Findings[0].Text}, v.Why[:]...)
	}
	if v.Override != "" {
		a.Lines = append(a.Lines, "goes on all the same: "+v.Override)
	}
	return a
}

// threshold has as many digits as the published metric, so that a stack that stays as it is never falls below it.
func threshold(r *report.Report) string {
	return r.Verdict.Level.Fitness.Lo.Sub(r.Suite.Ratchet.Tolerance.Rat()).Text(publishedDigits)
}

// ErrNoSuite says that a release names a suite that is not in the bucket.
var ErrNoSuite = errors.New("the suite is not there")
