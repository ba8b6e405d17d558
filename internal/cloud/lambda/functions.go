package lambda

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

// CreateFunction makes a function, and its first version if asked to.
func (s *Service) CreateFunction(ctx context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	n, err := s.parse(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	v, err := s.newVersion(ctx, n.function, in)
	if err != nil {
		return nil, err
	}
	if err := s.assumable(ctx, v.Role); err != nil {
		return nil, err
	}
	v.CodeHash, v.CodeSize, err = s.keepCode(ctx, source{in.Code.ZipFile, in.Code.S3Bucket, in.Code.S3Key, in.Code.S3ObjectVersion}, false)
	if err != nil {
		return nil, err
	}
	made := v
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, ok := s.tables.functions.Get(tx, n.function); ok {
			return conflict("Function already exist: %s", n.function)
		}
		if v.Layers, err = s.usedLayers(tx, in.Layers); err != nil {
			return err
		}
		s.tables.functions.Put(tx, n.function, function{Name: n.function, Tags: maps.Clone(in.Tags)})
		s.tables.versions.Put(tx, versionKey(n.function, latest), v)
		made = v
		if in.Publish {
			made = s.publish(tx, v, nil)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	qualifier := ""
	c := beingCreated(s.describe(made, qualifier))
	c.RevisionId = aws.String(id.UUID()) // that of the function once it is ready is another, as on AWS
	return answer[lambda.CreateFunctionOutput](c), nil
}

// newVersion makes a $LATEST of what was asked for and AWS's defaults.
func (s *Service) newVersion(ctx context.Context, fn string, in *lambda.CreateFunctionInput) (version, error) {
	if in.PackageType == types.PackageTypeImage || in.Code.ImageUri != nil {
		return version{}, &call.Error{Code: "InvalidParameterValueException", Message: "PackageType Image is not there yet: this cloud runs functions as processes, from zips"}
	}
	v := version{
		Function: fn, Number: latest, Memory: 128, Timeout: 3, Storage: 512, Tracing: string(types.TracingModePassThrough),
		SnapStart: string(types.SnapStartApplyOnNone), LogFormat: string(types.LogFormatText), Architectures: []string{string(types.ArchitectureX8664)},
		Modified: s.cfg.Clock.Now(), Revision: id.UUID(),
	}
	if in.Runtime == "" || in.Handler == nil {
		return v, invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if len(in.Architectures) > 0 {
		v.Architectures = []string{string(in.Architectures[0])}
	}
	return v, s.configure(&v, &lambda.UpdateFunctionConfigurationInput{
		DeadLetterConfig: in.DeadLetterConfig, Description: in.Description, Environment: in.Environment, EphemeralStorage: in.EphemeralStorage,
		FileSystemConfigs: in.FileSystemConfigs, Handler: in.Handler, KMSKeyArn: in.KMSKeyArn, LoggingConfig: in.LoggingConfig,
		MemorySize: in.MemorySize, Role: in.Role, Runtime: in.Runtime, SnapStart: in.SnapStart, Timeout: in.Timeout,
		TracingConfig: in.TracingConfig, VpcConfig: in.VpcConfig,
	})
}

// configure changes what the input names, except for layers.
func (s *Service) configure(v *version, in *lambda.UpdateFunctionConfigurationInput) error {
	set(&v.Description, in.Description)
	set(&v.Handler, in.Handler)
	set(&v.Role, in.Role)
	set(&v.Memory, in.MemorySize)
	set(&v.Timeout, in.Timeout)
	set(&v.KMSKey, in.KMSKeyArn)
	if err := checkSizes(v.Memory, v.Timeout); err != nil {
		return err
	}
	if err := checkRuntime(in.Runtime); err != nil {
		return err
	}
	if in.Runtime != "" {
		v.Runtime = string(in.Runtime)
	}
	if in.Environment != nil {
		if err := checkEnvironment(in.Environment.Variables); err != nil {
			return err
		}
		v.Environment = maps.Clone(in.Environment.Variables)
		if v.Environment == nil {
			v.Environment = map[string]string{}
		}
	}
	if in.EphemeralStorage != nil {
		set(&v.Storage, in.EphemeralStorage.Size)
	}
	if in.TracingConfig != nil && in.TracingConfig.Mode != "" {
		v.Tracing = string(in.TracingConfig.Mode)
	}
	if in.SnapStart != nil && in.SnapStart.ApplyOn != "" {
		v.SnapStart = string(in.SnapStart.ApplyOn)
	}
	return s.configureSurroundings(v, in)
}

// configureSurroundings changes what connects a function with the rest.
func (s *Service) configureSurroundings(v *version, in *lambda.UpdateFunctionConfigurationInput) error {
	if d := in.DeadLetterConfig; d != nil {
		v.DeadLetter = aws.ToString(d.TargetArn)
		if service := arnService(v.DeadLetter); v.DeadLetter != "" && service != "sqs" && service != "sns" && service != "lambda" {
			return invalid("The target ARN %s of the dead-letter queue is neither a queue nor a topic.", v.DeadLetter)
		}
	}
	if c := in.VpcConfig; c != nil {
		v.VPC = &vpc{Subnets: slices.Clone(c.SubnetIds), SecurityGroups: slices.Clone(c.SecurityGroupIds), IPv6: aws.ToBool(c.Ipv6AllowedForDualStack)}
		if len(c.SubnetIds) == 0 && len(c.SecurityGroupIds) == 0 {
			v.VPC = nil
		}
	}
	if in.FileSystemConfigs != nil {
		v.FileSystems = nil
		for _, f := range in.FileSystemConfigs {
			v.FileSystems = append(v.FileSystems, fileSystem{aws.ToString(f.Arn), aws.ToString(f.LocalMountPath)})
		}
	}
	if l := in.LoggingConfig; l != nil {
		set(&v.LogGroup, l.LogGroup)
		if l.LogFormat != "" {
			v.LogFormat = string(l.LogFormat)
		}
		v.AppLogLevel, v.SysLogLevel = string(l.ApplicationLogLevel), string(l.SystemLogLevel)
		if v.LogFormat == string(types.LogFormatText) && (v.AppLogLevel != "" || v.SysLogLevel != "") {
			return invalid("You can only set log levels for functions with LogFormat JSON.")
		}
		if v.LogFormat == string(types.LogFormatJson) {
			v.AppLogLevel, v.SysLogLevel = orInfo(v.AppLogLevel), orInfo(v.SysLogLevel)
		}
	}
	return nil
}

func orInfo(level string) string {
	if level == "" {
		return "INFO"
	}
	return level
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func arnService(arn string) string {
	parts := strings.SplitN(arn, ":", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2]
}

func (s *Service) assumable(ctx context.Context, role string) error {
	if s.cfg.Roles != nil && !s.cfg.Roles.Assumable(ctx, role, "lambda.amazonaws.com") {
		return invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	return nil
}

// GetFunction describes a function, its code and its tags.
func (s *Service) GetFunction(_ context.Context, in *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
	c, v, err := s.configuration(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := &lambda.GetFunctionOutput{Configuration: &c, Code: s.location(v.CodeHash)}
	s.cfg.Store.View(func(tx *store.Tx) {
		f, _ := s.tables.functions.Get(tx, v.Function)
		if len(f.Tags) > 0 {
			out.Tags = maps.Clone(f.Tags)
		}
		if f.Reserved != nil {
			out.Concurrency = &types.Concurrency{ReservedConcurrentExecutions: aws.Int32(*f.Reserved)}
		}
	})
	return out, nil
}

// GetFunctionConfiguration describes a function.
func (s *Service) GetFunctionConfiguration(_ context.Context, in *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	c, _, err := s.configuration(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return answer[lambda.GetFunctionConfigurationOutput](c), nil
}

func (s *Service) configuration(text, qualifier *string) (c types.FunctionConfiguration, v version, err error) {
	n, err := s.parse(text, qualifier)
	if err != nil {
		return c, v, err
	}
	s.cfg.Store.View(func(tx *store.Tx) { v, err = s.resolve(tx, n) })
	if err != nil {
		return c, v, err
	}
	return s.describe(v, n.qualifier), v, nil
}

// UpdateFunctionCode gives $LATEST new code.
func (s *Service) UpdateFunctionCode(ctx context.Context, in *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	if in.ImageUri != nil {
		return nil, invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
	}
	s.cfg.Store.View(func(tx *store.Tx) { _, err = s.resolve(tx, n) })
	if err != nil {
		return nil, err
	}
	hash, size, err := s.keepCode(ctx, source{in.ZipFile, in.S3Bucket, in.S3Key, in.S3ObjectVersion}, in.DryRun)
	if err != nil {
		return nil, err
	}
	c, err := s.change(ctx, n, in.RevisionId, in.DryRun, in.Publish, func(_ *store.Tx, v *version) error {
		v.CodeHash, v.CodeSize = hash, size
		if len(in.Architectures) > 0 {
			v.Architectures = []string{string(in.Architectures[0])}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer[lambda.UpdateFunctionCodeOutput](c), nil
}

// UpdateFunctionConfiguration changes $LATEST's configuration.
func (s *Service) UpdateFunctionConfiguration(ctx context.Context, in *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	if in.Role != nil {
		if err := s.assumable(ctx, *in.Role); err != nil {
			return nil, err
		}
	}
	c, err := s.change(ctx, n, in.RevisionId, false, false, func(tx *store.Tx, v *version) (err error) {
		if in.Layers != nil {
			if v.Layers, err = s.usedLayers(tx, in.Layers); err != nil {
				return err
			}
		}
		return s.configure(v, in)
	})
	if err != nil {
		return nil, err
	}
	return answer[lambda.UpdateFunctionConfigurationOutput](c), nil
}

// change puts a new $LATEST in place of the old, whose environments end.
func (s *Service) change(ctx context.Context, n name, revision *string, dryRun, publish bool, f func(*store.Tx, *version) error) (types.FunctionConfiguration, error) {
	var old, v, shown version
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if old, err = s.resolve(tx, n); err != nil {
			return err
		}
		if err := checkRevision(revision, old.Revision, "GetFunction/GetAlias"); err != nil {
			return err
		}
		v = old
		if err := f(tx, &v); err != nil {
			return err
		}
		v.Modified, v.Revision = s.cfg.Clock.Now(), id.UUID()
		shown = v
		if dryRun {
			return nil
		}
		s.tables.versions.Put(tx, versionKey(n.function, latest), v)
		if publish {
			shown = s.publish(tx, v, nil)
		}
		return nil
	})
	if err != nil {
		return types.FunctionConfiguration{}, err
	}
	if !dryRun {
		s.retire(old)
	}
	if shown.Number != latest {
		return beingCreated(s.describe(shown, shown.Number)), nil
	}
	c := beingUpdated(s.describe(shown, ""))
	c.RevisionId = aws.String(id.UUID())
	return c, nil
}

// unqualified is for operations on a function as a whole.
func (s *Service) unqualified(text *string) (name, error) {
	n, err := s.parse(text, nil)
	if err == nil && n.qualifier != "" && n.qualifier != latest {
		return n, invalid("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	}
	n.qualifier = ""
	return n, err
}

// DeleteFunction removes a version, or the function with all that belongs to it.
func (s *Service) DeleteFunction(ctx context.Context, in *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error) {
	n, err := s.parse(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	var gone []version
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, ok := s.tables.functions.Get(tx, n.function); !ok {
			return s.functionNotFound(name{function: n.function})
		}
		if n.qualifier != "" {
			gone, err = s.deleteVersion(tx, n)
			return err
		}
		gone = s.deleteAll(tx, n.function)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.retire(gone...)
	s.cfg.Store.View(func(tx *store.Tx) { s.limits.load(&s.tables, tx) })
	return &lambda.DeleteFunctionOutput{StatusCode: 204}, nil
}

func (s *Service) deleteVersion(tx *store.Tx, n name) ([]version, error) {
	switch {
	case n.qualifier == latest:
		return nil, invalid("$LATEST version cannot be deleted without deleting the function.")
	case !isNumber(n.qualifier):
		return nil, invalid("Deletion of aliases is not currently supported.")
	}
	for _, a := range s.tables.aliases.Prefix(tx, under(n.function)) {
		if _, weighted := a.Weights[n.qualifier]; weighted || a.Version == n.qualifier {
			return nil, conflict("Version %s is currently used by the alias %s. Point the alias to another version first.", s.arn(n), a.Name)
		}
	}
	key := versionKey(n.function, n.qualifier)
	v, ok := s.tables.versions.Get(tx, key)
	if !ok {
		return nil, nil // as AWS: nothing to do
	}
	s.tables.versions.Delete(tx, key)
	s.tables.policies.Delete(tx, n.function+":"+n.qualifier)
	s.tables.provisioned.Delete(tx, under(n.function)+n.qualifier)
	s.tables.events.Delete(tx, under(n.function)+n.qualifier)
	return []version{v}, nil
}

func (s *Service) deleteAll(tx *store.Tx, fn string) (gone []version) {
	for _, v := range s.tables.versions.Prefix(tx, under(fn)) {
		gone = append(gone, v)
	}
	s.tables.functions.Delete(tx, fn)
	deletePrefix(tx, s.tables.versions, under(fn))
	deletePrefix(tx, s.tables.aliases, under(fn))
	deletePrefix(tx, s.tables.provisioned, under(fn))
	deletePrefix(tx, s.tables.events, under(fn))
	s.tables.policies.Delete(tx, fn)
	deletePrefix(tx, s.tables.policies, fn+":")
	return gone
}

func deletePrefix[V any](tx *store.Tx, t *store.Table[V], prefix string) {
	var keys []string
	for k := range t.Prefix(tx, prefix) {
		keys = append(keys, k)
	}
	for _, k := range keys {
		t.Delete(tx, k)
	}
}

// ListFunctions lists functions, with all their versions if asked to.
func (s *Service) ListFunctions(_ context.Context, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	out := new(lambda.ListFunctionsOutput)
	p, err := openPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	all := in.FunctionVersion == types.FunctionVersionAll
	s.cfg.Store.View(func(tx *store.Tx) {
		wanted := func(v version) bool { return all || v.Number == latest }
		for _, v := range paging.Of(p, s.tables.versions.Ascend(tx, p.After), wanted) {
			qualifier := ""
			if all {
				qualifier = v.Number
			}
			out.Functions = append(out.Functions, listed(s.describe(v, qualifier)))
		}
	})
	out.NextMarker = p.Next()
	return out, nil
}
