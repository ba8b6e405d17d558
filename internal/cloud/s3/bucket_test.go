package s3_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestBucketNames(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"abc", "a-b.c", "0ab", strings.Repeat("a", 63)} {
		w.bucket(t, name)
	}
	for _, name := range []string{"ab", "Abc", "a_b", "-abc", "abc-", "a..b", "192.168.5.4", "xn--abc", "abc-s3alias", "abc--ol-s3", strings.Repeat("a", 64)} {
		_, err := w.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
		refused(t, err, "InvalidBucketName", "The specified bucket is not valid.")
	}
}

// in lets a call go to a region's endpoint.
func in(region string) func(*s3.Options) { return func(o *s3.Options) { o.Region = region } }

func TestLocationConstraints(t *testing.T) {
	w := newWorld(t)
	for i, c := range []struct{ region, constraint, code, message string }{
		{"us-east-1", "", "", ""},
		{"us-east-1", "us-east-1", "InvalidLocationConstraint", "The specified location-constraint is not valid"},
		{"us-east-1", "foo", "InvalidLocationConstraint", "The specified location-constraint is not valid"},
		{"us-east-1", "us-west-2", "", ""},
		{"us-east-1", "EU", "", ""},
		{"eu-west-1", "eu-west-1", "", ""},
		{"eu-west-1", "bar", "IllegalLocationConstraintException", "The bar location constraint is incompatible for the region specific endpoint this request was sent to."},
		{"us-west-1", "us-east-1", "IllegalLocationConstraintException", "The us-east-1 location constraint is incompatible for the region specific endpoint this request was sent to."},
		{"us-west-1", "", "IllegalLocationConstraintException", "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."},
	} {
		t.Run(c.region+" "+c.constraint, func(t *testing.T) {
			name := fmt.Sprintf("bucket-%d", i)
			input := &s3.CreateBucketInput{Bucket: &name}
			if c.constraint != "" {
				input.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(c.constraint)}
			}
			_, err := w.CreateBucket(t.Context(), input, in(c.region))
			if c.code != "" {
				refused(t, err, c.code, c.message)
				return
			}
			ok(t, err)
			got, err := w.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: &name})
			ok(t, err)
			same(t, "location", string(got.LocationConstraint), c.constraint)
			head, err := w.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &name})
			ok(t, err)
			want := strings.Replace(c.constraint, "EU", "eu-west-1", 1)
			if want == "" {
				want = "us-east-1"
			}
			same(t, "region", *head.BucketRegion, want)
		})
	}
}

func TestABucketIsMadeOnce(t *testing.T) {
	w := newWorld(t)
	name := w.bucket(t, "shop")
	w.bucket(t, name) // in us-east-1 that is no error
	tags := &types.CreateBucketConfiguration{Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}
	_, err := w.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: tags})
	const message = "Your previous request to create the named bucket succeeded and you already own it."
	refused(t, err, "BucketAlreadyOwnedByYou", message)
	west := &types.CreateBucketConfiguration{LocationConstraint: "us-west-1"}
	_, err = w.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: west}, in("us-west-1"))
	refused(t, err, "BucketAlreadyOwnedByYou", message)
}

func TestBucketsAreListedByPage(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.bucket(t, fmt.Sprintf("shop-%d", i))
	}
	w.bucket(t, "other")
	var names []string
	pages := s3.NewListBucketsPaginator(w.Client, &s3.ListBucketsInput{MaxBuckets: aws.Int32(3), Prefix: aws.String("shop-")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		ok(t, err)
		for _, b := range page.Buckets {
			names = append(names, *b.Name)
			same(t, "region", *b.BucketRegion, "us-east-1")
		}
	}
	same(t, "names", strings.Join(names, " "), "shop-0 shop-1 shop-2 shop-3 shop-4 shop-5 shop-6")
	all, err := w.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	ok(t, err)
	same(t, "all", len(all.Buckets), 8)
	same(t, "region, unasked", all.Buckets[0].BucketRegion, nil)
	none, err := w.ListBuckets(t.Context(), &s3.ListBucketsInput{BucketRegion: aws.String("eu-west-1")})
	ok(t, err)
	same(t, "in another region", len(none.Buckets), 0)
	_, err = w.ListBuckets(t.Context(), &s3.ListBucketsInput{BucketRegion: aws.String("eu-east-1")})
	refused(t, err, "InvalidArgument", "Argument value eu-east-1 is not a valid AWS Region")
}

func TestOnlyAnEmptyBucketIsDeleted(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	w.put(t, b, "k", "v")
	_, err := w.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &b})
	refused(t, err, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	w.setVersioning(t, b, types.BucketVersioningStatusEnabled)
	_, err = w.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &b})
	refused(t, err, "BucketNotEmpty", "The bucket you tried to delete is not empty. You must delete all versions in the bucket.")
	_, err = w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k"), VersionId: aws.String("null")})
	ok(t, err)
	_, err = w.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &b})
	ok(t, err)
	_, err = w.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &b})
	same(t, "status", status(err), 404)
	_, err = w.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &b})
	refused(t, err, "NoSuchBucket", "The specified bucket does not exist")
}

func TestExpectedOwner(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	_, err := w.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &b, ExpectedBucketOwner: aws.String("000000000000")})
	ok(t, err)
	_, err = w.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &b, ExpectedBucketOwner: aws.String("111122223333")})
	refused(t, err, "AccessDenied", "Access Denied")
	_, err = w.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &b, ExpectedBucketOwner: aws.String("abcd")})
	refused(t, err, "InvalidBucketOwnerAWSAccountID", "The value of the expected bucket owner parameter must be an AWS Account ID... [abcd]")
}
