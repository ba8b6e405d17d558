package lambda

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// describe makes AWS's description of a version. The ARN has the qualifier by which the caller asked.
func (s *Service) describe(v version, qualifier string) types.FunctionConfiguration {
	c := types.FunctionConfiguration{
		FunctionName: &v.Function, FunctionArn: aws.String(s.arn(name{v.Function, qualifier})), Version: &v.Number,
		Description: &v.Description, Role: &v.Role, Runtime: types.Runtime(v.Runtime), Handler: &v.Handler,
		MemorySize: &v.Memory, Timeout: &v.Timeout, EphemeralStorage: &types.EphemeralStorage{Size: &v.Storage},
		CodeSha256: aws.String(sha256Base64(v.CodeHash)), CodeSize: v.CodeSize, PackageType: types.PackageTypeZip,
		RevisionId: &v.Revision, LastModified: aws.String(v.Modified.UTC().Format("2006-01-02T15:04:05.000+0000")),
		State: types.StateActive, LastUpdateStatus: types.LastUpdateStatusSuccessful,
		TracingConfig:        &types.TracingConfigResponse{Mode: types.TracingMode(v.Tracing)},
		SnapStart:            &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOn(v.SnapStart), OptimizationStatus: types.SnapStartOptimizationStatusOff},
		RuntimeVersionConfig: &types.RuntimeVersionConfig{RuntimeVersionArn: aws.String(s.runtimeARN(v.Runtime))},
		LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormat(v.LogFormat), LogGroup: aws.String(v.logGroup()),
			ApplicationLogLevel: types.ApplicationLogLevel(v.AppLogLevel), SystemLogLevel: types.SystemLogLevel(v.SysLogLevel)},
	}
	for _, a := range v.Architectures {
		c.Architectures = append(c.Architectures, types.Architecture(a))
	}
	if v.Environment != nil {
		c.Environment = &types.EnvironmentResponse{Variables: maps.Clone(v.Environment)}
	}
	for _, l := range v.Layers {
		c.Layers = append(c.Layers, types.Layer{Arn: aws.String(l.ARN), CodeSize: l.Size})
	}
	for _, f := range v.FileSystems {
		c.FileSystemConfigs = append(c.FileSystemConfigs, types.FileSystemConfig{Arn: aws.String(f.ARN), LocalMountPath: aws.String(f.Path)})
	}
	if v.DeadLetter != "" {
		c.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: &v.DeadLetter}
	}
	if v.KMSKey != "" {
		c.KMSKeyArn = &v.KMSKey
	}
	if v.VPC != nil {
		c.VpcConfig = &types.VpcConfigResponse{SubnetIds: slices.Clone(v.VPC.Subnets), SecurityGroupIds: slices.Clone(v.VPC.SecurityGroups),
			VpcId: aws.String("vpc-00000000"), Ipv6AllowedForDualStack: &v.VPC.IPv6}
	}
	return c
}

func (s *Service) runtimeARN(runtime string) string {
	sum := sha256.Sum256([]byte(runtime))
	return "arn:aws:lambda:" + s.cfg.Region + "::runtime:" + hex.EncodeToString(sum[:])
}

func sha256Base64(hash string) string {
	b, _ := hex.DecodeString(hash)
	return base64.StdEncoding.EncodeToString(b)
}

func (v version) logGroup() string {
	if v.LogGroup != "" {
		return v.LogGroup
	}
	return "/aws/lambda/" + v.Function
}

// beingCreated and beingUpdated put on the words that AWS's answers to changes have.
func beingCreated(c types.FunctionConfiguration) types.FunctionConfiguration {
	c.State, c.StateReason, c.StateReasonCode = types.StatePending, aws.String("The function is being created."), types.StateReasonCodeCreating
	c.LastUpdateStatus = ""
	return c
}

func beingUpdated(c types.FunctionConfiguration) types.FunctionConfiguration {
	c.LastUpdateStatus = types.LastUpdateStatusInProgress
	c.LastUpdateStatusReason = aws.String("The function is being created.")
	c.LastUpdateStatusReasonCode = "Creating" // AWS says so, though its model does not
	return c
}

// listed leaves out what lists do not show.
func listed(c types.FunctionConfiguration) types.FunctionConfiguration {
	c.State, c.LastUpdateStatus, c.RuntimeVersionConfig = "", "", nil
	return c
}

// answer copies a configuration into an output that has the same members.
func answer[T any](c types.FunctionConfiguration) *T {
	out := new(T)
	from, to := reflect.ValueOf(c), reflect.ValueOf(out).Elem()
	for i := range to.NumField() {
		if f := from.FieldByName(to.Type().Field(i).Name); f.IsValid() && to.Type().Field(i).IsExported() {
			to.Field(i).Set(f)
		}
	}
	return out
}

// fingerprint is equal for equal code and configuration.
func (v version) fingerprint() string {
	v.Number, v.Revision, v.Of = "", "", ""
	v.Modified = time.Time{}
	b, _ := json.Marshal(v) // strings, numbers, lists and maps of strings always marshal
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// reservedVariables may not be set by a function's configuration.
var reservedVariables = map[string]bool{
	"_HANDLER": true, "_X_AMZN_TRACE_ID": true, "AWS_DEFAULT_REGION": true, "AWS_REGION": true, "AWS_EXECUTION_ENV": true,
	"AWS_LAMBDA_FUNCTION_NAME": true, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": true, "AWS_LAMBDA_FUNCTION_VERSION": true,
	"AWS_LAMBDA_INITIALIZATION_TYPE": true, "AWS_LAMBDA_LOG_GROUP_NAME": true, "AWS_LAMBDA_LOG_STREAM_NAME": true,
	"AWS_ACCESS_KEY": true, "AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true, "AWS_SESSION_TOKEN": true,
	"AWS_LAMBDA_RUNTIME_API": true, "LAMBDA_TASK_ROOT": true, "LAMBDA_RUNTIME_DIR": true,
}

const maxEnvironment = 4096

func checkEnvironment(vars map[string]string) error {
	const cannot = "Lambda was unable to configure your environment variables because the environment variables you have provided "
	var reserved []string
	for k := range vars {
		if reservedVariables[k] {
			reserved = append(reserved, k)
		}
	}
	if len(reserved) > 0 {
		slices.Sort(reserved)
		return invalid("%scontains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", cannot, strings.Join(reserved, ", "))
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(vars); err != nil {
		return fmt.Errorf("measure environment: %w", err)
	}
	if measured := strings.TrimSuffix(b.String(), "\n"); len(measured) > maxEnvironment {
		return invalid("%sexceeded the 4KB limit. String measured: %s", cannot, measured)
	}
	return nil
}

// checkRuntime refuses what AWS never had. Runtimes that AWS does not take any more are taken: old applications name them.
func checkRuntime(runtime types.Runtime) error {
	if runtime == "" || slices.Contains(runtime.Values(), runtime) {
		return nil
	}
	names := make([]string, 0, len(runtime.Values()))
	for _, r := range runtime.Values() {
		names = append(names, string(r))
	}
	return invalid("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN", runtime, strings.Join(names, ", "))
}

const (
	maxMemory  = 10240
	maxTimeout = 900
)

func checkSizes(memory, timeout int32) error {
	if memory > maxMemory {
		return invalid("'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to %d", maxMemory)
	}
	if timeout > maxTimeout {
		return invalid("1 validation error detected: Value '%d' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to %d", timeout, maxTimeout)
	}
	return nil
}
