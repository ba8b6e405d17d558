package cloudformation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	controls = "OwnershipControls: {Rules: [{ObjectOwnership: %s}]}"
	unblock  = "PublicAccessBlockConfiguration: {BlockPublicAcls: false}"
)

// A bucket's ACL depends on who owns its objects and on what is blocked, both ways, when it is made and when it changes.
func TestBucketAccess(t *testing.T) {
	writer, preferred, enforced := fmt.Sprintf(controls, "ObjectWriter"), fmt.Sprintf(controls, "BucketOwnerPreferred"), fmt.Sprintf(controls, "BucketOwnerEnforced")
	for _, c := range []struct {
		name   string
		states []string // of the bucket's properties, one after the other
		grants int      // to others than the owner, in the end
		failed string   // what the last state fails with
	}{
		{"public read", []string{"AccessControl: PublicRead, " + writer + ", " + unblock}, 1, ""},
		{"public read and write", []string{"AccessControl: PublicReadWrite, " + preferred + ", " + unblock}, 2, ""},
		{"log delivery", []string{"AccessControl: LogDeliveryWrite, " + writer}, 2, ""},
		{"log delivery behind a block", []string{"AccessControl: LogDeliveryWrite, " + preferred + ", PublicAccessBlockConfiguration: {BlockPublicAcls: true}"}, 2, ""},
		{"the owner's", []string{"AccessControl: BucketOwnerFullControl"}, 0, ""},
		{"private", []string{"AccessControl: Private, " + enforced}, 0, ""},
		{"without controls", []string{"AccessControl: PublicRead, " + unblock}, 0, "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"},
		{"blocked", []string{"AccessControl: PublicRead, " + writer}, 0, "Bucket cannot have public ACLs set with BlockPublicAccess enabled"},
		{"opened", []string{"", "AccessControl: PublicRead, " + writer + ", " + unblock}, 1, ""},
		{"closed", []string{"AccessControl: PublicRead, " + writer + ", " + unblock, enforced}, 0, ""},
		{"closed, and said so", []string{"AccessControl: PublicRead, " + writer + ", " + unblock, "AccessControl: Private, " + enforced}, 0, ""},
		{"without ACL again", []string{"AccessControl: PublicRead, " + writer + ", " + unblock, writer}, 0, ""},
		{"another ACL", []string{"AccessControl: PublicRead, " + writer + ", " + unblock, "AccessControl: LogDeliveryWrite, " + writer}, 2, ""},
		{"opened, and rolled back", []string{writer, "AccessControl: PublicRead, " + writer + ", LoggingConfiguration: {DestinationBucketName: none}, " + unblock}, 0, "The target bucket for logging does not exist"},
		{"closed, and rolled back", []string{"AccessControl: PublicRead, " + writer + ", " + unblock, enforced + ", LoggingConfiguration: {DestinationBucketName: none}"}, 1, "The target bucket for logging does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cl := newCloud(t)
				defer cl.stop()
				var st types.Stack
				for i, properties := range c.states {
					st = cl.apply("s", `{Resources: {B: {Type: "AWS::S3::Bucket", Properties: {Tags: [{Key: n, Value: `+fmt.Sprint(i)+`}], `+properties+`}}}, Outputs: {B: {Value: !Ref B}}}`)
					refused, last := strings.HasSuffix(string(st.StackStatus), "ROLLBACK_COMPLETE"), i == len(c.states)-1
					if refused != (last && c.failed != "") {
						t.Fatalf("%s\n%s", st.StackStatus, strings.Join(cl.events("s", "B"), "\n"))
					}
				}
				if events := strings.Join(cl.events("s", "B"), "\n"); !strings.Contains(events, c.failed) {
					t.Errorf("events lack %q:\n%s", c.failed, events)
				}
				if st.StackStatus == types.StackStatusRollbackComplete {
					return
				}
				acl, err := cl.s3.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: aws.String(outputs(st)["B"])})
				cl.need(err)
				others := slices.DeleteFunc(acl.Grants, func(g s3types.Grant) bool { return g.Grantee.Type == s3types.TypeCanonicalUser })
				if len(others) != c.grants {
					t.Errorf("others have %d grants, want %d", len(others), c.grants)
				}
			})
		})
	}
}
