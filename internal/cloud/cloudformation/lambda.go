package cloudformation

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cfn"
)

// Lambda is what Lambda resources need of the service.
type Lambda interface {
	CreateFunction(context.Context, *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error)
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error)
	UpdateFunctionCode(context.Context, *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error)
	UpdateFunctionConfiguration(context.Context, *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error)
	DeleteFunction(context.Context, *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error)
	PublishVersion(context.Context, *lambda.PublishVersionInput) (*lambda.PublishVersionOutput, error)
	ListVersionsByFunction(context.Context, *lambda.ListVersionsByFunctionInput) (*lambda.ListVersionsByFunctionOutput, error)
	CreateAlias(context.Context, *lambda.CreateAliasInput) (*lambda.CreateAliasOutput, error)
	GetAlias(context.Context, *lambda.GetAliasInput) (*lambda.GetAliasOutput, error)
	UpdateAlias(context.Context, *lambda.UpdateAliasInput) (*lambda.UpdateAliasOutput, error)
	DeleteAlias(context.Context, *lambda.DeleteAliasInput) (*lambda.DeleteAliasOutput, error)
	AddPermission(context.Context, *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error)
	RemovePermission(context.Context, *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error)
	Invoke(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error)
}

// What follows is used where the service has it; without it the property is kept and does nothing, the type is recorded.
type (
	lambdaConcurrency interface {
		PutFunctionConcurrency(context.Context, *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error)
		DeleteFunctionConcurrency(context.Context, *lambda.DeleteFunctionConcurrencyInput) (*lambda.DeleteFunctionConcurrencyOutput, error)
	}
	lambdaProvisioned interface {
		PutProvisionedConcurrencyConfig(context.Context, *lambda.PutProvisionedConcurrencyConfigInput) (*lambda.PutProvisionedConcurrencyConfigOutput, error)
		DeleteProvisionedConcurrencyConfig(context.Context, *lambda.DeleteProvisionedConcurrencyConfigInput) (*lambda.DeleteProvisionedConcurrencyConfigOutput, error)
	}
	lambdaTags interface {
		TagResource(context.Context, *lambda.TagResourceInput) (*lambda.TagResourceOutput, error)
		UntagResource(context.Context, *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error)
	}
	lambdaLayers interface {
		PublishLayerVersion(context.Context, *lambda.PublishLayerVersionInput) (*lambda.PublishLayerVersionOutput, error)
		DeleteLayerVersion(context.Context, *lambda.DeleteLayerVersionInput) (*lambda.DeleteLayerVersionOutput, error)
	}
	lambdaEventInvoke interface {
		PutFunctionEventInvokeConfig(context.Context, *lambda.PutFunctionEventInvokeConfigInput) (*lambda.PutFunctionEventInvokeConfigOutput, error)
		DeleteFunctionEventInvokeConfig(context.Context, *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error)
	}
	lambdaURLs interface {
		CreateFunctionUrlConfig(context.Context, *lambda.CreateFunctionUrlConfigInput) (*lambda.CreateFunctionUrlConfigOutput, error)
		UpdateFunctionUrlConfig(context.Context, *lambda.UpdateFunctionUrlConfigInput) (*lambda.UpdateFunctionUrlConfigOutput, error)
		GetFunctionUrlConfig(context.Context, *lambda.GetFunctionUrlConfigInput) (*lambda.GetFunctionUrlConfigOutput, error)
		DeleteFunctionUrlConfig(context.Context, *lambda.DeleteFunctionUrlConfigInput) (*lambda.DeleteFunctionUrlConfigOutput, error)
	}
)

type lambdaHandlers struct{ Lambda }

