package cloudformation

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"evo/internal/cfn"
	"evo/internal/cloud/store"
)

// Handler makes, changes and removes resources of one type. Every function may be called again for the same step after a
// crash, with [Request.Retry] set: it then finds what it did before by the physical id, by the name that the token gives, or
// in its notes.
type Handler struct {
	Create func(ctx context.Context, r *Request) (Result, error)
	// Update changes a resource in place. An answer with another physical id means that it has made a new one; the old one
	// is then deleted with the rest. nil: nothing to do.
	Update func(ctx context.Context, r *Request) (Result, error)
	// Delete removes what Create made. That it is not there is no error. nil: nothing to do.
	Delete func(ctx context.Context, r *Request) error
	// Replaces tells whether a change that the published facts leave open makes a new resource. nil: none does.
	Replaces func(before, after *cfn.Node) bool
}

// Result is what a resource has become.
type Result struct {
	Physical   string
	Ref        string         // what Ref returns; empty: the physical id
	Attributes map[string]any // what Fn::GetAtt returns, by attribute; strings, numbers, lists of strings
	Reason     string         // for the event
	Recorded   bool           // it does nothing here
}

// Request is one resource to be worked on.
type Request struct {
	StackID, StackName, Region string
	Logical, Type              string
	Physical                   string    // empty when it is to be made
	Properties                 *cfn.Node // as they shall be; for Delete, as they are
	Before                     *cfn.Node // Update: as they are, or may be
	Attributes                 map[string]any
	StackTags                  []tag
	UpdatePolicy               *cfn.Node
	Token                      string // of this step; the same when it is tried again
	Begun                      time.Time
	Retry                      bool // the step was begun before: what it does may have been done
	Rollback                   bool // the step undoes another
	Cancelled                  <-chan struct{}

	s     *Service
	run   *run
	phase phase
}

// errCancelled is what a handler that waits returns when its operation has been given up.
var errCancelled = errors.New("cancelled")

// Str returns a property's text, or "".
func (r *Request) Str(keys ...string) string {
	text, _ := r.Properties.At(keys...).Scalar()
	return text
}

// Name is the resource's name: the one that the property gives, else one made of stack, logical id and token, the same on
// every try.
func (r *Request) Name(property string, limit int) string {
	if name := r.Str(property); name != "" {
		return name
	}
	return r.generated(limit)
}

func (r *Request) generated(limit int) string {
	suffix := r.suffix()
	base := r.StackName + "-" + r.Logical
	if room := limit - len(suffix) - 1; len(base) > room {
		half := (room - 1) / 2
		base = r.StackName[:min(len(r.StackName), max(half, room-1-len(r.Logical)))] + "-" + r.Logical
		base = base[:min(len(base), room)]
	}
	return base + "-" + suffix
}

// suffix is the random end of a generated name: twelve letters and digits that the token decides.
func (r *Request) suffix() string {
	sum := sha256.Sum256([]byte(r.StackID + "|" + r.Logical + "|" + r.Token))
	return base32.StdEncoding.EncodeToString(sum[:])[:12]
}

// Tags are the tags that the resource is given: its own, the stack's, and those that say where it comes from.
func (r *Request) Tags() map[string]string {
	return tagsOf(r.StackName, r.StackID, r.Logical, r.StackTags, r.Properties.Get("Tags"))
}

func tagsOf(stackName, stackID, logical string, stack []tag, own *cfn.Node) map[string]string {
	tags := map[string]string{"aws:cloudformation:stack-name": stackName, "aws:cloudformation:stack-id": stackID,
		"aws:cloudformation:logical-id": logical}
	for _, t := range stack {
		tags[t.Key] = t.Value
	}
	for _, p := range own.Entries() {
		tags[p.Key], _ = p.Value.Scalar()
	}
	for _, it := range own.List() {
		value, _ := it.Get("Value").Scalar()
		tags[it.Get("Key").Str()] = value
	}
	return tags
}

// Note keeps something that a further try of this step must know, durably, before the effect it speaks of.
func (r *Request) Note(name, value string) error {
	return r.s.write(func(tx *store.Tx) error {
		k := stepKey(r.StackID, r.phase, r.stepName())
		st, ok := r.s.steps.Get(tx, k)
		if !ok {
			return fmt.Errorf("note %s of %s: the step is not in the journal", name, r.Logical)
		}
		notes := map[string]string{name: value}
		for k, v := range st.Notes {
			if k != name {
				notes[k] = v
			}
		}
		st.Notes = notes
		r.s.steps.Put(tx, k, st)
		return nil
	})
}

