// Package history answers: which releases has a stack had, and how fit were they? It is kept as objects in the bucket that code is packaged
// to, a folder a release, so that the fitness hook, the deployer and a person who asks see the same on every cloud:
//
//	PREFIX/releases/000003/attempt.json   what was to be released: written before anything is changed
//	PREFIX/releases/000003/template.json  what the stack is asked for: while it is updated, it cannot tell itself
//	PREFIX/releases/000003/items.json     the configuration that was judged, so that it can be judged again by other requirements
//	PREFIX/releases/000003/report.json    the release gate's report (package report)
//	PREFIX/releases/000003/outcome.json   how the deployment ended, as its deployer saw it
//
// An object is written once, whole. A release succeeded if the gate let it pass and nobody saw it taken back.
package history

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"evo/internal/fitness/report"
	"evo/internal/view"
)

// Store is the history of one stack.
type Store struct {
	S3     *s3.Client
	Bucket string
	Prefix string // without a slash at the end
}

// Prefix is where a stack's history is in a bucket, below the prefix that artifacts have there.
func Prefix(artifacts, stack string) string {
	if artifacts = strings.Trim(artifacts, "/"); artifacts != "" {
		artifacts += "/"
	}
	return artifacts + "evo/" + stack
}

// Attempt is what was to be released.
type Attempt struct {
	Number  int       `json:"number"`
	Name    string    `json:"name,omitempty"`
	Digest  string    `json:"digest"`         // of the template and its parameters
	Started time.Time `json:"started"`        // of the deployment
	Built   time.Time `json:"built,omitzero"` // of the newest code in it
	Author  string    `json:"author,omitempty"`

	Predicted *view.Fitness `json:"predicted,omitempty"` // from the template: all that is known of one that never comes to the gate
}

// The ways in which a release's deployment ends.
const (
	Succeeded  = view.Succeeded
	Refused    = view.Refused
	RolledBack = view.RolledBack
	Failed     = view.Failed
)

// Outcome is how a release's deployment ended.
type Outcome struct {
	Status   string    `json:"status"`
	Finished time.Time `json:"finished"`
	Reason   string    `json:"reason,omitempty"`
}

// Release is all that is known of a release. What was not written, or cannot be read, is nil.
type Release struct {
	Number  int
	Attempt *Attempt
	Report  *report.Report
	Outcome *Outcome
	Problem error // what could not be read
}

// Status is how the release ended, or "" while it is under way.
func (r *Release) Status() string {
	switch {
	case r.Outcome != nil:
		return r.Outcome.Status
	case r.Report != nil && r.Report.Verdict.Proceed:
		return Succeeded
	case r.Report != nil:
		return RolledBack
	}
	return ""
}

// Name is what the release is called, or "".
func (r *Release) Name() string {
	switch {
	case r.Attempt != nil && r.Attempt.Name != "":
		return r.Attempt.Name
	case r.Report != nil:
		return r.Report.Title
	}
	return ""
}

const (
	attemptFile  = "attempt.json"
	templateFile = "template.json"
	itemsFile    = "items.json"
	reportFile   = "report.json"
	outcomeFile  = "outcome.json"
)

func (s *Store) key(number int, file string) string {
	return fmt.Sprintf("%s/releases/%06d/%s", s.Prefix, number, file)
}

// URI is where a release's report is, for people.
func (s *Store) URI(number int) string { return "s3://" + s.Bucket + "/" + s.key(number, reportFile) }

// TakenError says that somebody else has begun a release of the same number.
type TakenError struct{ Release int }

func (e *TakenError) Error() string {
	return fmt.Sprintf("release v%d has been begun by another deployment of this stack", e.Release)
}

// Hint says what a person can do.
func (e *TakenError) Hint() string {
	return "wait until that deployment has ended, then deploy again: the release gets the next number"
}

