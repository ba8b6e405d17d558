package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestPermissions(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	fn := aws.String("fn")
	tests := []struct {
		in   lambda.AddPermissionInput
		want string
	}{
		{lambda.AddPermissionInput{Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::b")},
			`{"Sid":"s0","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + arnPrefix + `fn","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}`},
		{lambda.AddPermissionInput{Principal: aws.String("*"), SourceAccount: aws.String("111111111111"), FunctionUrlAuthType: types.FunctionUrlAuthTypeNone},
			`{"Sid":"s1","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + arnPrefix + `fn","Condition":{"StringEquals":{"AWS:SourceAccount":"111111111111","lambda:FunctionUrlAuthType":"NONE"}}}`},
		{lambda.AddPermissionInput{Principal: aws.String("111111111111"), Qualifier: aws.String("1")},
			`{"Sid":"s2","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"lambda:InvokeFunction","Resource":"` + arnPrefix + `fn:1"}`},
	}
	for i, tt := range tests {
		tt.in.FunctionName, tt.in.Action, tt.in.StatementId = fn, aws.String("lambda:InvokeFunction"), aws.String(fmt.Sprintf("s%d", i))
		if out, err := w.AddPermission(ctx, &tt.in); err != nil || *out.Statement != tt.want {
			t.Errorf("got %+v, %v; want %s", out, err, tt.want)
		}
	}
	add := func(id, who, qualifier string) error {
		_, err := w.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: fn, Action: aws.String("lambda:InvokeFunction"), StatementId: &id, Principal: &who, Qualifier: &qualifier})
		return err
	}
	wantError(t, add("s2", "*", "1"), "ResourceConflictException", "The statement id (s2) provided already exists. Please provide a new statement id, or remove the existing statement.")
	wantError(t, add("x", "*", "$LATEST"), "InvalidParameterValueException", "We currently do not support adding policies for $LATEST.")
	wantError(t, add("x", "*", "live"), "ResourceNotFoundException", "Cannot find alias arn: "+arnPrefix+"fn:live")
	wantError(t, add("x", "*", "42"), "ResourceNotFoundException", "Function not found: "+arnPrefix+"fn:42")
	wantError(t, add("x", "nobody", "1"), "InvalidParameterValueException", "The provided principal was invalid.")
	got, err := w.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: fn})
	if err != nil || *got.Policy != `{"Version":"2012-10-17","Id":"default","Statement":[`+tests[0].want+","+tests[1].want+"]}" {
		t.Errorf("policy %+v, %v", got, err)
	}
	remove := func(fn, id string) error {
		_, err := w.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &fn, StatementId: &id})
		return err
	}
	wantError(t, remove("fn", "none"), "ResourceNotFoundException", "Statement none is not found in resource policy.")
	wantError(t, remove("none", "s0"), "ResourceNotFoundException", "No policy found for: "+arnPrefix+"none")
	if err := errors.Join(remove("fn", "s0"), remove("fn", "s1")); err != nil {
		t.Fatal(err)
	}
	_, err = w.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: fn})
	wantError(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
	wantError(t, remove("fn", "s0"), "ResourceNotFoundException", "No policy is associated with the given resource.")
}

func TestPermits(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	const rule, service = "arn:aws:events:us-east-1:000000000000:rule/nightly", "events.amazonaws.com"
	for _, c := range []struct {
		name string
		in   lambda.AddPermissionInput
		want bool
	}{
		{"the service", lambda.AddPermissionInput{Principal: aws.String(service)}, true},
		{"everybody", lambda.AddPermissionInput{Principal: aws.String("*")}, true},
		{"the source", lambda.AddPermissionInput{Principal: aws.String(service), SourceArn: aws.String(rule)}, true},
		{"a pattern of sources", lambda.AddPermissionInput{Principal: aws.String(service), SourceArn: aws.String("arn:aws:events:us-east-1:000000000000:rule/n?ght*")}, true},
		{"all actions", lambda.AddPermissionInput{Principal: aws.String(service), Action: aws.String("lambda:*")}, true},
		{"the account", lambda.AddPermissionInput{Principal: aws.String(service), SourceAccount: aws.String("000000000000")}, true},
		{"another account", lambda.AddPermissionInput{Principal: aws.String(service), SourceAccount: aws.String("111111111111")}, false},
		{"another service", lambda.AddPermissionInput{Principal: aws.String("s3.amazonaws.com")}, false},
		{"an account", lambda.AddPermissionInput{Principal: aws.String("000000000000")}, false},
		{"another source", lambda.AddPermissionInput{Principal: aws.String(service), SourceArn: aws.String(rule + "s")}, false},
		{"another action", lambda.AddPermissionInput{Principal: aws.String(service), Action: aws.String("lambda:GetFunction")}, false},
		{"an organization", lambda.AddPermissionInput{Principal: aws.String("*"), PrincipalOrgID: aws.String("o-1234567890")}, false},
		{"a version", lambda.AddPermissionInput{Principal: aws.String(service), Qualifier: aws.String("1")}, false},
	} {
		fn := arnPrefix + "fn"
		c.in.FunctionName, c.in.StatementId = &fn, aws.String("s")
		if c.in.Action == nil {
			c.in.Action = aws.String("lambda:InvokeFunction")
		}
		if _, err := w.AddPermission(ctx, &c.in); err != nil {
			t.Fatal(c.name, err)
		}
		if got := w.service.Permits(fn, service, rule); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if c.in.Qualifier != nil && !w.service.Permits(fn+":1", service, rule) {
			t.Errorf("%s has no permission of its own", fn+":1")
		}
		if _, err := w.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &fn, StatementId: c.in.StatementId, Qualifier: c.in.Qualifier}); err != nil {
			t.Fatal(c.name, err)
		}
	}
	if w.service.Permits(arnPrefix+"gone", service, rule) || w.service.Permits("no:arn:at:all:is:this:one", service, rule) {
		t.Error("a function that is not there may be invoked")
	}
}

