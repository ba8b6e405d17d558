package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

const (
	trust    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"apigateway:PUT","Resource":"arn:aws:apigateway:us-east-1::/tags/arn%3Aaws%3Aapigateway"}]}`
	basic    = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
)

// served is a service behind a real client, which reaches it through the wire layer.
type served struct {
	*iam.Client
	svc *Service
}

func serve(t *testing.T) served {
	t.Helper()
	svc, err := New(Config{Store: store.Memory(), Clock: clock.NewStepped(time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC))})
	if err != nil {
		t.Fatal(err)
	}
	return served{iam.NewFromConfig(wiretest.Config(t, wiretest.Serve{"iam": svc})), svc}
}

// ok calls an operation that may not fail.
func ok[I, O any](t *testing.T, op func(context.Context, *I, ...func(*iam.Options)) (*O, error), in I) *O {
	t.Helper()
	out, err := op(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fails calls an operation that must fail, with a code and a message.
func fails[I, O any](t *testing.T, op func(context.Context, *I, ...func(*iam.Options)) (*O, error), in I, want string) {
	t.Helper()
	_, err := op(t.Context(), &in)
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode()+": "+e.ErrorMessage() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestRoles(t *testing.T) {
	s := serve(t)
	created := ok(t, s.CreateRole, iam.CreateRoleInput{RoleName: ptr("f-role"), Path: ptr("/app/"), AssumeRolePolicyDocument: ptr(trust), Tags: []types.Tag{{Key: ptr("test"), Value: ptr("value")}}}).Role
	if *created.Arn != "arn:aws:iam::000000000000:role/app/f-role" || !strings.HasPrefix(*created.RoleId, "AROA") || len(*created.RoleId) != 21 || created.MaxSessionDuration != nil || len(created.Tags) != 1 {
		t.Errorf("created: %+v", created)
	}
	fails(t, s.CreateRole, iam.CreateRoleInput{RoleName: ptr("F-Role"), AssumeRolePolicyDocument: ptr(trust)}, "EntityAlreadyExists: Role with name F-Role already exists.")
	fails(t, s.CreateRole, iam.CreateRoleInput{RoleName: ptr("x"), AssumeRolePolicyDocument: ptr(`{"Version":`)}, "MalformedPolicyDocument: This policy contains invalid Json")
	got := ok(t, s.GetRole, iam.GetRoleInput{RoleName: ptr("f-role")}).Role
	if *got.MaxSessionDuration != 3600 || got.RoleLastUsed == nil || !strings.HasPrefix(*got.AssumeRolePolicyDocument, "%7B%22Version%22%3A%222012-10-17%22%2C") {
		t.Errorf("got: %+v %s", got, *got.AssumeRolePolicyDocument)
	}
	fails(t, s.GetRole, iam.GetRoleInput{RoleName: ptr("none")}, "NoSuchEntity: The role with name none cannot be found.")
	ok(t, s.PutRolePolicy, iam.PutRolePolicyInput{RoleName: ptr("f-role"), PolicyName: ptr("inline"), PolicyDocument: ptr(document)})
	inline := ok(t, s.GetRolePolicy, iam.GetRolePolicyInput{RoleName: ptr("f-role"), PolicyName: ptr("inline")})
	if !strings.Contains(*inline.PolicyDocument, "arn%253Aaws%253Aapigateway") {
		t.Errorf("an encoded document: %s", *inline.PolicyDocument)
	}
	fails(t, s.PutRolePolicy, iam.PutRolePolicyInput{RoleName: ptr("f-role"), PolicyName: ptr("bad"), PolicyDocument: ptr(`{"Statement":[{"Effect":"Allow","Action":"s3:*"}]}`)}, "MalformedPolicyDocument: Policy statement must contain resources.")
	fails(t, s.GetRolePolicy, iam.GetRolePolicyInput{RoleName: ptr("f-role"), PolicyName: ptr("bad")}, "NoSuchEntity: The role policy with name bad cannot be found.")
	ok(t, s.AttachRolePolicy, iam.AttachRolePolicyInput{RoleName: ptr("f-role"), PolicyArn: ptr(basic)})
	ok(t, s.AttachRolePolicy, iam.AttachRolePolicyInput{RoleName: ptr("f-role"), PolicyArn: ptr(basic)})
	fails(t, s.AttachRolePolicy, iam.AttachRolePolicyInput{RoleName: ptr("f-role"), PolicyArn: ptr("longpolicynamebutnoarn")}, "ValidationError: Invalid ARN:  Could not be parsed!")
	for _, name := range []string{"NoSuchPolicy", "AWSLambdaBasicExecutionRole", "service-role/", "adminISTRATORAccess"} { // the path belongs to the name
		none := "arn:aws:iam::aws:policy/" + name
		fails(t, s.AttachRolePolicy, iam.AttachRolePolicyInput{RoleName: ptr("f-role"), PolicyArn: ptr(none)}, "NoSuchEntity: Policy "+none+" does not exist or is not attachable.")
		fails(t, s.GetPolicy, iam.GetPolicyInput{PolicyArn: ptr(none)}, "NoSuchEntity: Policy "+none+" was not found.")
	}
	fails(t, s.AttachRolePolicy, iam.AttachRolePolicyInput{RoleName: ptr("f-role"), PolicyArn: ptr("arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy")},
		"PolicyNotAttachable: Cannot attach a Service Role Policy to a Customer Role.")
	fails(t, s.AttachRolePolicy, iam.AttachRolePolicyInput{RoleName: ptr("f-role"), PolicyArn: ptr("arn:aws:iam::000000000000:policy/none")}, "NoSuchEntity: Policy arn:aws:iam::000000000000:policy/none does not exist or is not attachable.")
	if a := ok(t, s.ListAttachedRolePolicies, iam.ListAttachedRolePoliciesInput{RoleName: ptr("f-role")}).AttachedPolicies; len(a) != 1 || *a[0].PolicyName != "AWSLambdaBasicExecutionRole" {
		t.Errorf("attached: %+v", a)
	}
	fails(t, s.DeleteRole, iam.DeleteRoleInput{RoleName: ptr("f-role")}, "DeleteConflict: Cannot delete entity, must detach all policies first.")
	ok(t, s.DetachRolePolicy, iam.DetachRolePolicyInput{RoleName: ptr("f-role"), PolicyArn: ptr(basic)})
	fails(t, s.DetachRolePolicy, iam.DetachRolePolicyInput{RoleName: ptr("f-role"), PolicyArn: ptr(basic)}, "NoSuchEntity: Policy "+basic+" was not found.")
	fails(t, s.DeleteRole, iam.DeleteRoleInput{RoleName: ptr("f-role")}, "DeleteConflict: Cannot delete entity, must delete policies first.")
	ok(t, s.DeleteRolePolicy, iam.DeleteRolePolicyInput{RoleName: ptr("f-role"), PolicyName: ptr("inline")})
	ok(t, s.CreateInstanceProfile, iam.CreateInstanceProfileInput{InstanceProfileName: ptr("p")})
	ok(t, s.AddRoleToInstanceProfile, iam.AddRoleToInstanceProfileInput{InstanceProfileName: ptr("p"), RoleName: ptr("f-role")})
	fails(t, s.DeleteRole, iam.DeleteRoleInput{RoleName: ptr("f-role")}, "DeleteConflict: Cannot delete entity, must remove roles from instance profile first.")
	ok(t, s.RemoveRoleFromInstanceProfile, iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: ptr("p"), RoleName: ptr("f-role")})
	ok(t, s.TagRole, iam.TagRoleInput{RoleName: ptr("f-role"), Tags: []types.Tag{{Key: ptr("Test"), Value: ptr("new")}, {Key: ptr("b"), Value: ptr("c")}}})
	ok(t, s.UntagRole, iam.UntagRoleInput{RoleName: ptr("f-role"), TagKeys: []string{"b"}})
	if tags := ok(t, s.ListRoleTags, iam.ListRoleTagsInput{RoleName: ptr("f-role")}).Tags; len(tags) != 1 || *tags[0].Value != "new" {
		t.Errorf("tags: %+v", tags)
	}
	ok(t, s.UpdateRole, iam.UpdateRoleInput{RoleName: ptr("f-role"), MaxSessionDuration: ptr(int32(7200))})
	ok(t, s.UpdateAssumeRolePolicy, iam.UpdateAssumeRolePolicyInput{RoleName: ptr("f-role"), PolicyDocument: ptr(trust)})
	if id, longest, found := s.svc.Role("arn:aws:iam::000000000000:role/app/f-role"); !found || id != *created.RoleId || longest != 2*time.Hour {
		t.Errorf("Role: %s %v %v", id, longest, found)
	}
	if arn := "arn:aws:iam::000000000000:role/app/f-role"; !s.svc.Assumable(t.Context(), arn, "lambda.amazonaws.com") || s.svc.Assumable(t.Context(), arn, "ec2.amazonaws.com") || s.svc.Assumable(t.Context(), arn+"x", "lambda.amazonaws.com") {
		t.Error("Assumable is wrong")
	}
	ok(t, s.DeleteRole, iam.DeleteRoleInput{RoleName: ptr("f-role")})
	fails(t, s.DeleteRole, iam.DeleteRoleInput{RoleName: ptr("f-role")}, "NoSuchEntity: The role with name f-role cannot be found.")
}

func TestListRolesPages(t *testing.T) {
	s := serve(t)
	for i := range 5 {
		path := "/"
		if i%2 == 0 {
			path = "/even/"
		}
		ok(t, s.CreateRole, iam.CreateRoleInput{RoleName: ptr(fmt.Sprint("r", i)), Path: ptr(path), AssumeRolePolicyDocument: ptr(trust)})
	}
	var got []string
	p := iam.NewListRolesPaginator(s.Client, &iam.ListRolesInput{MaxItems: ptr(int32(2)), PathPrefix: ptr("/even")})
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Roles {
			got = append(got, *r.RoleName)
		}
	}
	if strings.Join(got, " ") != "r0 r2 r4" {
		t.Errorf("got %v", got)
	}
}

func TestPolicies(t *testing.T) {
	s := serve(t)
	p := ok(t, s.CreatePolicy, iam.CreatePolicyInput{PolicyName: ptr("p"), PolicyDocument: ptr(document)}).Policy
	if *p.Arn != "arn:aws:iam::000000000000:policy/p" || *p.DefaultVersionId != "v1" || !p.IsAttachable || *p.AttachmentCount != 0 {
		t.Errorf("%+v", p)
	}
	fails(t, s.CreatePolicy, iam.CreatePolicyInput{PolicyName: ptr("P"), PolicyDocument: ptr(document)}, "EntityAlreadyExists: A policy called P already exists. Duplicate names are not allowed.")
	for range 4 {
		ok(t, s.CreatePolicyVersion, iam.CreatePolicyVersionInput{PolicyArn: p.Arn, PolicyDocument: ptr(document), SetAsDefault: true})
	}
	fails(t, s.CreatePolicyVersion, iam.CreatePolicyVersionInput{PolicyArn: p.Arn, PolicyDocument: ptr(document)}, "LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.")
	fails(t, s.DeletePolicyVersion, iam.DeletePolicyVersionInput{PolicyArn: p.Arn, VersionId: ptr("v5")}, "DeleteConflict: Cannot delete the default version of a policy.")
	ok(t, s.CreateRole, iam.CreateRoleInput{RoleName: ptr("r"), AssumeRolePolicyDocument: ptr(trust)})
	ok(t, s.AttachRolePolicy, iam.AttachRolePolicyInput{RoleName: ptr("r"), PolicyArn: p.Arn})
	fails(t, s.DeletePolicy, iam.DeletePolicyInput{PolicyArn: p.Arn}, "DeleteConflict: Cannot delete a policy attached to entities.")
	if n := *ok(t, s.GetPolicy, iam.GetPolicyInput{PolicyArn: p.Arn}).Policy.AttachmentCount; n != 1 {
		t.Errorf("attached to %d", n)
	}
	if e := ok(t, s.ListEntitiesForPolicy, iam.ListEntitiesForPolicyInput{PolicyArn: p.Arn}); len(e.PolicyRoles) != 1 {
		t.Errorf("entities: %+v", e)
	}
	ok(t, s.DetachRolePolicy, iam.DetachRolePolicyInput{RoleName: ptr("r"), PolicyArn: p.Arn})
	for _, v := range []string{"v1", "v2", "v3", "v4"} {
		ok(t, s.DeletePolicyVersion, iam.DeletePolicyVersionInput{PolicyArn: p.Arn, VersionId: ptr(v)})
	}
	ok(t, s.DeletePolicy, iam.DeletePolicyInput{PolicyArn: p.Arn})
	fails(t, s.DeletePolicy, iam.DeletePolicyInput{PolicyArn: p.Arn}, "NoSuchEntity: Policy arn:aws:iam::000000000000:policy/p was not found.")
	if aws := ok(t, s.GetPolicy, iam.GetPolicyInput{PolicyArn: ptr(basic)}).Policy; *aws.PolicyName != "AWSLambdaBasicExecutionRole" || *aws.Path != "/service-role/" {
		t.Errorf("a policy of AWS: %+v", aws)
	}
	if v := ok(t, s.GetPolicyVersion, iam.GetPolicyVersionInput{PolicyArn: ptr(basic), VersionId: ptr("v1")}).PolicyVersion; !strings.Contains(*v.Document, "logs%3APutLogEvents") {
		t.Errorf("its document: %s", *v.Document)
	}
	fails(t, s.DeletePolicy, iam.DeletePolicyInput{PolicyArn: ptr(basic)}, "AccessDenied: Cannot perform the operation on the protected policy "+basic+".")
}

func TestUsersAndKeys(t *testing.T) {
	s := serve(t)
	u := ok(t, s.CreateUser, iam.CreateUserInput{UserName: ptr("ann")}).User
	ok(t, s.AttachUserPolicy, iam.AttachUserPolicyInput{UserName: ptr("ann"), PolicyArn: ptr("arn:aws:iam::aws:policy/AdministratorAccess")})
	key := ok(t, s.CreateAccessKey, iam.CreateAccessKeyInput{UserName: ptr("ann")}).AccessKey
	if secret, token, found := s.svc.Secret(*key.AccessKeyId); !found || secret != *key.SecretAccessKey || token != "" || len(secret) != 40 {
		t.Errorf("Secret: %q %q %v", secret, token, found)
	}
	if arn, id, found := s.svc.KeyOwner(*key.AccessKeyId); !found || arn != *u.Arn || id != *u.UserId {
		t.Errorf("KeyOwner: %s %s %v", arn, id, found)
	}
	ok(t, s.UpdateAccessKey, iam.UpdateAccessKeyInput{UserName: ptr("ann"), AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive})
	if _, _, found := s.svc.Secret(*key.AccessKeyId); found {
		t.Error("an inactive key is known")
	}
	fails(t, s.DeleteUser, iam.DeleteUserInput{UserName: ptr("ann")}, "DeleteConflict: Cannot delete entity, must detach all policies first.")
	ok(t, s.DetachUserPolicy, iam.DetachUserPolicyInput{UserName: ptr("ann"), PolicyArn: ptr("arn:aws:iam::aws:policy/AdministratorAccess")})
	fails(t, s.DeleteUser, iam.DeleteUserInput{UserName: ptr("ann")}, "DeleteConflict: Cannot delete entity, must delete access keys first.")
	ok(t, s.DeleteAccessKey, iam.DeleteAccessKeyInput{UserName: ptr("ann"), AccessKeyId: key.AccessKeyId})
	ok(t, s.DeleteUser, iam.DeleteUserInput{UserName: ptr("ann")})
	fails(t, s.GetUser, iam.GetUserInput{UserName: ptr("ann")}, "NoSuchEntity: The user with name ann cannot be found.")
	if root := ok(t, s.GetUser, iam.GetUserInput{}).User; *root.Arn != "arn:aws:iam::000000000000:root" {
		t.Errorf("the caller: %+v", root)
	}
}

func TestAWSPolicies(t *testing.T) {
	if !slices.IsSorted(awsPolicyNames) || len(awsPolicyNames) < 1500 {
		t.Fatalf("%d names, sorted: %v", len(awsPolicyNames), slices.IsSorted(awsPolicyNames))
	}
	for _, name := range []string{"AdministratorAccess", "service-role/AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "job-function/ViewOnlyAccess"} {
		if !isAWSPolicy(name) {
			t.Errorf("%s is missing", name)
		}
	}
}
