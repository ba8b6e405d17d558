package s3

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// upload is a multipart upload under way. Its key in the table is made as a version's, ending with an id that grows with time.
type upload struct {
	Key       string                  `json:"key"`
	ID        string                  `json:"id"`
	Sequence  uint64                  `json:"seq"`
	Initiated time.Time               `json:"initiated"`
	Version   *version                `json:"version"` // what the object will be, but for its bytes
	Algorithm types.ChecksumAlgorithm `json:"alg,omitempty"`
	Type      types.ChecksumType      `json:"type,omitempty"`
	Disturbed bool                    `json:"disturbed,omitempty"` // the object was deleted meanwhile
}

const maxParts = 10_000

// partKey is a part's key in the table.
func partKey(upload string, number int32) string {
	return fmt.Sprintf("%s%s%05d", upload, keyEnd, number)
}

// target says which upload a request is for.
type target struct{ bucket, key, id, expected *string }

// uploadOf returns the upload that a request is for, and its key in the table.
func (s *Service) uploadOf(tx *store.Tx, t target) (*bucket, *upload, string, error) {
	b, err := s.lookup(tx, t.bucket, t.expected)
	if err != nil {
		return nil, nil, "", err
	}
	at := versionsOf(b.Name, aws.ToString(t.key)) + aws.ToString(t.id)
	u, ok := s.uploads.Get(tx, at)
	if !ok {
		return nil, nil, "", noSuchUpload(aws.ToString(t.id))
	}
	return b, u, at, nil
}

// dropUpload removes an upload with its parts and returns the parts' blobs.
func (s *Service) dropUpload(tx *store.Tx, at string) []blob.Ref {
	var dead []blob.Ref
	for key, p := range s.parts.Prefix(tx, at+keyEnd) {
		dead = append(dead, p.Ref)
		s.parts.Delete(tx, key)
	}
	s.uploads.Delete(tx, at)
	return dead
}

// disturb tells the uploads under way for a key that it was deleted.
func (s *Service) disturb(tx *store.Tx, bucketName, key string) {
	if s.uploads.Len(tx) == 0 {
		return
	}
	for at, u := range s.uploads.Prefix(tx, versionsOf(bucketName, key)) {
		disturbed := *u
		disturbed.Disturbed = true
		s.uploads.Put(tx, at, &disturbed)
	}
}

// CreateMultipartUpload implements the S3 operation.
func (s *Service) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	u := &upload{Key: aws.ToString(in.Key), Initiated: s.now(), Algorithm: in.ChecksumAlgorithm, Type: in.ChecksumType}
	if err := firstOf(checkKey(u.Key), u.settleChecksum()); err != nil {
		return nil, err
	}
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if u.Version, err = s.described(b, uploadDescription(in)); err != nil {
		return nil, err
	}
	u.Sequence = s.sequence.Add(1)
	u.ID = newID(u.Sequence)
	err = s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := s.lookup(tx, in.Bucket, nil); err != nil {
			return err
		}
		s.uploads.Put(tx, versionsOf(b.Name, u.Key)+u.ID, u)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &s3.CreateMultipartUploadOutput{Bucket: in.Bucket, Key: in.Key, UploadId: &u.ID, ChecksumAlgorithm: u.Algorithm, ChecksumType: u.Type}
	u.Version.Crypt.answer(&out.ServerSideEncryption, &out.SSEKMSKeyId, &out.BucketKeyEnabled, &out.SSECustomerAlgorithm, &out.SSECustomerKeyMD5)
	return out, nil
}

func uploadDescription(in *s3.CreateMultipartUploadInput) description {
	return description{
		content: content{
			Type: aws.ToString(in.ContentType), Encoding: aws.ToString(in.ContentEncoding), Language: aws.ToString(in.ContentLanguage),
			Disposition: aws.ToString(in.ContentDisposition), Cache: aws.ToString(in.CacheControl), Expires: aws.ToTime(in.Expires),
			Redirect: aws.ToString(in.WebsiteRedirectLocation),
		},
		metadata: in.Metadata, tagging: in.Tagging, class: in.StorageClass,
		crypt: cryptHeaders{in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled, in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5},
		acl:   aclHeaders{string(in.ACL), in.GrantFullControl, in.GrantRead, in.GrantReadACP, nil, in.GrantWriteACP},
		lock:  lockHeaders{in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus},
	}
}

// settleChecksum fills in the type of the upload's checksum, and refuses one that its algorithm cannot have.
func (u *upload) settleChecksum() error {
	if err := checkAlgorithm(u.Algorithm); err != nil {
		return err
	}
	name := strings.ToLower(string(u.Algorithm))
	switch {
	case u.Algorithm == "" && u.Type != "":
		return invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
	case u.Algorithm == "":
		return nil
	case u.Type == "" && u.Algorithm == types.ChecksumAlgorithmCrc64nvme:
		u.Type = types.ChecksumTypeFullObject
	case u.Type == "":
		u.Type = types.ChecksumTypeComposite
	case !slices.Contains(u.Type.Values(), u.Type):
		return invalidRequest("Value for x-amz-checksum-type header is invalid.")
	case u.Type == types.ChecksumTypeFullObject && !joinable(u.Algorithm), u.Type == types.ChecksumTypeComposite && u.Algorithm == types.ChecksumAlgorithmCrc64nvme:
		return invalidRequest("The %s checksum type cannot be used with the %s checksum algorithm.", u.Type, name)
	}
	return nil
}

