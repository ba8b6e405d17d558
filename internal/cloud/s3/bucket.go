package s3

import (
	"context"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// bucket is a bucket with its documents. One in the table is never changed: [Service.change] puts a copy in its place.
type bucket struct {
	Name     string    `json:"name"`
	Region   string    `json:"region"`
	Location string    `json:"location,omitempty"` // the constraint that it was made with
	Created  time.Time `json:"created"`

	Versioning   string                                `json:"versioning,omitempty"` // empty: never turned on
	Ownership    types.ObjectOwnership                 `json:"ownership,omitempty"`  // empty: the controls were deleted
	ACL          []grant                               `json:"acl,omitempty"`        // nil: the owner's full control
	PublicAccess *types.PublicAccessBlockConfiguration `json:"publicAccess,omitempty"`
	Encryption   *types.ServerSideEncryptionRule       `json:"encryption,omitempty"` // nil: SSE-S3
	Policy       string                                `json:"policy,omitempty"`
	Tags         []types.Tag                           `json:"tags,omitempty"`
	CORS         []types.CORSRule                      `json:"cors,omitempty"`
	Lifecycle    *lifecycle                            `json:"lifecycle,omitempty"`
	Website      *types.WebsiteConfiguration           `json:"website,omitempty"`
	Logging      *types.LoggingEnabled                 `json:"logging,omitempty"`
	Replication  *types.ReplicationConfiguration       `json:"replication,omitempty"`
	Payer        types.Payer                           `json:"payer,omitempty"`
	Accelerate   types.BucketAccelerateStatus          `json:"accelerate,omitempty"`
	Lock         *types.ObjectLockConfiguration        `json:"lock,omitempty"`
}

const (
	versioningEnabled   = string(types.BucketVersioningStatusEnabled)
	versioningSuspended = string(types.BucketVersioningStatusSuspended)
)

func bucketARN(name string) string { return "arn:aws:s3:::" + name }

var accountID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{12}$`) })

// lookup returns the bucket of that name, after checking that it belongs to whom the caller expects.
func (s *Service) lookup(tx *store.Tx, name, expected *string) (*bucket, error) {
	if expected != nil && *expected != call.Account {
		if !accountID().MatchString(*expected) {
			return nil, failure(400, "InvalidBucketOwnerAWSAccountID",
				"The value of the expected bucket owner parameter must be an AWS Account ID... ["+*expected+"]")
		}
		return nil, failure(403, "AccessDenied", "Access Denied")
	}
	if b, ok := s.buckets.Get(tx, aws.ToString(name)); ok {
		return b, nil
	}
	return nil, noSuchBucket(aws.ToString(name))
}

// view returns a bucket as it is now.
func (s *Service) view(name, expected *string) (b *bucket, err error) {
	s.db.View(func(tx *store.Tx) { b, err = s.lookup(tx, name, expected) })
	return b, err
}

// change lets f change a copy of a bucket, and puts that in the bucket's place.
func (s *Service) change(ctx context.Context, name, expected *string, f func(tx *store.Tx, b *bucket) error) error {
	return s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err := s.lookup(tx, name, expected)
		if err != nil {
			return err
		}
		changed := *b
		if err := f(tx, &changed); err != nil {
			return err
		}
		s.buckets.Put(tx, changed.Name, &changed)
		return nil
	})
}

// edit changes a bucket's description for an operation whose answer says nothing.
func edit[Output any](ctx context.Context, s *Service, name, expected *string, f func(tx *store.Tx, b *bucket) error) (*Output, error) {
	if err := s.change(ctx, name, expected, f); err != nil {
		return nil, err
	}
	return new(Output), nil
}

var (
	bucketName  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`) })
	ipv4Address = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$`) })
)

// validBucketName applies the rules for names of general purpose buckets.
func validBucketName(name string) bool {
	if !bucketName().MatchString(name) || strings.Contains(name, "..") || ipv4Address().MatchString(name) {
		return false
	}
	for _, p := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	for _, p := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, p) {
			return false
		}
	}
	return true
}

// CreateBucket implements the S3 operation.
func (s *Service) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	name := aws.ToString(in.Bucket)
	if !validBucketName(name) {
		return nil, failure(400, "InvalidBucketName", "The specified bucket is not valid.", "BucketName", name)
	}
	b, err := newBucket(name, in)
	if err != nil {
		return nil, err
	}
	b.Created = s.now()
	if err := firstOf(b.place(regionOf(ctx), in.CreateBucketConfiguration), b.own(in)); err != nil {
		return nil, err
	}
	if c := in.CreateBucketConfiguration; c != nil && len(c.Tags) > 0 {
		if err := checkTags(c.Tags, bucketCreation, call.Internal(ctx)); err != nil {
			return nil, err
		}
		b.Tags = sortedTags(c.Tags)
	}
	err = s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		old, ok := s.buckets.Get(tx, name)
		if !ok {
			s.buckets.Put(tx, name, b)
			return nil
		}
		// In us-east-1, and only there, making a bucket that one has already does nothing, successfully.
		if old.Region == call.DefaultRegion && b.Region == call.DefaultRegion && len(b.Tags) == 0 {
			return nil
		}
		return failure(409, "BucketAlreadyOwnedByYou",
			"Your previous request to create the named bucket succeeded and you already own it.", "BucketName", name)
	})
	if err != nil {
		return nil, err
	}
	location := "/" + name
	if b.Region != call.DefaultRegion {
		location = "http://" + name + ".s3.amazonaws.com/"
	}
	return &s3.CreateBucketOutput{Location: &location, BucketArn: aws.String(bucketARN(name))}, nil
}

// newBucket returns a bucket with the documents that a new one has.
func newBucket(name string, in *s3.CreateBucketInput) (*bucket, error) {
	if c := in.CreateBucketConfiguration; c != nil && (c.Bucket != nil || c.Location != nil) {
		return nil, failure(501, "NotImplemented", "evo has general purpose buckets only, no directory buckets")
	}
	if in.BucketNamespace != "" && in.BucketNamespace != types.BucketNamespaceGlobal {
		return nil, failure(501, "NotImplemented", "evo has the global namespace of buckets only")
	}
	b := &bucket{
		Name: name, Ownership: types.ObjectOwnershipBucketOwnerEnforced,
		PublicAccess: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true),
			IgnorePublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
		},
	}
	if aws.ToBool(in.ObjectLockEnabledForBucket) {
		b.Versioning = versioningEnabled
		b.Lock = &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}
	}
	return b, nil
}

// place finds the bucket's region, from that of the endpoint and the constraint.
func (b *bucket) place(endpoint string, c *types.CreateBucketConfiguration) error {
	var constraint types.BucketLocationConstraint
	if c != nil {
		constraint = c.LocationConstraint
	}
	b.Region, b.Location = endpoint, string(constraint)
	switch {
	case endpoint != call.DefaultRegion && constraint == "":
		constraint = "unspecified"
		fallthrough
	case endpoint != call.DefaultRegion && string(constraint) != endpoint && !(constraint == "EU" && endpoint == "eu-west-1"):
		return failure(400, "IllegalLocationConstraintException", "The "+string(constraint)+
			" location constraint is incompatible for the region specific endpoint this request was sent to.")
	case constraint == "" || endpoint != call.DefaultRegion:
		return nil
	case string(constraint) == call.DefaultRegion || !slices.Contains(constraint.Values(), constraint):
		return failure(400, "InvalidLocationConstraint", "The specified location-constraint is not valid",
			"LocationConstraint", string(constraint))
	}
	b.Region = string(constraint)
	if constraint == "EU" {
		b.Region = "eu-west-1"
	}
	return nil
}

// own sets who owns the bucket's objects, and its ACL, from the headers.
func (b *bucket) own(in *s3.CreateBucketInput) error {
	if in.ObjectOwnership != "" {
		if !slices.Contains(in.ObjectOwnership.Values(), in.ObjectOwnership) {
			return invalidArgument("x-amz-object-ownership", "", "Invalid x-amz-object-ownership header: "+string(in.ObjectOwnership))
		}
		b.Ownership = in.ObjectOwnership
	}
	acl := aclHeaders{string(in.ACL), in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWrite, in.GrantWriteACP}
	if acl.none() || in.ACL == types.BucketCannedACLPrivate || ownersOnly(acl, nil) {
		return nil
	}
	if b.Ownership == types.ObjectOwnershipBucketOwnerEnforced {
		return failure(400, "InvalidBucketAclWithObjectOwnership",
			"Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	}
	grants, err := acl.grants(bucketACLs)
	if err != nil {
		return err
	}
	if anyPublic(grants) { // the new bucket's public access block is on
		return failure(400, "InvalidBucketAclWithBlockPublicAccessError", "Bucket cannot have public ACLs set with BlockPublicAccess enabled")
	}
	b.ACL = grants
	return nil
}

// HeadBucket implements the S3 operation.
func (s *Service) HeadBucket(_ context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.HeadBucketOutput{
		AccessPointAlias: aws.Bool(false), BucketRegion: &b.Region, BucketArn: aws.String(bucketARN(b.Name)),
	}, nil
}

// GetBucketLocation implements the S3 operation.
func (s *Service) GetBucketLocation(_ context.Context, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	location := b.Location
	if location == "" && b.Region != call.DefaultRegion {
		location = b.Region
	}
	return &s3.GetBucketLocationOutput{LocationConstraint: types.BucketLocationConstraint(location)}, nil
}

// OfAWS tells whether a bucket is one that AWS's services keep for themselves: on AWS it is in an account of theirs, and no list
// has it.
func OfAWS(name string) bool { return strings.HasPrefix(name, "awsserverlessrepo-") }

// ListBuckets implements the S3 operation.
func (s *Service) ListBuckets(_ context.Context, in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	limit := int(aws.ToInt32(in.MaxBuckets))
	if in.MaxBuckets != nil && (limit < 1 || limit > 10_000) {
		return nil, invalidArgument("max-buckets", "", "Argument max-buckets must be an integer between 1 and 10000")
	}
	if in.MaxBuckets == nil {
		limit = 10_000
	}
	if region := types.BucketLocationConstraint(aws.ToString(in.BucketRegion)); region != "" && region != call.DefaultRegion &&
		!slices.Contains(region.Values(), region) {
		return nil, invalidArgument("bucket-region", "", "Argument value "+string(region)+" is not a valid AWS Region")
	}
	after, err := base64.StdEncoding.DecodeString(aws.ToString(in.ContinuationToken))
	if err != nil {
		return nil, invalidArgument("continuation-token", "", "The continuation token provided is incorrect")
	}
	paged := in.MaxBuckets != nil || in.BucketRegion != nil || in.Prefix != nil || in.ContinuationToken != nil
	out := &s3.ListBucketsOutput{Buckets: []types.Bucket{}, Owner: &types.Owner{ID: aws.String(owner)}, Prefix: in.Prefix}
	s.db.View(func(tx *store.Tx) {
		last := ""
		for name, b := range s.buckets.Ascend(tx, string(after)) {
			if name == string(after) || OfAWS(name) || !strings.HasPrefix(name, aws.ToString(in.Prefix)) ||
				in.BucketRegion != nil && b.Region != *in.BucketRegion {
				continue
			}
			if len(out.Buckets) == limit {
				out.ContinuationToken = aws.String(base64.StdEncoding.EncodeToString([]byte(last)))
				return
			}
			entry := types.Bucket{Name: &b.Name, CreationDate: &b.Created, BucketArn: aws.String(bucketARN(name))}
			if paged {
				entry.BucketRegion = &b.Region
			}
			out.Buckets = append(out.Buckets, entry)
			last = name
		}
	})
	return out, nil
}

// DeleteBucket implements the S3 operation. Multipart uploads under way end with the bucket.
func (s *Service) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	var dead []blob.Ref
	err := s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err := s.lookup(tx, in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		for range s.objects.Prefix(tx, objectsOf(b.Name)) {
			message := "The bucket you tried to delete is not empty"
			if b.Versioning != "" {
				message += ". You must delete all versions in the bucket."
			}
			return failure(409, "BucketNotEmpty", message, "BucketName", b.Name)
		}
		for key := range s.uploads.Prefix(tx, objectsOf(b.Name)) {
			dead = append(dead, s.dropUpload(tx, key)...)
		}
		s.buckets.Delete(tx, b.Name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.release(dead...)
	return &s3.DeleteBucketOutput{}, nil
}

// now returns the time to the second, which is as fine as S3's dates are.
func (s *Service) now() time.Time { return s.clock.Now().UTC().Truncate(time.Second) }

// Created returns when a bucket was made; the zero time if it is not there.
func (s *Service) Created(bucketName string) time.Time {
	b, err := s.view(&bucketName, nil)
	if err != nil {
		return time.Time{}
	}
	return b.Created
}
