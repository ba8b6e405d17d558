package inventory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/cfn"
	"evo/internal/shape"
)

const (
	functionType   = "AWS::Lambda::Function"
	aliasType      = "AWS::Lambda::Alias"
	permissionType = "AWS::Lambda::Permission"
	urlType        = "AWS::Lambda::Url"
)

// errUnnamed is the outcome of a read that does not know what to ask for.
var errUnnamed = errors.New("the properties do not tell which resource is meant")

// Reads of a version or an alias are granted on the function's qualified ARNs.
var onFunction = []string{
	"arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${function}",
	"arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${function}:*",
}

var functionProperties = []string{"Architectures", "DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "FileSystemConfigs",
	"Handler", "ImageConfig", "KmsKeyArn", "Layers", "LoggingConfig", "MemorySize", "PackageType", "Role", "Runtime", "SnapStart", "Timeout",
	"TracingConfig", "VpcConfig"}

var (
	permissionProperties = []string{"Action", "Principal", "SourceArn", "SourceAccount", "PrincipalOrgID", "FunctionUrlAuthType", "EventSourceToken",
		"InvokedViaFunctionUrl"}
	urlProperties = []string{"AuthType", "Cors", "InvokeMode"}
)

var functionParts = []part{
	{gives: functionProperties, actions: []string{"lambda:GetFunctionConfiguration"}, on: onFunction, read: readFunction, exists: true},
	{gives: []string{"ReservedConcurrentExecutions"}, actions: []string{"lambda:GetFunctionConcurrency"}, on: onFunction, read: readConcurrency},
	{gives: []string{"Tags"}, actions: []string{"lambda:ListTags"}, on: onFunction, read: readFunctionTags},
	{actions: []string{"lambda:GetPolicy"}, on: onFunction, read: readForeignPermissions, beside: unknownPermission},
	{actions: []string{"lambda:GetPolicy"}, on: onFunction, read: readFunctionPolicy},
	{actions: []string{"lambda:GetFunctionUrlConfig"}, on: onFunction, wanted: (*run).lacksURL, read: readForeignURL, beside: unknownURL},
}

var aliasParts = []part{
	{gives: []string{"Description", "FunctionVersion", "RoutingConfig"}, actions: []string{"lambda:GetAlias"}, on: onFunction, read: readAlias, exists: true},
	{gives: []string{"ProvisionedConcurrencyConfig"}, actions: []string{"lambda:GetProvisionedConcurrencyConfig"}, on: onFunction, read: readProvisioned},
	{actions: []string{"lambda:GetPolicy"}, on: onFunction, read: readForeignPermissions, beside: unknownPermission},
}

var permissionParts = []part{
	{gives: permissionProperties, actions: []string{"lambda:GetPolicy"}, on: onFunction, read: readPermission, exists: true},
}

var urlParts = []part{
	{gives: urlProperties, actions: []string{"lambda:GetFunctionUrlConfig"}, on: onFunction, read: readURL, exists: true},
}

func readFunction(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	n := shape.Function(out, out.Layers, out.ImageConfigResponse, functionProperties...)
	if out.Environment != nil && out.Environment.Error != nil {
		n.Set("Environment", Unknown("Lambda GetFunctionConfiguration: "+aws.ToString(out.Environment.Error.ErrorCode)+": "+aws.ToString(out.Environment.Error.Message)))
	}
	return answer{properties: n, supplementary: cfn.Obj(cfn.P("CodeSize", cfn.Integer(out.CodeSize)))}, nil
}

func readConcurrency(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.lambda.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("ReservedConcurrentExecutions", shape.Property(functionType, "ReservedConcurrentExecutions", out.ReservedConcurrentExecutions, nil)), nil
}