// forPart returns the upload that a part is for, after checking what can be known before the part's bytes.
func (s *Service) forPart(t target, number *int32, crypt cryptHeaders, algorithm types.ChecksumAlgorithm) (u *upload, err error) {
	if n := aws.ToInt32(number); n < 1 || n > maxParts {
		return nil, invalidArgument("partNumber", strconv.Itoa(int(n)), "Part number must be an integer between 1 and 10000, inclusive")
	}
	s.db.View(func(tx *store.Tx) { _, u, _, err = s.uploadOf(tx, t) })
	if err != nil {
		return nil, err
	}
	if u.Algorithm != "" && algorithm != "" && algorithm != u.Algorithm {
		return nil, invalidRequest("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
			strings.ToLower(string(u.Algorithm)), strings.ToLower(string(algorithm)))
	}
	key := u.Version.Crypt.CustomerMD5
	switch {
	case (key != "") != crypt.customer():
		return nil, invalidRequest("The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.")
	case key == "":
		return u, nil
	}
	if err := crypt.checkCustomerKey(); err != nil {
		return nil, err
	}
	if *crypt.customerMD5 != key {
		return nil, invalidRequest("The provided encryption parameters did not match the ones used originally.")
	}
	return u, nil
}

// UploadPart implements the S3 operation.
func (s *Service) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	to := target{in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner}
	given := checksumMembers{&in.ChecksumCRC32, &in.ChecksumCRC32C, &in.ChecksumCRC64NVME, &in.ChecksumSHA1, &in.ChecksumSHA256}
	algorithm, _, err := given.given()
	if err := firstOf(err, unknownSums(in.ChecksumMD5, in.ChecksumSHA512, in.ChecksumXXHASH128, in.ChecksumXXHASH3, in.ChecksumXXHASH64)); err != nil {
		return nil, err
	}
	if algorithm == "" {
		algorithm = in.ChecksumAlgorithm
	}
	crypt := cryptHeaders{customerAlgorithm: in.SSECustomerAlgorithm, customerKey: in.SSECustomerKey, customerMD5: in.SSECustomerKeyMD5}
	u, err := s.forPart(to, in.PartNumber, crypt, algorithm)
	if err != nil {
		return nil, err
	}
	got, err := s.receive(incoming{body: in.Body, md5: in.ContentMD5, hint: in.ChecksumAlgorithm, sums: given, part: true}, u.Algorithm)
	if err != nil {
		return nil, err
	}
	p, err := s.addPart(ctx, to, u, *in.PartNumber, got)
	if err != nil {
		return nil, err
	}
	out := &s3.UploadPartOutput{ETag: quoted(p.ETag)}
	if u.Algorithm != "" || got.given {
		checksumMembers{&out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME, &out.ChecksumSHA1, &out.ChecksumSHA256}.
			set(got.algorithm, got.checksum)
	}
	u.Version.Crypt.answer(&out.ServerSideEncryption, &out.SSEKMSKeyId, &out.BucketKeyEnabled, &out.SSECustomerAlgorithm, &out.SSECustomerKeyMD5)
	return out, nil
}

// addPart puts what was received into the upload, in the place of an earlier part of that number.
func (s *Service) addPart(ctx context.Context, t target, u *upload, number int32, got received) (*part, error) {
	p := &part{
		Number: number, Size: got.size, Modified: s.now(), Ref: got.ref,
		ETag: u.Version.Crypt.etag(hex.EncodeToString(got.md5)),
	}
	if u.Algorithm != "" {
		p.Checksum = got.checksum
	} else {
		p.Hidden = got.hidden
	}
	var displaced []blob.Ref
	err := s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		_, _, at, err := s.uploadOf(tx, t)
		if err != nil {
			return err
		}
		if old, ok := s.parts.Get(tx, partKey(at, number)); ok {
			displaced = append(displaced, old.Ref)
		}
		s.parts.Put(tx, partKey(at, number), p)
		return nil
	})
	if err != nil {
		s.release(got.ref)
		return nil, err
	}
	s.release(displaced...)
	return p, nil
}

// AbortMultipartUpload implements the S3 operation.
func (s *Service) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	var dead []blob.Ref
	err := s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		_, u, at, err := s.uploadOf(tx, target{in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner})
		if err != nil {
			return err
		}
		if t := in.IfMatchInitiatedTime; t != nil && !t.Equal(u.Initiated) {
			return preconditionFailed("x-amz-if-match-initiated-time")
		}
		dead = s.dropUpload(tx, at)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.release(dead...)
	return &s3.AbortMultipartUploadOutput{}, nil
}
