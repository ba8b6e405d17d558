package s3

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// minPartSize is the least size of a part that is not the last.
const minPartSize = 5 << 20

// CompleteMultipartUpload implements the S3 operation. The object refers to its parts' bytes where they lie.
func (s *Service) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	key := aws.ToString(in.Key)
	conditions := writeConditions{in.IfMatch, in.IfNoneMatch}
	if err := conditions.check(); err != nil {
		return nil, err
	}
	var v *version
	var b *bucket
	var dead []blob.Ref
	err := s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		var u *upload
		var at string
		var err error
		if b, u, at, err = s.uploadOf(tx, target{in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner}); err != nil {
			return err
		}
		chosen, err := s.chosenParts(tx, u, at, in)
		if err != nil {
			return err
		}
		if v, err = u.completed(chosen, in); err != nil {
			return err
		}
		if err := conditions.hold(s.current(tx, b, key), key, u.Sequence); err != nil {
			return err
		}
		if u.Disturbed && conditions.any() {
			return conditionalConflict(key, conditions.name())
		}
		dead = s.dropUpload(tx, at)
		s.retain(v.refs()) // beside the parts' own references, which go now
		dead = append(dead, s.install(tx, b, key, v)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.release(dead...)
	out := &s3.CompleteMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, ETag: quoted(v.ETag), Location: aws.String(location(ctx, b.Name, key)),
		ChecksumType: v.Checksum.Type, Expiration: b.expiration(key, v),
	}
	checksumMembers{&out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME, &out.ChecksumSHA1, &out.ChecksumSHA256}.
		set(v.Checksum.Algorithm, v.Checksum.Value)
	var customer *string // not in this answer
	v.Crypt.answer(&out.ServerSideEncryption, &out.SSEKMSKeyId, &out.BucketKeyEnabled, &customer, &customer)
	if !v.Null {
		out.VersionId = &v.ID
	}
	return out, nil
}

func (c writeConditions) name() string {
	if c.ifMatch != nil {
		return "If-Match"
	}
	return "If-None-Match"
}

// location is the object's URL, as the caller addressed the cloud.
func location(ctx context.Context, bucketName, key string) string {
	info := call.From(ctx)
	u := url.URL{Scheme: "http", Host: info.Host, Path: "/" + bucketName + "/" + key}
	if info.Secure {
		u.Scheme = "https"
	}
	if info.Host == "" {
		u.Host = "s3.amazonaws.com"
	}
	if strings.HasPrefix(u.Host, bucketName+".") {
		u.Path = "/" + key
	}
	return u.String()
}

func invalidPart(upload string, number int32, etag string) error {
	return failure(400, "InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
		"UploadId", upload, "PartNumber", strconv.Itoa(int(number)), "ETag", etag)
}

// chosenParts returns the parts that a completion names, checked one by one.
func (s *Service) chosenParts(tx *store.Tx, u *upload, at string, in *s3.CompleteMultipartUploadInput) ([]part, error) {
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, invalidRequest("You must specify at least one part")
	}
	if in.ChecksumType != "" && in.ChecksumType != u.Type {
		mode := string(u.Type)
		if mode == "" {
			mode = "null"
		}
		return nil, invalidRequest("The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", mode)
	}
	var chosen []part
	last := int32(0)
	for _, c := range in.MultipartUpload.Parts {
		number := aws.ToInt32(c.PartNumber)
		if number <= last {
			return nil, failure(400, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.", "UploadId", u.ID)
		}
		last = number
		etag := strings.Trim(aws.ToString(c.ETag), `"`)
		p, ok := s.parts.Get(tx, partKey(at, number))
		if !ok || p.ETag != etag {
			return nil, invalidPart(u.ID, number, etag)
		}
		if err := u.checkPart(p, c); err != nil {
			return nil, err
		}
		chosen = append(chosen, *p)
	}
	for _, p := range chosen[:len(chosen)-1] {
		if p.Size < minPartSize {
			return nil, failure(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", "ETag", p.ETag,
				"MinSizeAllowed", strconv.Itoa(minPartSize), "PartNumber", strconv.Itoa(int(p.Number)), "ProposedSize", strconv.FormatInt(p.Size, 10))
		}
	}
	return chosen, nil
}

// checkPart compares the checksum that a completion gives for a part with the part's.
func (u *upload) checkPart(p *part, c types.CompletedPart) error {
	algorithm, value, err := checksumMembers{&c.ChecksumCRC32, &c.ChecksumCRC32C, &c.ChecksumCRC64NVME, &c.ChecksumSHA1, &c.ChecksumSHA256}.given()
	switch {
	case err != nil:
		return err
	case algorithm == "" && u.Type == types.ChecksumTypeComposite:
		return invalidRequest("The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.",
			strings.ToLower(string(u.Algorithm)), p.Number)
	case algorithm == "":
		return nil
	case u.Algorithm != "" && algorithm != u.Algorithm:
		return failure(400, "BadDigest", "The "+strings.ToLower(string(algorithm))+" you specified for part "+strconv.Itoa(int(p.Number))+" did not match what we received.")
	case value != p.Checksum:
		return invalidPart(u.ID, p.Number, p.ETag)
	}
	return nil
}

// completed returns the object that the parts make.
func (u *upload) completed(parts []part, in *s3.CompleteMultipartUploadInput) (*version, error) {
	v := *u.Version
	v.Parts, v.Multipart, v.Modified = parts, true, u.Initiated
	etags := md5.New()
	pieces := make([]piece, len(parts))
	for i, p := range parts {
		v.Size += p.Size
		sum, _ := hex.DecodeString(p.ETag)
		etags.Write(sum)
		pieces[i] = piece{p.Checksum, p.Size}
		if u.Algorithm == "" {
			pieces[i].sum = p.Hidden
			v.Parts[i].Hidden = ""
		}
	}
	count := "-" + strconv.Itoa(len(parts))
	v.ETag = hex.EncodeToString(etags.Sum(nil)) + count
	v.Checksum = checksum{Algorithm: u.Algorithm, Type: u.Type}
	switch u.Type {
	case types.ChecksumTypeComposite:
		v.Checksum.Value = composite(u.Algorithm, pieces) + count
	case types.ChecksumTypeFullObject:
		v.Checksum.Value = joined(u.Algorithm, pieces)
	default:
		v.Checksum = checksum{Algorithm: defaultAlgorithm, Type: types.ChecksumTypeFullObject, Value: joined(defaultAlgorithm, pieces)}
	}
	if want := in.MpuObjectSize; want != nil && *want != v.Size {
		return nil, invalidRequest("The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", *want, v.Size)
	}
	algorithm, value, err := checksumMembers{&in.ChecksumCRC32, &in.ChecksumCRC32C, &in.ChecksumCRC64NVME, &in.ChecksumSHA1, &in.ChecksumSHA256}.given()
	if err != nil {
		return nil, err
	}
	if algorithm != "" && (algorithm != v.Checksum.Algorithm || strings.TrimSuffix(value, count) != strings.TrimSuffix(v.Checksum.Value, count)) {
		return nil, failure(400, "BadDigest", "The "+strings.ToLower(string(v.Checksum.Algorithm))+" you specified did not match the calculated checksum.")
	}
	return &v, nil
}