func readFunctionTags(ctx context.Context, now *run, it *Item) (answer, error) {
	if it.ARN == "" {
		return answer{}, errUnnamed
	}
	out, err := now.lambda.ListTags(ctx, &lambda.ListTagsInput{Resource: &it.ARN})
	if err != nil {
		return answer{}, err
	}
	return given("Tags", shape.Tags(functionType, "Tags", out.Tags)), nil
}

func readAlias(ctx context.Context, now *run, it *Item) (answer, error) {
	function, alias := qualified(it.PhysicalID)
	out, err := now.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &function, Name: &alias})
	if err != nil {
		return answer{}, err
	}
	n := shape.Properties(aliasType, out, nil, "Description", "FunctionVersion")
	if out.RoutingConfig != nil && len(out.RoutingConfig.AdditionalVersionWeights) > 0 {
		weights := cfn.Arr()
		for _, version := range slices.Sorted(maps.Keys(out.RoutingConfig.AdditionalVersionWeights)) {
			weights.Items = append(weights.Items, cfn.Obj(cfn.P("FunctionVersion", cfn.Str(version)),
				cfn.P("FunctionWeight", cfn.From(out.RoutingConfig.AdditionalVersionWeights[version]))))
		}
		n.Set("RoutingConfig", cfn.Obj(cfn.P("AdditionalVersionWeights", weights)))
	}
	return answer{properties: n}, nil
}

// qualified takes an alias's ARN apart.
func qualified(arn string) (function, qualifier string) {
	i := strings.LastIndexByte(arn, ':')
	if i < 0 {
		return arn, ""
	}
	return arn[:i], arn[i+1:]
}

func readProvisioned(ctx context.Context, now *run, it *Item) (answer, error) {
	function, alias := qualified(it.PhysicalID)
	out, err := now.lambda.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &function, Qualifier: &alias})
	if err != nil {
		return answer{}, err
	}
	n := cfn.Obj(cfn.P("ProvisionedConcurrentExecutions", cfn.Integer(int64(aws.ToInt32(out.RequestedProvisionedConcurrentExecutions)))))
	return given("ProvisionedConcurrencyConfig", n), nil
}

// policy reads the statements of a function's or an alias's policy, given by name or ARN. Without a policy there are none.
func (now *run) policy(ctx context.Context, function string) ([]*cfn.Node, error) {
	return once(now, "policy "+function, func() ([]*cfn.Node, error) {
		out, err := now.lambda.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &function})
		switch {
		case isAbsent(err):
			return nil, nil
		case err != nil:
			return nil, err
		}
		statements := shape.Document(aws.ToString(out.Policy)).Get("Statement")
		if statements.Is(cfn.Map) {
			return []*cfn.Node{statements}, nil
		}
		return statements.List(), nil
	})
}

func readPermission(ctx context.Context, now *run, it *Item) (answer, error) {
	function := it.text("FunctionName")
	if function == "" {
		return answer{}, errUnnamed
	}
	statements, err := now.policy(ctx, function)
	for _, st := range statements {
		if sid := st.Get("Sid").Str(); sid == it.PhysicalID {
			return answer{properties: permission(st)}, nil
		}
	}
	return answer{}, orAbsent(err)
}

// permission turns a policy's statement into the properties that make it.
func permission(st *cfn.Node) *cfn.Node {
	n := cfn.Obj()
	set := func(name string, values ...*cfn.Node) {
		for _, v := range values {
			if text, ok := v.Scalar(); ok {
				n.Set(name, cfn.Str(text))
				return
			}
		}
	}
	principal := st.Get("Principal")
	set("Action", st.Get("Action"))
	set("Principal", principal, principal.Get("Service"), principal.Get("AWS"))
	for _, operator := range st.Get("Condition").Entries() {
		for _, key := range operator.Value.Entries() {
			if name := conditions[strings.ToLower(key.Key)]; name != "" {
				set(name, key.Value)
			}
		}
	}
	return n
}

