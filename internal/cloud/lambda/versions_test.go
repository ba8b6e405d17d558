package lambda

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func TestVersions(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	fn := aws.String("fn")
	made := w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	if *made.Version != "1" || *made.FunctionArn != arnPrefix+"fn" {
		t.Errorf("created: version %s, %s", *made.Version, *made.FunctionArn)
	}
	again, err := w.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: fn, Description: aws.String("other")})
	if err != nil || *again.Version != "1" || *again.Description != "" {
		t.Errorf("unchanged, and published as %v, %v", again, err)
	}
	_, err = w.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: fn, CodeSha256: aws.String("other")})
	wantError(t, err, "InvalidParameterValueException", "CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ("+*made.CodeSha256+"). Please try again with the CodeSHA256 in $LATEST.")
	_, err = w.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: fn, RevisionId: aws.String("stale")})
	wantError(t, err, "PreconditionFailedException", "The Revision Id provided does not match")

	if _, err := w.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: fn, MemorySize: aws.Int32(256)}); err != nil {
		t.Fatal(err)
	}
	second, err := w.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: fn, Description: aws.String("second")})
	if err != nil || *second.Version != "2" || *second.Description != "second" || *second.MemorySize != 256 || *second.FunctionArn != arnPrefix+"fn:2" {
		t.Errorf("second: %+v, %v", second, err)
	}
	if v := w.publish("fn", "// three"); v != "3" {
		t.Errorf("third: %s", v)
	}
	first, err := w.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: fn, Qualifier: aws.String("1")})
	if err != nil || *first.MemorySize != 128 {
		t.Errorf("the first version has changed: %+v, %v", first, err)
	}
	if _, err := w.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: fn, Qualifier: aws.String("3")}); err != nil {
		t.Fatal(err)
	}
	// A number is not used again.
	if v := w.publish("fn", "// four"); v != "4" {
		t.Errorf("fourth: %s", v)
	}
	_, err = w.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: fn, Qualifier: aws.String("$LATEST")})
	wantError(t, err, "InvalidParameterValueException", "$LATEST version cannot be deleted without deleting the function.")

	var numbers []string
	pages := lambda.NewListVersionsByFunctionPaginator(w, &lambda.ListVersionsByFunctionInput{FunctionName: fn, MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		p, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range p.Versions {
			numbers = append(numbers, *v.Version)
		}
	}
	if fmt.Sprint(numbers) != "[$LATEST 1 2 4]" {
		t.Errorf("versions %v", numbers)
	}
	_, err = w.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: fn, Qualifier: aws.String("9")})
	wantError(t, err, "ResourceNotFoundException", "Function not found: "+arnPrefix+"fn:9")
}

func weights(version string, weight float64) *types.AliasRoutingConfiguration {
	return &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{version: weight}}
}

func TestAliases(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	fn, live := aws.String("fn"), aws.String("live")
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	w.publish("fn", "// two")
	made, err := w.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: fn, Name: live, FunctionVersion: aws.String("1"), RoutingConfig: weights("2", 0.25)})
	if err != nil || *made.AliasArn != arnPrefix+"fn:live" || made.RoutingConfig.AdditionalVersionWeights["2"] != 0.25 {
		t.Fatalf("created: %+v, %v", made, err)
	}
	_, err = w.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: fn, Name: live, FunctionVersion: aws.String("1")})
	wantError(t, err, "ResourceConflictException", "Alias already exists: "+arnPrefix+"fn:live")
	_, err = w.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: fn, Name: live, FunctionVersion: aws.String("2"), RevisionId: aws.String("stale")})
	wantError(t, err, "PreconditionFailedException", "Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	_, err = w.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: fn, Name: live, FunctionVersion: aws.String("2")})
	wantError(t, err, "InvalidParameterValueException", "Invalid function version 2. Function version 2 is already included in routing configuration.")
	_, err = w.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: fn, Qualifier: aws.String("2")})
	wantError(t, err, "ResourceConflictException", "is currently used by the alias live")

	// An empty map clears the weights; leaving the routing out keeps them.
	kept, err := w.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: fn, Name: live, Description: aws.String("d"), RevisionId: made.RevisionId})
	if err != nil || kept.RoutingConfig == nil || *kept.RevisionId == *made.RevisionId {
		t.Fatalf("kept: %+v, %v", kept, err)
	}
	done, err := w.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: fn, Name: live, FunctionVersion: aws.String("2"), RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}}})
	if err != nil || done.RoutingConfig != nil || *done.FunctionVersion != "2" || *done.Description != "d" {
		t.Fatalf("cleared: %+v, %v", done, err)
	}
	list, err := w.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: fn, FunctionVersion: aws.String("2")})
	if err != nil || len(list.Aliases) != 1 || *list.Aliases[0].RevisionId != *done.RevisionId {
		t.Errorf("listed: %+v, %v", list, err)
	}
	if out := w.call(arnPrefix+"fn:live", ""); *out.ExecutedVersion != "2" || string(out.Payload) != `{"arn":"`+arnPrefix+`fn:live","version":"2"}` {
		t.Errorf("invoked: %s %s", *out.ExecutedVersion, out.Payload)
	}
	if _, err := w.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: fn, Name: live}); err != nil {
		t.Fatal(err)
	}
	_, err = w.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: fn, Name: live})
	wantError(t, err, "ResourceNotFoundException", "Cannot find alias arn: "+arnPrefix+"fn:live")
	_, err = w.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: fn, Name: live})
	wantError(t, err, "ResourceNotFoundException", "Alias not found: "+arnPrefix+"fn:live")
}

