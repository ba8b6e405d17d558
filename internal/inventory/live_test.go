package inventory_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cfn"
	"evo/internal/inventory"
)

// A stack as it was deployed has not drifted, whatever is asked for.
func TestDeployedIsNoDrift(t *testing.T) {
	for name, body := range map[string]string{"plain": plain, "full": full} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.stack(name, body)
			live := w.reader().Live(t.Context(), s.Items)
			for _, d := range inventory.Compare(s.Items, live) {
				if d.Kind == inventory.Undetermined && d.Path == "Environment.Variables.SECRET" {
					continue // the parameter is not shown
				}
				t.Errorf("%s %s is %s: %s to %s %s", d.ID, d.Path, d.Kind, text(d.Desired), text(d.Live), d.Reason)
			}
			for _, it := range live {
				if !cfn.Known(it.Properties) {
					t.Logf("%s: %v", it.ID, cfn.Unknowns(it.Properties))
				}
			}
		})
	}
}

func text(n *cfn.Node) string {
	if n == nil {
		return "nothing"
	}
	b, err := n.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// What a template leaves open is told as the service has it, in CloudFormation's shape.
func TestLive(t *testing.T) {
	w := newWorld(t)
	plainly := w.reader().Live(t.Context(), w.stack("plain", plain).Items)
	s := w.stack("full", full)
	buckets, logs := s3.NewFromConfig(w.cfg), find(t, s.Items, "Logs").PhysicalID
	must(t)(buckets.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: &logs}))
	must(t)(buckets.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: &logs, ACL: s3types.BucketCannedACLPublicRead}))
	fully := w.reader().Live(t.Context(), s.Items)
	for _, c := range []struct {
		items    []*inventory.Item
		id, path string
		want     string // JSON; nothing: absent
	}{
		{plainly, "Bucket", "BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.SSEAlgorithm", `"AES256"`},
		{plainly, "Bucket", "LoggingConfiguration", "nothing"},
		{plainly, "Bucket", "VersioningConfiguration", "nothing"},
		{plainly, "Bucket", "AccessControl", `"Private"`},
		{plainly, "Bucket", "Tags", `[{"Key":"team","Value":"shop"}]`},
		{plainly, "Table", "BillingMode", `"PROVISIONED"`},
		{plainly, "Table", "SSESpecification", `{"SSEEnabled":false}`},
		{plainly, "Table", "PointInTimeRecoverySpecification", `{"PointInTimeRecoveryEnabled":false}`},
		{plainly, "Table", "TimeToLiveSpecification", "nothing"},
		{plainly, "Function", "MemorySize", `128`},
		{plainly, "Function", "TracingConfig", `{"Mode":"PassThrough"}`},
		{plainly, "Function", "ReservedConcurrentExecutions", "nothing"},
		{plainly, "Alarm", "ActionsEnabled", "true"},
		{plainly, "Group", "RetentionInDays", "nothing"},
		{fully, "Bucket", "BucketEncryption.ServerSideEncryptionConfiguration", `[{"BucketKeyEnabled":true,"ServerSideEncryptionByDefault":{"KMSMasterKeyID":"arn:aws:kms:us-east-1:000000000000:key/1","SSEAlgorithm":"aws:kms"}}]`},
		{fully, "Bucket", "PublicAccessBlockConfiguration", `{"BlockPublicAcls":true,"BlockPublicPolicy":true,"IgnorePublicAcls":true,"RestrictPublicBuckets":true}`},
		{fully, "Bucket", "VersioningConfiguration.Status", `"Enabled"`},
		{fully, "Bucket", "LoggingConfiguration.LogFilePrefix", `"pictures/"`},
		{fully, "Logs", "AccessControl", `"PublicRead"`},
		{fully, "Locked", "ObjectLockEnabled", "true"},
		{fully, "Table", "SSESpecification.SSEEnabled", "true"},
		{fully, "Table", "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", "true"},
		{fully, "OnDemand", "BillingMode", `"PAY_PER_REQUEST"`},
		{fully, "OnDemand", "ProvisionedThroughput", "nothing"},
		{fully, "Reads", "MaxCapacity", "10"},
		{fully, "Function", "ReservedConcurrentExecutions", "3"},
		{fully, "Function", "Environment.Variables.SECRET", `"hush"`},
		{fully, "Permission", "Principal", `"apigateway.amazonaws.com"`},
		{fully, "RestStage", "MethodSettings.0.LoggingLevel", `"ERROR"`},
		{fully, "Route", "AuthorizationType", `"AWS_IAM"`},
		{fully, "Role", "ManagedPolicyArns", `["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]`},
		{fully, "Deploys", "AlarmConfiguration.Alarms", `[{"Name":"search-errors"}]`},
	} {
		if got := text(at(find(t, c.items, c.id).Properties, c.path)); got != c.want {
			t.Errorf("%s.%s is %s, want %s", c.id, c.path, got, c.want)
		}
	}
	if got := find(t, fully, "Bucket").Supplementary; text(got.Get("MFADelete")) != "false" {
		t.Errorf("supplementary facts of the bucket: %s", text(got))
	}
	if got := find(t, fully, "Logs").Supplementary; text(got.Get("Grants")) != `[{"Grantee":"AllUsers","Permission":"READ"}]` {
		t.Errorf("grants of the log bucket: %s", text(got))
	}
	if got := text(find(t, fully, "Function").Supplementary.Get("Policy")); !strings.Contains(got, "apigateway.amazonaws.com") {
		t.Errorf("the policy of a function whose alias may be called: %s", got)
	}
	account := w.reader().Account(t.Context(), s, func(rule string) bool { return rule == "dynamodb-throughput-limit-check" })
	for name, want := range map[string]string{"AccountId": `"000000000000"`, "AccountMaxReadCapacityUnits": "80000", "ProvisionedReadCapacityUnits": "5"} {
		if got := text(account.Get(name)); got != want {
			t.Errorf("the account's %s is %s", name, got)
		}
	}
	if q := find(t, fully, "Queue"); q.Read != nil {
		t.Errorf("there is no reader for queues, and yet %v", q.Read)
	}
	if u := find(t, fully, "Url"); u.Read != nil || u.Missing {
		t.Errorf("a cloud that has no URLs of functions has none to read: %+v", u)
	}
}