// Begin writes that a release is about to be deployed. Of several that would begin the same one the first does, and the others get a
// *TakenError.
func (s *Store) Begin(ctx context.Context, a Attempt) error {
	text, err := encode(a)
	if err != nil {
		return err
	}
	err = s.put(ctx, a.Number, attemptFile, text, func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "PreconditionFailed" && api.ErrorCode() != "ConditionalRequestConflict" {
		return err
	}
	// An answer may have been lost, and the request been made again: then it is this very attempt that is there.
	if there, getErr := s.get(ctx, a.Number, attemptFile); getErr == nil && bytes.Equal(there, text) {
		return nil
	}
	return &TakenError{a.Number}
}

// End writes how a release's deployment ended.
func (s *Store) End(ctx context.Context, number int, o Outcome) error {
	return s.putJSON(ctx, number, outcomeFile, o)
}

// Record writes a release's report, after the configuration that it is about.
func (s *Store) Record(ctx context.Context, r *report.Report, items []byte) error {
	text, err := r.Encode()
	if err != nil {
		return err
	}
	if err := s.put(ctx, r.Number, itemsFile, items); err != nil {
		return err
	}
	return s.put(ctx, r.Number, reportFile, text)
}

func (s *Store) putJSON(ctx context.Context, number int, file string, v any) error {
	text, err := encode(v)
	if err != nil {
		return err
	}
	return s.put(ctx, number, file, text)
}

func encode(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", " ")
	return append(text, '\n'), err
}

func (s *Store) put(ctx context.Context, number int, file string, text []byte, more ...func(*s3.PutObjectInput)) error {
	key := s.key(number, file)
	in := &s3.PutObjectInput{Bucket: &s.Bucket, Key: &key, Body: bytes.NewReader(text), ContentType: aws.String("application/json")}
	for _, set := range more {
		set(in)
	}
	if _, err := s.S3.PutObject(ctx, in); err != nil {
		return fmt.Errorf("write s3://%s/%s: %w", s.Bucket, key, err)
	}
	return nil
}

// Numbers are the releases that there are, in order.
func (s *Store) Numbers(ctx context.Context) ([]int, error) {
	folder := s.Prefix + "/releases/"
	var numbers []int
	pages := s3.NewListObjectsV2Paginator(s.S3, &s3.ListObjectsV2Input{Bucket: &s.Bucket, Prefix: &folder, Delimiter: aws.String("/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the releases in s3://%s/%s: %w", s.Bucket, folder, err)
		}
		for _, p := range page.CommonPrefixes {
			name := strings.TrimSuffix(strings.TrimPrefix(aws.ToString(p.Prefix), folder), "/")
			if n, err := strconv.Atoi(name); err == nil && n > 0 {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// concurrency is how many releases are read at a time.
const concurrency = 8

// Releases reads the whole history, in order.
func (s *Store) Releases(ctx context.Context) ([]*Release, error) {
	numbers, err := s.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]*Release, len(numbers))
	var wg sync.WaitGroup
	slots := make(chan struct{}, concurrency)
	for i, n := range numbers {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			out[i] = s.Release(ctx, n)
		})
	}
	wg.Wait()
	return out, ctx.Err()
}

// Release reads one release. What cannot be read is its Problem.
func (s *Store) Release(ctx context.Context, number int) *Release {
	r := &Release{Number: number}
	text, err := s.get(ctx, number, reportFile)
	if err == nil && text != nil {
		if r.Report, err = report.Decode(text); err != nil {
			err = fmt.Errorf("%s: %w", s.URI(number), err)
		}
	}
	r.Problem = errors.Join(err, s.getJSON(ctx, number, attemptFile, &r.Attempt), s.getJSON(ctx, number, outcomeFile, &r.Outcome))
	return r
}

// DamagedError says that the release that the next one is to be held to cannot be read.
type DamagedError struct {
	Release int
	Folder  string // where the release is
	Err     error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("read release v%d: %v", e.Release, e.Err) }

func (e *DamagedError) Unwrap() error { return e.Err }

// Hint says what a person can do.
func (e *DamagedError) Hint() string {
	return "restore the object; or delete " + e.Folder + ", and the release before it is the one to compare with"
}

// LastSucceeded reads the newest release that succeeded, or nil if none has.
func (s *Store) LastSucceeded(ctx context.Context) (*Release, error) {
	return s.LastSucceededBefore(ctx, math.MaxInt)
}

// LastSucceededBefore reads the newest release with a lower number that succeeded, or nil if none has. Numbers tell the order, and not times:
// clocks differ. A release that cannot be read is a *DamagedError: what comes after it must not be held to less.
func (s *Store) LastSucceededBefore(ctx context.Context, number int) (*Release, error) {
	numbers, err := s.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range slices.Backward(numbers) {
		if n >= number {
			continue
		}
		r := s.Release(ctx, n)
		if r.Problem == nil && r.Status() == Succeeded && r.Report == nil {
			r.Problem = fmt.Errorf("it succeeded, and its report %s is not there", s.URI(n))
		}
		if r.Problem != nil {
			return nil, s.unreadable(n, r.Problem)
		}
		if r.Status() == Succeeded {
			return r, nil
		}
	}
	return nil, nil
}

// unreadable tells an object that is damaged from one that could not be fetched.
func (s *Store) unreadable(number int, err error) error {
	var fetching *smithy.OperationError
	if errors.As(err, &fetching) {
		return fmt.Errorf("read release v%d: %w", number, err)
	}
	return &DamagedError{number, "s3://" + s.Bucket + "/" + s.key(number, ""), err}
}

// Items reads the configuration that a release was judged by; nil if it was not kept.
func (s *Store) Items(ctx context.Context, number int) ([]byte, error) {
	return s.get(ctx, number, itemsFile)
}

func (s *Store) getJSON(ctx context.Context, number int, file string, v any) error {
	text, err := s.get(ctx, number, file)
	if err != nil || text == nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("read s3://%s/%s: %w", s.Bucket, s.key(number, file), err)
	}
	return nil
}

// get returns nil for an object that is not there.
func (s *Store) get(ctx context.Context, number int, file string) ([]byte, error) {
	key := s.key(number, file)
	out, err := s.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.Bucket, Key: &key})
	var missing *types.NoSuchKey
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", s.Bucket, key, err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, report.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", s.Bucket, key, err)
	}
	return text, nil
}
