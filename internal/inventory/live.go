package inventory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"evo/internal/cfn"
)

// A part is one read of a resource: which properties it gives, which permissions it takes, and how it is done.
type part struct {
	gives   []string
	actions []string
	on      []string // the resources of the permissions; see [pattern]

	// read returns those of the properties that the resource has; absent ones are off. Of nothing configured, an error
	// that isAbsent knows will do. wanted, if there is one, tells whether the resource needs the read at all.
	read   func(context.Context, *run, *Item) (answer, error)
	wanted func(*run, *Item) bool

	// exists is set for the read that fails with an absence if the resource itself is gone.
	exists bool

	// beside makes, if the read fails, what stands for the items that it would have found.
	beside func(it *Item, reason string) []*Item
}

// answer is what a read found.
type answer struct {
	properties    *cfn.Node
	supplementary *cfn.Node
	beside        []*Item // what else configures the resource, and is in no template
}

// outcome is what became of a read.
type outcome struct {
	answer
	err error
}

// run is one reading of a set of items.
type run struct {
	*Reader
	items []*Item

	mu     sync.Mutex
	shared map[string]func() (any, error)
}

const (
	defaultConcurrency = 8
	defaultTimeout     = 5 * time.Second
)

// Live reads the configuration of the items' resources as it is now. It returns an item for each, in order, and after it
// what configures it without standing in a template: a bucket's policy, a table's scaling, permissions of a function. Where the
// APIs that are read do not tell a property (see [Item.Read]), the desired one stays. A read that is denied, throttled or too slow
// makes only what it would have given [Unknown].
func (r *Reader) Live(ctx context.Context, desired []*Item) []*Item {
	now := &run{Reader: r, items: desired, shared: map[string]func() (any, error){}}
	outcomes := make([][]outcome, len(desired))
	var g errgroup.Group
	g.SetLimit(orDefault(r.Concurrency, defaultConcurrency))
	for i, it := range desired {
		parts := readers[it.Type]
		outcomes[i] = make([]outcome, len(parts))
		for k, p := range parts {
			if it.PhysicalID != "" && now.wants(p, it) {
				g.Go(func() error {
					outcomes[i][k] = now.do(ctx, p, it)
					return nil
				})
			}
		}
	}
	_ = g.Wait() // the reads' errors are in their outcomes
	var live []*Item
	for i, it := range desired {
		live = append(live, now.merge(it, outcomes[i])...)
	}
	return live
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

func (now *run) wants(p part, it *Item) bool { return p.wanted == nil || p.wanted(now, it) }

func (now *run) do(ctx context.Context, p part, it *Item) (o outcome) {
	timeout := orDefault(now.Timeout, defaultTimeout)
	own, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	o.answer, o.err = p.read(own, now, it)
	switch {
	case o.err == nil:
	case ctx.Err() != nil:
		o.err = &lateError{0, o.err}
	case errors.Is(own.Err(), context.DeadlineExceeded):
		o.err = &lateError{timeout, o.err}
	}
	return o
}

// merge makes of what was read the live item, and those beside it.
func (now *run) merge(desired *Item, outcomes []outcome) []*Item {
	live := *desired
	live.Properties, live.Supplementary = desired.Properties.Clone(), desired.Supplementary.Clone()
	all := []*Item{&live}
	if desired.PhysicalID == "" {
		live.Missing = readers[desired.Type] != nil
		return all
	}
	for k, p := range readers[desired.Type] {
		if o := outcomes[k]; now.wants(p, desired) && !unsupported(o.err) {
			all = append(all, live.take(p, o)...)
		}
	}
	if live.Missing {
		return all[:1]
	}
	return all
}

// take puts the outcome of one part into a live item, and returns the items beside it.
func (it *Item) take(p part, o outcome) []*Item {
	it.Read = append(it.Read, p.gives...)
	absent := isAbsent(o.err)
	if absent && p.exists {
		it.Missing = true
		return nil
	}
	for _, name := range p.gives {
		it.Properties.Delete(name)
		if o.err != nil && !absent {
			it.Properties.Set(name, Unknown(why(o.err)))
		} else if n := o.properties.Get(name); n != nil {
			it.Properties.Set(name, n)
		}
	}
	for _, fact := range o.supplementary.Entries() {
		if it.Supplementary == nil {
			it.Supplementary = cfn.Obj()
		}
		it.Supplementary.Set(fact.Key, fact.Value)
	}
	if o.err != nil && !absent && p.beside != nil {
		return p.beside(it, why(o.err))
	}
	return o.beside
}

// once reads what several parts need once; they share the outcome.
func once[T any](now *run, key string, read func() (T, error)) (T, error) {
	now.mu.Lock()
	f := now.shared[key]
	if f == nil {
		f = sync.OnceValues(func() (any, error) { return read() })
		now.shared[key] = f
	}
	now.mu.Unlock()
	v, err := f()
	if err != nil {
		var none T
		return none, err
	}
	return v.(T), nil
}

// absences are the codes that say: this is not configured, or not there.
var absences = []string{
	"NoSuchBucket", "NoSuchBucketPolicy", "NoSuchPublicAccessBlockConfiguration", "NoSuchTagSet", "NoSuchLifecycleConfiguration",
	"NoSuchCORSConfiguration", "NoSuchWebsiteConfiguration", "ServerSideEncryptionConfigurationNotFoundError",
	"ReplicationConfigurationNotFoundError", "OwnershipControlsNotFoundError", "ObjectLockConfigurationNotFoundError",
	"ResourceNotFoundException", "TableNotFoundException", "NotFoundException", "NoSuchEntity",
	"ProvisionedConcurrencyConfigNotFoundException", "ApplicationDoesNotExistException", "DeploymentGroupDoesNotExistException",
	"ObjectNotFoundException",
}

var errAbsent = errors.New("there is none")

func isAbsent(err error) bool {
	return errors.Is(err, errAbsent) || slices.Contains(absences, code(err))
}

// unsupported reports that a cloud does not have the operation: then it has nothing to read either.
func unsupported(err error) bool {
	return slices.Contains([]string{"NotImplemented", "UnknownOperationException"}, code(err))
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// lateError says that a read took too long; err is how it ended.
type lateError struct {
	timeout time.Duration // 0: the time for all reads was over
	err     error
}

func (e *lateError) Error() string { return fmt.Sprintf("%s: %v", e.when(), e.err) }
func (e *lateError) Unwrap() error { return e.err }

func (e *lateError) when() string {
	if e.timeout == 0 {
		return "no answer before the time to read was over"
	}
	return "no answer within " + e.timeout.String()
}

// why says in a few words why a read failed: the operation and the service's answer, without what differs from call to call.
func why(err error) string {
	var op *smithy.OperationError
	operation := ""
	if errors.As(err, &op) {
		operation = op.Service() + " " + op.Operation() + ": "
	}
	var late *lateError
	var api smithy.APIError
	isAPI := errors.As(err, &api)
	switch {
	case errors.As(err, &late) && isAPI:
		return operation + late.when() + " but " + api.ErrorCode()
	case errors.As(err, &late):
		return operation + late.when()
	case isAPI:
		return operation + api.ErrorCode() + ": " + api.ErrorMessage()
	case op != nil:
		return operation + op.Err.Error()
	}
	return err.Error()
}

// readers are the reads of each type that is read.
var readers = map[string][]part{
	"AWS::S3::Bucket":                             bucketParts,
	"AWS::S3::BucketPolicy":                       bucketPolicyParts,
	"AWS::DynamoDB::Table":                        tableParts,
	"AWS::ApplicationAutoScaling::ScalableTarget": scalableTargetParts,
	"AWS::ApplicationAutoScaling::ScalingPolicy":  scalingPolicyParts,
	"AWS::Lambda::Function":                       functionParts,
	"AWS::Lambda::Alias":                          aliasParts,
	"AWS::Lambda::Permission":                     permissionParts,
	"AWS::Lambda::Url":                            urlParts,
	"AWS::ApiGateway::RestApi":                    restAPIParts,
	"AWS::ApiGateway::Stage":                      restStageParts,
	"AWS::ApiGatewayV2::Api":                      httpAPIParts,
	"AWS::ApiGatewayV2::Stage":                    httpStageParts,
	"AWS::ApiGatewayV2::Route":                    httpRouteParts,
	"AWS::CloudWatch::Alarm":                      alarmParts,
	"AWS::CloudWatch::CompositeAlarm":             compositeAlarmParts,
	"AWS::Logs::LogGroup":                         logGroupParts,
	"AWS::IAM::Role":                              roleParts,
	"AWS::IAM::Policy":                            inlinePolicyParts,
	"AWS::IAM::ManagedPolicy":                     managedPolicyParts,
	"AWS::CodeDeploy::DeploymentGroup":            deploymentGroupParts,
}

// Types returns the resource types that are read, sorted.
func Types() []string {
	types := make([]string, 0, len(readers))
	for t := range readers {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}