// at follows keys and places in lists, with dots between them.
func at(n *cfn.Node, path string) *cfn.Node {
	for _, key := range strings.Split(path, ".") {
		if n.Is(cfn.List) {
			n = n.Items[key[0]-'0']
			continue
		}
		n = n.Get(key)
	}
	return n
}

// What somebody changes by hand is told; and so is what configures a resource from outside the template.
func TestDrift(t *testing.T) {
	w := newWorld(t)
	s := w.stack("full", full)
	buckets, functions := s3.NewFromConfig(w.cfg), lambda.NewFromConfig(w.cfg)
	replica := find(t, s.Items, "Replica").PhysicalID
	must(t)(buckets.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: &replica}))
	must(t)(buckets.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String("shop-pictures")}))
	must(t)(buckets.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &replica,
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusSuspended}}))
	must(t)(buckets.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &replica, Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + replica + `/*"}]}`)}))
	must(t)(functions.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("search"), MemorySize: aws.Int32(512)}))
	must(t)(functions.AddPermission(t.Context(), &lambda.AddPermissionInput{FunctionName: aws.String("search"), StatementId: aws.String("everybody"),
		Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("*")}))
	must(t)(functions.DeleteAlias(t.Context(), &lambda.DeleteAliasInput{FunctionName: aws.String("search"), Name: aws.String("live")}))

	live := w.reader().Live(t.Context(), s.Items)
	var got []string
	for _, d := range inventory.Compare(s.Items, live) {
		if d.Kind != inventory.Undetermined {
			got = append(got, strings.TrimSpace(d.ID+" "+d.Path)+" "+d.Kind.String())
		}
	}
	slices.Sort(got)
	want := []string{"Alias removed", "BucketPolicy removed", "Function MemorySize changed", "Function/Permission/everybody added",
		"Permission removed", "Replica VersioningConfiguration.Status changed", "Replica/Policy added"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p := find(t, live, "Replica/Policy"); p.Properties.At("PolicyDocument").Get("Statement") == nil || p.Properties.Get("Bucket").Str() != replica {
		t.Errorf("the bucket's policy is %s", text(p.Properties))
	}
}

