// Package release answers: what makes a deployment a release, and may it begin? A release has a number, a fitness predicted from its
// template, and a template to which the fitness hook and the release gate have been added. Its history is package history's.
package release

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"evo/internal/appraisal/desired"
	"evo/internal/cfn"
	"evo/internal/fitness/suitefile"
	"evo/internal/gate"
	"evo/internal/history"
	"evo/internal/hook/program"
	"evo/internal/inventory"
	"evo/internal/measure"
	"evo/internal/rules"
	"evo/internal/sam"
	"evo/internal/source"
	"evo/internal/view"
)

// Maker makes releases in one account and region.
type Maker struct {
	CloudFormation *cloudformation.Client
	S3             *s3.Client
	Region         string
	Machine        program.Machine // that functions run on
	Now            func() time.Time
}

// Request is what is to be released.
type Request struct {
	Stack      string
	Name       string
	Override   string // the reason for which fitness does not matter this time
	Template   *cfn.Node
	File       string            // the template's path, for messages
	Parameters map[string]string // those given
	Bucket     string            // for artifacts
	Prefix     string            // of artifacts
	SuiteFile  string            // the path of the fitness.yaml, for messages; empty if there is none
	Suite      []byte
	Built      time.Time // when the code was built; zero if nobody knows
}

// Release is a release that is ready to be deployed.
type Release struct {
	gate.Release
	Template  *cfn.Node // with hook and gate
	Predicted *view.Fitness
	Unchanged bool // the stack has this very release
	OwnIAM    bool // only evo's own parts need CAPABILITY_IAM
	Store     *history.Store

	built time.Time
	asked history.Template
	after int // the release that the stack has; 0: none
}

// RefusedError says that a release is less fit than it must be, and was not begun.
type RefusedError struct{ Fitness *view.Fitness }

func (e *RefusedError) Error() string {
	because := e.Fitness.Why
	if len(e.Fitness.Because) > 0 {
		because = e.Fitness.Because
	}
	return fmt.Sprintf("v%d would make stack %s less fit than it must be: %s", e.Fitness.Release, e.Fitness.Stack, strings.Join(because, "; "))
}

// Hint says what a person can do.
func (e *RefusedError) Hint() string {
	return "mend what is listed; or accept it for a stated time in fitness.yaml (except: … until: …); or go on this once with --override-fitness \"why\""
}

// Make makes a release of a packaged template. static asks for the static gate: a release that is predicted to be less fit than it must be
// gives a *RefusedError, along with the release. fresh asks for a new number even if the stack has this very release.
func (m *Maker) Make(ctx context.Context, q Request, static, fresh bool) (*Release, error) {
	now, err := m.deployed(ctx, q.Stack)
	if err != nil {
		return nil, err
	}
	file, err := m.suite(q)
	if err != nil {
		return nil, err
	}
	parameters := maps.Clone(now.parameters)
	maps.Copy(parameters, q.Parameters)
	template, err := desired.Read(q.Template, desired.Surroundings{Region: m.Region, Stack: q.Stack, Parameters: parameters, Now: m.Now()})
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", located(err, q.File))
	}
	template.Code = m.codeSizes(ctx, template)
	r := &Release{built: q.Built, OwnIAM: !needsIAM(template), after: now.release.Number}
	r.asked = history.Template{Authored: template.Authored, Full: template.Transformed.Root, Parameters: shown(template.Transformed, parameters), Code: template.Code}
	r.Release = gate.Release{Name: q.Name, Digest: digest(q.Template, r.asked.Parameters, q.Suite), Bucket: q.Bucket, Prefix: history.Prefix(q.Prefix, q.Stack), Override: q.Override}
	if now.gated {
		r.Bucket, r.Prefix = now.release.Bucket, now.release.Prefix // the history stays where it began
	}
	r.Store = &history.Store{S3: m.S3, Bucket: r.Bucket, Prefix: r.Prefix}
	if now.gated && now.release.Digest == r.Digest && !fresh {
		r.Release, r.Unchanged = now.release, true
		r.Template, err = gate.Install(q.Template, m.options(q, r, template, file, now.code))
		return r, err
	}
	if r.Number, err = m.number(ctx, r.Store, now); err != nil {
		return nil, err
	}
	if r.Predicted, err = m.predict(ctx, r, q, template, file); err != nil {
		return nil, err
	}
	if static && !r.Predicted.Proceed {
		return r, &RefusedError{r.Predicted}
	}
	if err := m.install(ctx, q, r, template, file); err != nil {
		return nil, err
	}
	return r, nil
}

