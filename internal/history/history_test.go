package history_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/cloudtest"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/report"
	"evo/internal/history"
	"evo/internal/view"
)

var now = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// world is a history in a bucket of its own.
type world struct {
	*testing.T
	*history.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	client := s3.NewFromConfig(cloudtest.InProcess(t).Config("us-east-1"), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("code")}); err != nil {
		t.Fatal(err)
	}
	return &world{t, &history.Store{S3: client, Bucket: "code", Prefix: history.Prefix("artifacts/", "shop")}}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// write writes an object of a release as it stands; nil deletes it.
func (w *world) write(key string, text *string) {
	w.Helper()
	key = "artifacts/evo/shop/releases/" + key
	if text == nil {
		_, err := w.S3.DeleteObject(w.Context(), &s3.DeleteObjectInput{Bucket: &w.Bucket, Key: &key})
		w.must(err)
		return
	}
	_, err := w.S3.PutObject(w.Context(), &s3.PutObjectInput{Bucket: &w.Bucket, Key: &key, Body: strings.NewReader(*text)})
	w.must(err)
}

// judged records a release that the gate judged at a time, and that a required function refuses if score is low.
func (w *world) judged(number int, at time.Time, score exact.Decimal) {
	w.Helper()
	w.must(w.Begin(w.Context(), history.Attempt{Number: number, Digest: "d", Started: at}))
	s := fitness.Default()
	e, ok := fitness.Lookup("s3-bucket-versioning-enabled")
	if !ok {
		w.Fatal("there is no such rule")
	}
	f := e.Function()
	f.Required = true
	s.Functions = []fitness.Function{f}
	r := &fitness.Release{Name: "v", Pairs: []fitness.Pair{{Function: f.ID, Resource: "A", Type: "AWS::S3::Bucket", Score: fitness.Known(score), Criticality: exact.One}}}
	made, err := report.New(report.About{Stack: "shop", Number: number, Time: at, Items: strings.Repeat("0123456789abcdef", 4)}, nil, r, s, fitness.Options{})
	w.must(err)
	w.must(w.Record(w.Context(), made, []byte("{}")))
}

func (w *world) lastBefore(number int) int {
	w.Helper()
	r, err := w.LastSucceededBefore(w.Context(), number)
	w.must(err)
	if r == nil {
		return 0
	}
	return r.Number
}

// TestReference is about which release the next is compared with: the newest by number that the gate let pass and nobody saw taken back.
// Times do not matter: clocks jump.
func TestReference(t *testing.T) {
	w := newWorld(t)
	if got := w.lastBefore(9); got != 0 {
		t.Errorf("of no releases: %d", got)
	}
	w.judged(1, now, exact.One)
	w.judged(2, now.Add(-24*time.Hour), exact.One) // by a clock that was wrong
	w.judged(3, now.Add(time.Hour), 0)
	w.judged(4, now.Add(2*time.Hour), exact.One)
	w.must(w.End(t.Context(), 4, history.Outcome{Status: history.RolledBack}))
	w.must(w.Begin(t.Context(), history.Attempt{Number: 5, Digest: "d"})) // under way, or its hook was killed
	for before, want := range map[int]int{1: 0, 2: 1, 3: 2, 4: 2, 5: 2, 6: 2, 100: 2} {
		if got := w.lastBefore(before); got != want {
			t.Errorf("before v%d it is v%d, not v%d", before, got, want)
		}
	}
}

func TestOnlyOneBegins(t *testing.T) {
	w := newWorld(t)
	first := history.Attempt{Number: 1, Digest: "first", Started: now}
	w.must(w.Begin(t.Context(), first))
	w.must(w.Begin(t.Context(), first)) // the answer was lost, and the request made again
	var taken *history.TakenError
	if err := w.Begin(t.Context(), history.Attempt{Number: 1, Digest: "second", Started: now}); !errors.As(err, &taken) || taken.Hint() == "" {
		t.Fatalf("the error is %v", err)
	}
	if r := w.Store.Release(t.Context(), 1); r.Attempt == nil || r.Attempt.Digest != "first" {
		t.Errorf("the first attempt is %+v", r.Attempt)
	}
}

func TestDamage(t *testing.T) {
	for _, c := range []struct {
		name, key string
		text      *string
		says      string
	}{
		{"a report that is cut", "000001/report.json", aws.String(`{"version": 1, "number"`), "report.json"},
		{"a report that is empty", "000001/report.json", aws.String(""), "report.json"},
		{"a report that is not one", "000001/report.json", aws.String("<html>"), "report.json"},
		{"a report of another version", "000001/report.json", aws.String(`{"version": 99}`), "report.json"},
		{"an attempt that is none", "000001/attempt.json", aws.String("{"), "attempt.json"},
		{"an outcome that is none", "000001/outcome.json", aws.String("]"), "outcome.json"},
		{"a report that is gone", "000001/report.json", nil, "report.json is not there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.judged(1, now, exact.One)
			w.must(w.End(t.Context(), 1, history.Outcome{Status: history.Succeeded}))
			w.write(c.key, c.text)
			r, err := w.LastSucceeded(t.Context())
			var damaged *history.DamagedError
			if !errors.As(err, &damaged) {
				t.Fatalf("the reference is %+v, and the error %v", r, err)
			}
			if !strings.Contains(err.Error(), "s3://code/artifacts/evo/shop/releases/000001/") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the object is not named: %v", err)
			}
			if !strings.Contains(damaged.Hint(), "delete s3://code/artifacts/evo/shop/releases/000001/") {
				t.Errorf("the hint is %s", damaged.Hint())
			}
		})
	}
}

// TestNoBucket is about a bucket that is gone: that is no damage which deleting something would mend, and no history of nothing.
func TestNoBucket(t *testing.T) {
	w := newWorld(t)
	w.Bucket = "gone"
	var damaged *history.DamagedError
	if _, err := w.LastSucceeded(t.Context()); err == nil || errors.As(err, &damaged) || !strings.Contains(err.Error(), "gone") {
		t.Errorf("the error is %v", err)
	}
	if err := w.Begin(t.Context(), history.Attempt{Number: 1}); err == nil || !strings.Contains(err.Error(), "s3://gone/") {
		t.Errorf("the error is %v", err)
	}
}

// TestPredicted: a release that never came to the gate has the fitness that its template promised; one that was judged has its own.
func TestPredicted(t *testing.T) {
	w := newWorld(t)
	w.must(w.Begin(t.Context(), history.Attempt{Number: 1, Digest: "d", Predicted: &view.Fitness{Stage: view.StagePredicted, Fitness: "52.20", Delta: "0.00"}}))
	w.must(w.End(t.Context(), 1, history.Outcome{Status: history.RolledBack, Reason: "an alarm"}))
	v := w.ViewOf(w.Store.Release(t.Context(), 1))
	if v.Fitness != nil || v.Predicted == nil || v.Predicted.Fitness != "52.20" || v.Status != history.RolledBack {
		t.Errorf("%+v", v)
	}
	w.judged(2, now, exact.One)
	r := w.Store.Release(t.Context(), 2)
	r.Attempt.Predicted = &view.Fitness{Fitness: "1.00"}
	if v := w.ViewOf(r); v.Fitness == nil || v.Predicted != nil {
		t.Errorf("%+v", v)
	}
}