func TestAliasRefusals(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	w.publish("fn", "// two")
	if _, err := w.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("fn"), Role: aws.String(role + "-other")}); err != nil {
		t.Fatal(err)
	}
	w.publish("fn", "// three has another role")
	if _, err := w.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("fn"), Role: aws.String(role),
		DeadLetterConfig: &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:us-east-1:000000000000:q")}}); err != nil {
		t.Fatal(err)
	}
	w.publish("fn", "// four has a dead letter queue")
	tests := []struct {
		name, fn, version string
		routing           *types.AliasRoutingConfiguration
		code, message     string
	}{
		{"no function", "none", "1", nil, "ResourceNotFoundException", "Function not found: " + arnPrefix + "none:1"},
		{"no version", "fn", "10", nil, "ResourceNotFoundException", "Function not found: " + arnPrefix + "fn:10"},
		{"no second version", "fn", "1", weights("10", 0.5), "ResourceNotFoundException", "Function not found: " + arnPrefix + "fn:10"},
		{"two more", "fn", "1", &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.1, "3": 0.1}}, "InvalidParameterValueException", "Number of items in AdditionalVersionWeights cannot be greater than 1"},
		{"the same", "fn", "1", weights("1", 0.5), "InvalidParameterValueException", "Invalid function version 1. Function version 1 is already included in routing configuration."},
		{"$LATEST", "fn", "$LATEST", weights("1", 0.5), "InvalidParameterValueException", "$LATEST is not supported for an alias pointing to more than 1 version"},
		{"$LATEST second", "fn", "1", weights("$LATEST", 0.5), "ValidationException", "routingConfig.additionalVersionWeights"},
		{"too heavy", "fn", "1", weights("2", 1.5), "ValidationException", "less than or equal to 1.0"},
		{"negative", "fn", "1", weights("2", -0.5), "ValidationException", "greater than or equal to 0.0"},
		{"another role", "fn", "1", weights("3", 0.5), "InvalidParameterValueException", "the same execution role"},
		{"another dead letter queue", "fn", "1", weights("4", 0.5), "InvalidParameterValueException", "the same dead-letter queue"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &tt.fn, Name: aws.String("live"), FunctionVersion: &tt.version, RoutingConfig: tt.routing})
			wantError(t, err, tt.code, tt.message)
		})
	}
	if _, err := w.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("fn"), Name: aws.String("late"), FunctionVersion: aws.String("$LATEST")}); err != nil {
		t.Errorf("an alias of $LATEST alone: %v", err)
	}
}

// Over 100,000 invocations each share is as a binomial distribution allows: within five standard deviations.
func TestWeightedRouting(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	w := newWorld(t, func(c *Config) { c.Random = random.Float64 })
	ctx := context.Background()
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	w.publish("fn", "// two")
	if _, err := w.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("fn"), Name: aws.String("live"), FunctionVersion: aws.String("1")}); err != nil {
		t.Fatal(err)
	}
	const n = 100_000
	for _, weight := range []float64{0, 0.01, 0.1, 0.5, 0.9, 1} {
		if _, err := w.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: aws.String("fn"), Name: aws.String("live"), RoutingConfig: weights("2", weight)}); err != nil {
			t.Fatal(err)
		}
		hits := 0
		for range n {
			v, err := w.service.route(name{"fn", "live"})
			if err != nil {
				t.Fatal(err)
			}
			if v.Number == "2" {
				hits++
			}
		}
		if off := math.Abs(float64(hits) - n*weight); off > 5*math.Sqrt(n*weight*(1-weight)) {
			t.Errorf("weight %v: %d of %d", weight, hits, n)
		}
	}
}