func (s *Service) lambdaHandlers() map[string]Handler {
	if s.cfg.Services.Lambda == nil {
		return nil
	}
	h := lambdaHandlers{s.cfg.Services.Lambda}
	all := map[string]Handler{
		"AWS::Lambda::Function":   {Create: h.createFunction, Update: h.updateFunction, Delete: h.deleteFunction},
		"AWS::Lambda::Version":    {Create: h.createVersion, Delete: h.deleteVersion},
		"AWS::Lambda::Alias":      aliasHandler{h, s.cfg.Services.CodeDeploy}.handler(),
		"AWS::Lambda::Permission": {Create: h.createPermission, Delete: h.deletePermission},
	}
	if l, ok := h.Lambda.(lambdaLayers); ok {
		all["AWS::Lambda::LayerVersion"] = layerHandler(l)
	}
	if l, ok := h.Lambda.(lambdaEventInvoke); ok {
		all["AWS::Lambda::EventInvokeConfig"] = eventInvokeHandler(l)
	}
	if l, ok := h.Lambda.(lambdaURLs); ok {
		all["AWS::Lambda::Url"] = urlHandler(l)
	}
	return all
}

var functionNames = map[string]string{"Code.ZipFile": "-", "Code.SourceKMSKeyArn": "SourceKMSKeyArn"}

func (h lambdaHandlers) createFunction(ctx context.Context, r *Request) (Result, error) {
	in := &lambda.CreateFunctionInput{}
	if err := fill(in, r.Properties, functionNames); err != nil {
		return Result{}, err
	}
	in.FunctionName, in.Tags = aws.String(r.Name("FunctionName", 64)), r.Tags()
	if zipped, err := inlineCode(r.Properties); err != nil {
		return Result{}, err
	} else if zipped != nil {
		in.Code.ZipFile = zipped
	}
	name := *in.FunctionName
	if _, err := h.CreateFunction(ctx, in); err != nil && !(r.Retry && exists(err)) {
		return Result{}, err
	}
	if err := h.reserve(ctx, r, name); err != nil {
		return Result{Physical: name}, err
	}
	result, err := h.settled(ctx, r, name)
	result.Physical = name
	return result, err
}

// settled waits until a function is as it was told to be.
func (h lambdaHandlers) settled(ctx context.Context, r *Request, name string) (Result, error) {
	var c *lambda.GetFunctionConfigurationOutput
	err := r.Await(ctx, func() (ok bool, err error) {
		if c, err = h.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(name)}); err != nil {
			return false, err
		}
		switch {
		case c.State == types.StateFailed:
			return false, &handlerError{aws.ToString(c.StateReason), "NotStabilized"}
		case c.LastUpdateStatus == types.LastUpdateStatusFailed:
			return false, &handlerError{aws.ToString(c.LastUpdateStatusReason), "NotStabilized"}
		}
		return c.State != types.StatePending && c.LastUpdateStatus != types.LastUpdateStatusInProgress, nil
	})
	if err != nil {
		return Result{}, err
	}
	return Result{Physical: name, Attributes: map[string]any{"Arn": unqualified(aws.ToString(c.FunctionArn)),
		"SnapStartResponse.ApplyOn": "None", "SnapStartResponse.OptimizationStatus": "Off"}}, nil
}

func unqualified(arn string) string {
	parts := strings.Split(arn, ":")
	return strings.Join(parts[:min(len(parts), 7)], ":")
}

// reserve sets the reserved concurrency.
func (h lambdaHandlers) reserve(ctx context.Context, r *Request, name string) error {
	c, ok := h.Lambda.(lambdaConcurrency)
	if !ok {
		return nil
	}
	n, has := r.Properties.Get("ReservedConcurrentExecutions").Int()
	if !has {
		if r.Before.Has("ReservedConcurrentExecutions") {
			_, err := c.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: aws.String(name)})
			return err
		}
		return nil
	}
	_, err := c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String(name), ReservedConcurrentExecutions: aws.Int32(int32(n))})
	return err
}