func TestLayers(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	layer := aws.String("tools")
	for i := range 2 {
		out, err := w.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{LayerName: layer, Content: &types.LayerVersionContentInput{ZipFile: zipOf(t, "nodejs/x.js", fmt.Sprint(i))},
			CompatibleRuntimes: []types.Runtime{types.RuntimeNodejs20x}})
		if err != nil || out.Version != int64(i+1) || *out.LayerVersionArn != fmt.Sprintf("arn:aws:lambda:us-east-1:000000000000:layer:tools:%d", i+1) {
			t.Fatalf("published: %+v, %v", out, err)
		}
	}
	const one, two = "arn:aws:lambda:us-east-1:000000000000:layer:tools:1", "arn:aws:lambda:us-east-1:000000000000:layer:tools:2"
	made := w.create("fn", func(in *lambda.CreateFunctionInput) { in.Layers = []string{one} })
	if len(made.Layers) != 1 || *made.Layers[0].Arn != one || made.Layers[0].CodeSize == 0 {
		t.Errorf("layers: %+v", made.Layers)
	}
	use := func(arns ...string) error {
		_, err := w.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("fn"), Layers: arns})
		return err
	}
	wantError(t, use(one, two), "InvalidParameterValueException", "Two different versions of the same layer are not allowed to be referenced in the same function. "+one+" and "+two+" are versions of the same layer.")
	wantError(t, use(strings.Replace(one, "us-east-1", "us-west-2", 1)), "InvalidParameterValueException", "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.")
	list, err := w.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: layer})
	if err != nil || len(list.LayerVersions) != 2 || list.LayerVersions[0].Version != 2 {
		t.Errorf("versions: %+v, %v", list, err)
	}
	all, err := w.ListLayers(ctx, &lambda.ListLayersInput{CompatibleRuntime: types.RuntimeNodejs20x})
	if err != nil || len(all.Layers) != 1 || all.Layers[0].LatestMatchingVersion.Version != 2 {
		t.Errorf("layers: %+v, %v", all, err)
	}
	_, err = w.GetLayerVersion(ctx, &lambda.GetLayerVersionInput{LayerName: layer, VersionNumber: aws.Int64(0)})
	wantError(t, err, "InvalidParameterValueException", "Layer Version Cannot be less than 1")
	p, err := w.AddLayerVersionPermission(ctx, &lambda.AddLayerVersionPermissionInput{LayerName: layer, VersionNumber: aws.Int64(1), StatementId: aws.String("s1"), Principal: aws.String("*"), Action: aws.String("lambda:GetLayerVersion")})
	if err != nil || *p.Statement != `{"Sid":"s1","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"`+one+`"}` {
		t.Errorf("permission: %+v, %v", p, err)
	}
	for range 2 { // the second finds nothing, which is no error
		if _, err := w.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: layer, VersionNumber: aws.Int64(2)}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: aws.String(two)})
	wantError(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
	out, err := w.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{LayerName: layer, Content: &types.LayerVersionContentInput{ZipFile: zipOf(t, "x", "")}})
	if err != nil || out.Version != 3 {
		t.Errorf("a number is used again: %+v, %v", out, err)
	}
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("fn")
	arn := aws.String(arnPrefix + "fn")
	tag := func(arn string, tags map[string]string) error {
		_, err := w.TagResource(ctx, &lambda.TagResourceInput{Resource: &arn, Tags: tags})
		return err
	}
	if err := tag(*arn, map[string]string{"a": "1", "b": "2"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UntagResource(ctx, &lambda.UntagResourceInput{Resource: arn, TagKeys: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	if out, err := w.ListTags(ctx, &lambda.ListTagsInput{Resource: arn}); err != nil || fmt.Sprint(out.Tags) != "map[b:2]" {
		t.Errorf("tags %+v, %v", out, err)
	}
	wantError(t, tag(*arn+":1", map[string]string{"a": "1"}), "InvalidParameterValueException", "Tags on function aliases and versions are not supported. Please specify a function ARN.")
	wantError(t, tag(arnPrefix+"none", map[string]string{"a": "1"}), "ResourceNotFoundException", "Function not found: "+arnPrefix+"none")
	many := map[string]string{}
	for i := range 50 {
		many[fmt.Sprint("k", i)] = ""
	}
	wantError(t, tag(*arn, many), "InvalidParameterValueException", "Number of tags exceeds resource tag limit.")
}

func TestProvisionedConcurrency(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	w.publish("fn", "// two")
	fn, live := aws.String("fn"), aws.String("live")
	if _, err := w.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: fn, Name: live, FunctionVersion: aws.String("1"), RoutingConfig: weights("2", 0.5)}); err != nil {
		t.Fatal(err)
	}
	put := func(qualifier string) error {
		_, err := w.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: fn, Qualifier: &qualifier, ProvisionedConcurrentExecutions: aws.Int32(1)})
		return err
	}
	route := func(c *types.AliasRoutingConfiguration) error {
		_, err := w.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: fn, Name: live, RoutingConfig: c})
		return err
	}
	wantError(t, put("live"), "InvalidParameterValueException", "Alias with weights can not be used with Provisioned Concurrency")
	if err := errors.Join(route(&types.AliasRoutingConfiguration{}), put("live")); err != nil {
		t.Fatal(err)
	}
	wantError(t, route(weights("2", 0.5)), "InvalidParameterValueException", "Invalid alias configuration for Provisioned Concurrency")
	wantError(t, put("1"), "ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias")
	wantError(t, put("$LATEST"), "InvalidParameterValueException", "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	got, err := w.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: fn, Qualifier: live})
	if err != nil || got.Status != types.ProvisionedConcurrencyStatusEnumReady || *got.AllocatedProvisionedConcurrentExecutions != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := w.DeleteProvisionedConcurrencyConfig(ctx, &lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: fn, Qualifier: live}); err != nil {
		t.Fatal(err)
	}
	_, err = w.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: fn, Qualifier: live})
	wantError(t, err, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function")
}