// located gives a template's problems the file that they are in.
func located(err error, file string) error {
	if e, ok := sam.AsError(err); ok {
		return e.Diagnostics(file)
	}
	var diags source.Diagnostics
	if errors.As(err, &diags) {
		for _, d := range diags {
			if d.File == "" {
				d.File = file
			}
		}
	}
	return err
}

// Begin writes into the history that the release is about to be deployed. The attempt comes first: whoever has written it has the number, and
// nobody else writes what the release asks for.
func (r *Release) Begin(ctx context.Context, now time.Time) error {
	err := r.Store.Begin(ctx, history.Attempt{Number: r.Number, Name: r.Name, Digest: r.Digest, Started: now.UTC(), Built: r.built.UTC(), Predicted: r.Predicted})
	if err != nil {
		return err
	}
	return r.Store.Ask(ctx, r.Number, r.asked)
}

// End writes how the release's deployment ended.
func (r *Release) End(ctx context.Context, o history.Outcome) error {
	return r.Store.End(ctx, r.Number, o)
}

// deployed is what the stack has now.
type deployed struct {
	gated      bool
	release    gate.Release
	code       hookCode
	parameters map[string]string
}

// hookCode is where the fitness hook's program is.
type hookCode struct{ bucket, key, architecture string }

func (m *Maker) deployed(ctx context.Context, stack string) (*deployed, error) {
	d := &deployed{parameters: map[string]string{}}
	out, err := m.CloudFormation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if missing(err) {
		return d, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read stack %s: %w", stack, err)
	}
	if out.Stacks[0].StackStatus == cftypes.StackStatusReviewInProgress {
		return d, nil
	}
	for _, p := range out.Stacks[0].Parameters {
		d.parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	text, err := m.CloudFormation.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &stack, TemplateStage: cftypes.TemplateStageOriginal})
	if err != nil {
		return nil, fmt.Errorf("read the template of stack %s: %w", stack, err)
	}
	template, err := cfn.Parse(stack, []byte(aws.ToString(text.TemplateBody)))
	if err != nil {
		return d, nil // whoever deployed it, evo did not
	}
	d.release, d.gated = gate.ReleaseOf(template)
	p := template.At("Resources", gate.HookID, "Properties")
	d.code = hookCode{p.At("Code", "S3Bucket").Str(), p.At("Code", "S3Key").Str(), "x86_64"}
	if a := p.Get("Architectures").List(); len(a) > 0 {
		d.code.architecture = a[0].Str()
	}
	return d, nil
}

func missing(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist")
}

func (m *Maker) suite(q Request) (*suitefile.File, error) {
	if q.Suite == nil {
		return suitefile.Default(), nil
	}
	return suitefile.Parse(q.SuiteFile, q.Suite, m.Now())
}

// digest tells releases apart: the template, what its parameters are, and what it is held to. Values that are not to be shown are not in it,
// since a stack does not tell them: CloudFormation sees whether they change.
func digest(template *cfn.Node, parameters map[string]string, suite []byte) string {
	h := sha256.New()
	text, err := template.MarshalJSON()
	if err != nil {
		text = template.YAML()
	}
	fmt.Fprintf(h, "%d\n%s\n", len(text), text)
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		fmt.Fprintf(h, "%q=%q\n", name, parameters[name])
	}
	h.Write(suite)
	return hex.EncodeToString(h.Sum(nil))
}