// inlineCode makes the zip that CloudFormation makes of Code.ZipFile: one file, index.
func inlineCode(props *cfn.Node) ([]byte, error) {
	code := props.At("Code", "ZipFile")
	if code == nil {
		return nil, nil
	}
	runtime := props.Get("Runtime").Str()
	file := ""
	switch {
	case strings.HasPrefix(runtime, "nodejs"):
		file = "index.js"
	case strings.HasPrefix(runtime, "python"):
		file = "index.py"
	default:
		return nil, fmt.Errorf("ZipFile can only be used when Runtime is set to Node.js or Python, not %q", runtime)
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	files := map[string]string{file: code.Text}
	name, text := responseModule(runtime)
	files[name] = text
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(name)
		if err != nil {
			return nil, fmt.Errorf("zip inline code: %w", err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			return nil, fmt.Errorf("zip inline code: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("zip inline code: %w", err)
	}
	return buf.Bytes(), nil
}

func (h lambdaHandlers) updateFunction(ctx context.Context, r *Request) (Result, error) {
	name := r.Physical
	if !cfn.Same(r.Before.Get("Code"), r.Properties.Get("Code")) || !cfn.Same(r.Before.Get("Architectures"), r.Properties.Get("Architectures")) {
		if err := h.updateCode(ctx, r, name); err != nil {
			return Result{Physical: name}, err
		}
	}
	if r.Retry || !cfn.Same(configuration(r.Before), configuration(r.Properties)) {
		if err := h.updateConfiguration(ctx, r, name); err != nil {
			return Result{Physical: name}, err
		}
	}
	if err := h.reserve(ctx, r, name); err != nil {
		return Result{Physical: name}, err
	}
	result, err := h.settled(ctx, r, name)
	if err != nil {
		return Result{Physical: name}, err
	}
	return result, h.retag(ctx, r, result.Attributes["Arn"].(string))
}

// configuration are the properties that UpdateFunctionConfiguration takes.
func configuration(props *cfn.Node) *cfn.Node {
	c := props.Clone()
	for _, other := range []string{"Code", "Architectures", "Tags", "ReservedConcurrentExecutions", "FunctionName"} {
		c.Delete(other)
	}
	return c
}

func (h lambdaHandlers) updateCode(ctx context.Context, r *Request, name string) error {
	in := &lambda.UpdateFunctionCodeInput{}
	if err := fill(in, r.Properties.Get("Code"), map[string]string{"ZipFile": "-"}); err != nil {
		return err
	}
	for _, a := range r.Properties.Get("Architectures").List() {
		in.Architectures = append(in.Architectures, types.Architecture(a.Str()))
	}
	zipped, err := inlineCode(r.Properties)
	if err != nil {
		return err
	}
	in.FunctionName, in.ZipFile = aws.String(name), zipped
	if _, err := h.UpdateFunctionCode(ctx, in); err != nil {
		return err
	}
	_, err = h.settled(ctx, r, name)
	return err
}

// updateConfiguration tells the whole configuration; what the template no longer has goes back to its default.
func (h lambdaHandlers) updateConfiguration(ctx context.Context, r *Request, name string) error {
	in := &lambda.UpdateFunctionConfigurationInput{Description: aws.String(""), Environment: &types.Environment{Variables: map[string]string{}},
		Layers: []string{}, MemorySize: aws.Int32(128), Timeout: aws.Int32(3), DeadLetterConfig: &types.DeadLetterConfig{TargetArn: aws.String("")},
		TracingConfig: &types.TracingConfig{Mode: types.TracingModePassThrough}, EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(512)}}
	if err := fill(in, r.Properties, nil); err != nil {
		return err
	}
	in.FunctionName = aws.String(name)
	if _, err := h.UpdateFunctionConfiguration(ctx, in); err != nil {
		return err
	}
	_, err := h.settled(ctx, r, name)
	return err
}

func (h lambdaHandlers) retag(ctx context.Context, r *Request, arn string) error {
	t, ok := h.Lambda.(lambdaTags)
	if !ok {
		return nil
	}
	now := r.Tags()
	var gone []string
	for _, old := range tagKeys(r.Before) {
		if _, still := now[old]; !still {
			gone = append(gone, old)
		}
	}
	if len(gone) > 0 {
		if _, err := t.UntagResource(ctx, &lambda.UntagResourceInput{Resource: aws.String(arn), TagKeys: gone}); err != nil {
			return err
		}
	}
	_, err := t.TagResource(ctx, &lambda.TagResourceInput{Resource: aws.String(arn), Tags: now})
	return err
}

// tagKeys are the keys of a resource's own tags.
func tagKeys(props *cfn.Node) []string {
	keys := props.Get("Tags").Keys()
	for _, it := range props.Get("Tags").List() {
		keys = append(keys, it.Get("Key").Str())
	}
	return keys
}

func (h lambdaHandlers) deleteFunction(ctx context.Context, r *Request) error {
	_, err := h.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String(r.Physical)})
	return err
}