// bucket holds one object.
type bucket struct{ zip []byte }

func (b bucket) GetObject(_ context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if *in.Key != "code.zip" {
		return nil, &s3types.NoSuchKey{Message: aws.String("The specified key does not exist.")}
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(string(b.zip)))}, nil
}

func TestCodeFromS3(t *testing.T) {
	archive := zipOf(t, "index.js", "// from a bucket")
	w := newWorld(t, func(c *Config) {
		c.Objects = bucket{archive}
		c.CodeURL = func(hash string) string { return "http://here/" + hash }
	})
	ctx := context.Background()
	made := w.create("fn", func(in *lambda.CreateFunctionInput) {
		in.Code = &types.FunctionCode{S3Bucket: aws.String("bucket"), S3Key: aws.String("code.zip")}
	})
	if made.CodeSize != int64(len(archive)) {
		t.Errorf("code size %d", made.CodeSize)
	}
	_, err := w.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("fn"), S3Bucket: aws.String("bucket"), S3Key: aws.String("none")})
	wantError(t, err, "InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")
	got, err := w.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("fn")})
	if err != nil || got.Code.Location == nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	r, err := w.service.Code(strings.TrimPrefix(*got.Code.Location, "http://here/"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err != nil || string(b) != string(archive) {
		t.Errorf("downloaded %d bytes, %v", len(b), err)
	}
	if _, err := w.service.Code("../../etc/passwd"); err == nil {
		t.Error("a path is taken for a hash")
	}
}

// What nobody has any more is gone after a restart; what is used stays, a deleted layer that a function has, too.
func TestSweep(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	layer, err := w.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{LayerName: aws.String("l"), Content: &types.LayerVersionContentInput{ZipFile: zipOf(t, "x", "layer")}})
	if err != nil {
		t.Fatal(err)
	}
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish, in.Layers = true, []string{*layer.LayerVersionArn} })
	w.publish("fn", "// two")
	w.create("gone", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = zipOf(t, "index.js", "// gone") })
	_, errLayer := w.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: aws.String("l"), VersionNumber: aws.Int64(1)})
	_, errFunction := w.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("gone")})
	if err := errors.Join(errLayer, errFunction); err != nil {
		t.Fatal(err)
	}
	count := func(kind string) int {
		files, err := filepath.Glob(filepath.Join(w.cfg.Dir, "us-east-1", kind, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	if count("code") != 4 || count("unpacked") != 4 {
		t.Fatalf("%d zips, %d folders", count("code"), count("unpacked"))
	}
	w.service.Close()
	w.open()
	if count("code") != 3 || count("unpacked") != 3 {
		t.Errorf("after a restart: %d zips, %d folders", count("code"), count("unpacked"))
	}
	w.call("fn", "1")
}