var conditions = map[string]string{"aws:sourcearn": "SourceArn", "aws:sourceaccount": "SourceAccount", "aws:principalorgid": "PrincipalOrgID",
	"lambda:functionurlauthtype": "FunctionUrlAuthType", "lambda:eventsourcetoken": "EventSourceToken",
	"lambda:invokedviafunctionurl": "InvokedViaFunctionUrl"}

// readForeignPermissions finds the statements that no item is.
func readForeignPermissions(ctx context.Context, now *run, it *Item) (answer, error) {
	statements, err := now.policy(ctx, it.PhysicalID)
	if err != nil {
		return answer{}, err
	}
	var a answer
	for _, st := range statements {
		sid := st.Get("Sid").Str()
		if now.has(permissionType, sid) {
			continue
		}
		n := permission(st)
		n.Set("FunctionName", cfn.Str(it.PhysicalID))
		a.beside = append(a.beside, &Item{ID: it.ID + "/Permission/" + sid, Type: permissionType, PhysicalID: sid, Properties: n, Read: permissionProperties})
	}
	return a, nil
}

// readFunctionPolicy puts the policies of a function and its aliases together: whoever may call one of them may call the function.
func readFunctionPolicy(ctx context.Context, now *run, it *Item) (answer, error) {
	names := []string{it.PhysicalID}
	for _, a := range now.items {
		if function, _ := qualified(a.PhysicalID); a.Type == aliasType && functionName(function) == it.PhysicalID {
			names = append(names, a.PhysicalID)
		}
	}
	all := cfn.Arr()
	for _, name := range names {
		statements, err := now.policy(ctx, name)
		if err != nil {
			return answer{}, err
		}
		all.Items = append(all.Items, statements...)
	}
	return answer{supplementary: cfn.Obj(cfn.P("Policy", cfn.Obj(cfn.P("Statement", all))))}, nil
}

func unknownPermission(it *Item, reason string) []*Item {
	return unknownBeside(it, "/Permission", permissionType, "FunctionName", permissionProperties, reason)
}

// unknownBeside is an item of which nothing is known but to whom it belongs.
func unknownBeside(it *Item, suffix, typ, owner string, names []string, reason string) []*Item {
	n := cfn.Obj(cfn.P(owner, cfn.Str(it.PhysicalID)))
	for _, name := range names {
		n.Set(name, Unknown(reason))
	}
	return []*Item{{ID: it.ID + suffix, Type: typ, Properties: n, Read: names}}
}

// lacksURL reports that no item is the function's URL. (One of another qualifier is one all the same.)
func (now *run) lacksURL(it *Item) bool {
	return !slices.ContainsFunc(now.items, func(u *Item) bool {
		target := u.text("TargetFunctionArn")
		return u.Type == urlType && (target == "" || target == it.PhysicalID || target == it.ARN || strings.HasPrefix(target, it.ARN+":"))
	})
}

func readForeignURL(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.lambda.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	n := shape.Properties(urlType, out, nil, urlProperties...)
	n.Set("TargetFunctionArn", cfn.Str(it.PhysicalID))
	return answer{beside: []*Item{{ID: it.ID + "/Url", Type: urlType, PhysicalID: aws.ToString(out.FunctionArn), Properties: n, Read: urlProperties}}}, nil
}

func unknownURL(it *Item, reason string) []*Item {
	return unknownBeside(it, "/Url", urlType, "TargetFunctionArn", urlProperties, reason)
}

func readURL(ctx context.Context, now *run, it *Item) (answer, error) {
	in := &lambda.GetFunctionUrlConfigInput{FunctionName: aws.String(it.text("TargetFunctionArn"))}
	if *in.FunctionName == "" {
		return answer{}, errUnnamed
	}
	if q := it.text("Qualifier"); q != "" {
		in.Qualifier = &q
	}
	out, err := now.lambda.GetFunctionUrlConfig(ctx, in)
	if err != nil {
		return answer{}, err
	}
	return answer{properties: shape.Properties(urlType, out, nil, urlProperties...)}, nil
}