func must(t *testing.T) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A read that fails makes unknown what it would have given, says why, and spoils nothing else.
func TestFailedReads(t *testing.T) { synctest.Test(t, testFailedReads) }

func testFailedReads(t *testing.T) {
	w := newWorld(t)
	s := w.stack("full", full)
	w.calls.faults = map[string]func(*http.Request) error{
		"S3 GetBucketEncryption": denied, "S3 GetBucketPolicy": denied, "DynamoDB DescribeContinuousBackups": hang, "Lambda GetPolicy": denied,
		"DynamoDB ListTagsOfResource": throttled, "IAM GetRole": denied, "Application Auto Scaling DescribeScalableTargets": denied,
	}
	live := w.reader().Live(t.Context(), s.Items)
	for _, c := range []struct{ id, path, reason string }{
		{"Bucket", "BucketEncryption", "S3 GetBucketEncryption: AccessDenied: not authorized"},
		{"BucketPolicy", "PolicyDocument", "S3 GetBucketPolicy: AccessDenied: not authorized"},
		{"Logs/Policy", "PolicyDocument", "S3 GetBucketPolicy: AccessDenied: not authorized"},
		{"Table", "PointInTimeRecoverySpecification", "DynamoDB DescribeContinuousBackups: no answer within 5s"},
		{"Table", "Tags", "DynamoDB ListTagsOfResource: ThrottlingException: Rate exceeded"},
		{"Role", "AssumeRolePolicyDocument", "IAM GetRole: AccessDenied: not authorized"},
		{"Permission", "Principal", "Lambda GetPolicy: AccessDenied: not authorized"},
		{"Function/Permission", "Principal", "Lambda GetPolicy: AccessDenied: not authorized"},
		{"Table/Scaling", "MaxCapacity", "Application Auto Scaling DescribeScalableTargets: AccessDenied: not authorized"},
	} {
		n := find(t, live, c.id).Properties.Get(c.path)
		if reason, ok := inventory.Reason(n); !ok || !strings.HasPrefix(reason, c.reason) {
			t.Errorf("%s.%s is %s, want it unknown because of %q", c.id, c.path, text(n), c.reason)
		}
	}
	for id, path := range map[string]string{"Bucket": "VersioningConfiguration.Status", "Table": "SSESpecification.SSEEnabled", "Role": "ManagedPolicyArns"} {
		if n := at(find(t, live, id).Properties, path); n == nil || !cfn.Known(n) {
			t.Errorf("%s.%s is %s, though its read did not fail", id, path, text(n))
		}
	}
	for _, d := range inventory.Compare(s.Items, live) {
		if d.Kind != inventory.Undetermined {
			t.Errorf("%s %s is %s, and nothing has changed", d.ID, d.Path, d.Kind)
		}
	}
}

// Many resources are read with a bound on how many at a time.
func TestConcurrency(t *testing.T) {
	w := newWorld(t)
	s := w.stack("plain", plain)
	var now, most int
	w.calls.gauge = func(d int) {
		now += d
		most = max(most, now)
	}
	r := w.reader()
	r.Concurrency = 3
	r.Live(t.Context(), s.Items)
	if most == 0 || most > 3 {
		t.Errorf("%d calls at a time, want at most 3", most)
	}
}