// Noted returns what Note has kept in this step.
func (r *Request) Noted(name string) string {
	var value string
	r.s.cfg.Store.View(func(tx *store.Tx) {
		st, _ := r.s.steps.Get(tx, stepKey(r.StackID, r.phase, r.stepName()))
		value = st.Notes[name]
	})
	return value
}

func (r *Request) stepName() string {
	if r.phase == cleanup || r.phase == undoCleanup || r.phase == remove {
		return r.Logical + "|" + r.Physical
	}
	return r.Logical
}

// Say puts a further event on the resource, with its status as it is.
func (r *Request) Say(reason string) error {
	return r.s.write(func(tx *store.Tx) error {
		rec, ok := r.s.resources.Get(tx, key(r.StackID, r.Logical))
		if !ok {
			return nil
		}
		r.run.tell(tx, rec, rec.Status, reason)
		return nil
	})
}

// Await polls until done says so: at once, then ever more rarely. It ends early when the operation is given up.
func (r *Request) Await(ctx context.Context, done func() (bool, error)) error {
	for wait := 100 * time.Millisecond; ; wait = min(wait*3/2, 5*time.Second) {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if err := r.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// pause waits for d of the cloud's time.
func (r *Request) pause(ctx context.Context, d time.Duration) error {
	over := make(chan struct{})
	stop := r.s.cfg.Clock.At(r.s.cfg.Clock.Now().Add(d), func() { close(over) })
	defer stop()
	select {
	case <-over:
		return nil
	case <-r.Cancelled:
		return errCancelled
	case <-ctx.Done():
		return ctx.Err()
	}
}

// missing reports whether an error says that something is not there.
func missing(err error) bool {
	return errorCode(err) != "" && (strings.Contains(errorCode(err), "NotFound") || strings.HasPrefix(errorCode(err), "NoSuch") ||
		strings.Contains(errorCode(err), "DoesNotExist"))
}

// exists reports whether an error says that something is there already.
func exists(err error) bool {
	code := errorCode(err)
	return strings.Contains(code, "AlreadyExists") || code == "ResourceConflictException" || code == "ResourceInUseException" ||
		code == "BucketAlreadyOwnedByYou" || code == "ConflictException"
}

func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// handlerCodes are CloudFormation's words for what went wrong, by what a service's error code holds; the first that fits counts.
var handlerCodes = []struct{ part, code string }{
	{"NotFound", "NotFound"}, {"NoSuch", "NotFound"}, {"DoesNotExist", "NotFound"},
	{"AlreadyExists", "AlreadyExists"}, {"ResourceConflict", "AlreadyExists"}, {"ResourceInUse", "AlreadyExists"},
	{"AlreadyOwned", "AlreadyExists"}, {"Conflict", "ResourceConflict"},
	{"AccessDenied", "AccessDenied"}, {"Throttl", "Throttling"}, {"TooManyRequests", "Throttling"}, {"LimitExceeded", "ServiceLimitExceeded"},
	{"Validation", "InvalidRequest"}, {"Invalid", "InvalidRequest"}, {"BadRequest", "InvalidRequest"}, {"Malformed", "InvalidRequest"},
	{"Required", "InvalidRequest"},
}

// reason words a handler's error for an event.
func reason(err error, r *Request) string {
	var worded *handlerError
	if errors.As(err, &worded) {
		return worded.reason(r.Token)
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err.Error()
	}
	code := "GeneralServiceException"
	for _, c := range handlerCodes {
		if strings.Contains(api.ErrorCode(), c.part) {
			code = c.code
			break
		}
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(r.Type, "AWS::"), "::")
	return fmt.Sprintf("Resource handler returned message: \"%s (Service: %s, Status Code: %d, Request ID: %s)\" (RequestToken: %s, HandlerErrorCode: %s)",
		api.ErrorMessage(), service, status(err), r.Token, r.Token, code)
}

func status(err error) int {
	var with interface{ HTTPStatusCode() int }
	if errors.As(err, &with) {
		return with.HTTPStatusCode()
	}
	return 400
}

// handlerError is a failure that a handler words itself. Without a code the text is the whole reason.
type handlerError struct{ text, code string }

func (e *handlerError) Error() string { return e.text }

func (e *handlerError) reason(token string) string {
	if e.code == "" {
		return e.text
	}
	return fmt.Sprintf("Resource handler returned message: \"%s\" (RequestToken: %s, HandlerErrorCode: %s)", e.text, token, e.code)
}