// createVersion publishes a version. Lambda answers with the last one if nothing has changed since: that is not a new
// resource, and CloudFormation says so.
func (h lambdaHandlers) createVersion(ctx context.Context, r *Request) (Result, error) {
	in := &lambda.PublishVersionInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return Result{}, err
	}
	last := r.Noted("last")
	if last == "" {
		n, err := h.latestVersion(ctx, r.Str("FunctionName"))
		if err != nil {
			return Result{}, err
		}
		last = strconv.Itoa(n)
		if err := r.Note("last", last); err != nil {
			return Result{}, err
		}
	}
	out, err := h.PublishVersion(ctx, in)
	if err != nil {
		return Result{}, err
	}
	before, _ := strconv.Atoi(last)
	if made, _ := strconv.Atoi(aws.ToString(out.Version)); made <= before {
		return Result{}, &handlerError{fmt.Sprintf("A version for this Lambda function exists ( %d ). Modify the function to create a new version.", made), "AlreadyExists"}
	}
	arn := unqualified(aws.ToString(out.FunctionArn)) + ":" + aws.ToString(out.Version)
	return Result{Physical: arn, Attributes: map[string]any{"Version": aws.ToString(out.Version), "FunctionArn": arn}},
		h.provision(ctx, r, aws.ToString(out.Version))
}

// provision sets the provisioned concurrency of a version or an alias.
func (h lambdaHandlers) provision(ctx context.Context, r *Request, qualifier string) error {
	p, ok := h.Lambda.(lambdaProvisioned)
	now, before := r.Properties.Get("ProvisionedConcurrencyConfig"), r.Before.Get("ProvisionedConcurrencyConfig")
	if !ok || cfn.Same(now, before) {
		return nil
	}
	function := aws.String(r.Str("FunctionName"))
	if now == nil {
		_, err := p.DeleteProvisionedConcurrencyConfig(ctx, &lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: function, Qualifier: aws.String(qualifier)})
		return err
	}
	in := &lambda.PutProvisionedConcurrencyConfigInput{}
	if err := fill(in, now, nil); err != nil {
		return err
	}
	in.FunctionName, in.Qualifier = function, aws.String(qualifier)
	_, err := p.PutProvisionedConcurrencyConfig(ctx, in)
	return err
}

func (h lambdaHandlers) latestVersion(ctx context.Context, function string) (int, error) {
	latest := 0
	in := &lambda.ListVersionsByFunctionInput{FunctionName: aws.String(function)}
	for {
		out, err := h.ListVersionsByFunction(ctx, in)
		if err != nil {
			return 0, err
		}
		for _, v := range out.Versions {
			n, _ := strconv.Atoi(aws.ToString(v.Version))
			latest = max(latest, n)
		}
		if aws.ToString(out.NextMarker) == "" {
			return latest, nil
		}
		in.Marker = out.NextMarker
	}
}

func (h lambdaHandlers) deleteVersion(ctx context.Context, r *Request) error {
	i := strings.LastIndex(r.Physical, ":")
	if i < 0 {
		return nil
	}
	_, err := h.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String(r.Physical[:i]), Qualifier: aws.String(r.Physical[i+1:])})
	return err
}

func (h lambdaHandlers) createPermission(ctx context.Context, r *Request) (Result, error) {
	in := &lambda.AddPermissionInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return Result{}, err
	}
	in.StatementId = aws.String(r.generated(100))
	if _, err := h.AddPermission(ctx, in); err != nil && !(r.Retry && exists(err)) {
		return Result{}, err
	}
	return Result{Physical: *in.StatementId, Attributes: map[string]any{"Id": *in.StatementId}}, nil
}

func (h lambdaHandlers) deletePermission(ctx context.Context, r *Request) error {
	_, err := h.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: aws.String(r.Str("FunctionName")), StatementId: aws.String(r.Physical)})
	return err
}