// shown are the values of the template's parameters, given or by default, but for those that are not to be shown.
func shown(t *cfn.Template, given map[string]string) map[string]string {
	values := map[string]string{}
	for _, p := range t.Parameters {
		if p.NoEcho || p.IsStored() {
			continue
		}
		if v, ok := given[p.Name]; ok {
			values[p.Name] = v
		} else if p.Default != nil {
			values[p.Name] = *p.Default
		}
	}
	return values
}

// number is the next release's: one more than any that the history or the stack knows.
func (m *Maker) number(ctx context.Context, store *history.Store, now *deployed) (int, error) {
	numbers, err := store.Numbers(ctx)
	if err != nil {
		return 0, err
	}
	last := now.release.Number
	if len(numbers) > 0 {
		last = max(last, numbers[len(numbers)-1])
	}
	return last + 1, nil
}

// needsIAM reports whether the template's own resources need CAPABILITY_IAM.
func needsIAM(t *desired.Template) bool {
	return slices.ContainsFunc(t.Resources(), func(r gate.Resource) bool { return strings.HasPrefix(r.Type, "AWS::IAM::") })
}

// install uploads the hook's program and the suite, and adds hook and gate to the template.
func (m *Maker) install(ctx context.Context, q Request, r *Release, template *desired.Template, file *suitefile.File) error {
	code, err := program.For(ctx, m.Machine)
	if err != nil {
		return err
	}
	defer code.Close()
	key := strings.TrimPrefix(strings.Trim(q.Prefix, "/")+"/evo/hook/"+code.Digest+".zip", "/")
	if err := m.upload(ctx, q.Bucket, key, code); err != nil {
		return err
	}
	if q.Suite != nil {
		sum := sha256.Sum256(q.Suite)
		r.Suite = r.Prefix + "/suites/" + hex.EncodeToString(sum[:]) + ".yaml"
		if err := m.upload(ctx, r.Bucket, r.Suite, bytes.NewReader(q.Suite)); err != nil {
			return err
		}
	}
	r.Template, err = gate.Install(q.Template, m.options(q, r, template, file, hookCode{q.Bucket, key, m.Machine.Lambda()}))
	return err
}

// upload writes an object whose key tells its content, unless it is there.
func (m *Maker) upload(ctx context.Context, bucket, key string, body io.Reader) error {
	_, err := m.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	var absent *s3types.NotFound
	if err == nil {
		return nil
	}
	if !errors.As(err, &absent) {
		return fmt.Errorf("look for s3://%s/%s: %w", bucket, key, err)
	}
	if _, err := transfermanager.New(m.S3).UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: &bucket, Key: &key, Body: body}); err != nil {
		return fmt.Errorf("upload s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}

func (m *Maker) options(q Request, r *Release, t *desired.Template, file *suitefile.File, code hookCode) gate.Options {
	o := gate.Options{Stack: q.Stack, Release: r.Release, CodeBucket: code.bucket, CodeKey: code.key, Architecture: code.architecture, Resources: t.Resources()}
	refer := referable(t.Transformed)
	for _, s := range slices.Concat(inventory.Actions(items(t), refer), inventory.AccountActions(file.Asks), measure.Actions(file, items(t), refer)) {
		o.Statements = append(o.Statements, gate.Statement{Actions: s.Actions, Resources: s.Resources})
	}
	return o
}

// items are the template's resources as inventory takes them.
func items(t *desired.Template) []*inventory.Item {
	out := make([]*inventory.Item, len(t.Desired.Items))
	for i, it := range t.Desired.Items {
		out[i] = item(it)
	}
	return out
}

func item(it *rules.Item) *inventory.Item {
	return &inventory.Item{ID: it.ID, Type: it.Type, Properties: it.Properties, Metadata: it.Metadata, Span: it.Span, Condition: it.Condition}
}
