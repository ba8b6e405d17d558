package s3

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// partsPage is one page of a listing of parts.
type partsPage struct {
	parts        []part
	limit        int32
	truncated    bool
	marker, next string
}

// pageOfParts returns the page of parts, in their order, that follows the part of the marker's number.
func pageOfParts(parts []part, limit *int32, marker *string) (partsPage, error) {
	n, err := pageLimit("max-parts", limit)
	if err != nil {
		return partsPage{}, err
	}
	after := 0
	if m := aws.ToString(marker); m != "" {
		if after, err = strconv.Atoi(m); err != nil || after < 0 {
			return partsPage{}, invalidArgument("part-number-marker", m, "Argument part-number-marker must be an integer between 0 and 2147483647")
		}
	}
	p := partsPage{limit: int32(n), marker: strconv.Itoa(after), next: "0"}
	for _, c := range parts {
		if int(c.Number) <= after {
			continue
		}
		if len(p.parts) == n {
			p.truncated = true
			break
		}
		p.parts = append(p.parts, c)
		p.next = strconv.Itoa(int(c.Number))
	}
	return p, nil
}

func initiator() *types.Initiator { return &types.Initiator{ID: aws.String(owner)} }

// ListParts implements the S3 operation.
func (s *Service) ListParts(_ context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	var u *upload
	var parts []part
	var err error
	s.db.View(func(tx *store.Tx) {
		var at string
		if _, u, at, err = s.uploadOf(tx, target{in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner}); err != nil {
			return
		}
		for _, p := range s.parts.Prefix(tx, at+keyEnd) {
			parts = append(parts, *p)
		}
	})
	if err != nil {
		return nil, err
	}
	page, err := pageOfParts(parts, in.MaxParts, in.PartNumberMarker)
	if err != nil {
		return nil, err
	}
	out := &s3.ListPartsOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, Owner: bucketOwner(), Initiator: initiator(),
		StorageClass: types.StorageClass(u.Version.class()), ChecksumAlgorithm: u.Algorithm, ChecksumType: u.Type,
		MaxParts: &page.limit, IsTruncated: &page.truncated, PartNumberMarker: &page.marker, NextPartNumberMarker: &page.next,
	}
	for _, p := range page.parts {
		e := types.Part{PartNumber: aws.Int32(p.Number), Size: aws.Int64(p.Size), ETag: quoted(p.ETag), LastModified: aws.Time(p.Modified)}
		checksumMembers{&e.ChecksumCRC32, &e.ChecksumCRC32C, &e.ChecksumCRC64NVME, &e.ChecksumSHA1, &e.ChecksumSHA256}.set(u.Algorithm, p.Checksum)
		out.Parts = append(out.Parts, e)
	}
	return out, nil
}

// ListMultipartUploads implements the S3 operation.
func (s *Service) ListMultipartUploads(_ context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	limit, err := pageLimit("max-uploads", in.MaxUploads)
	if err := firstOf(err, checkEncoding(in.EncodingType)); err != nil {
		return nil, err
	}
	keyMarker, idMarker := aws.ToString(in.KeyMarker), aws.ToString(in.UploadIdMarker)
	if keyMarker == "" {
		idMarker = ""
	}
	enc := encoding(in.EncodingType)
	p := &page{prefix: aws.ToString(in.Prefix), delimiter: aws.ToString(in.Delimiter), limit: limit}
	out := &s3.ListMultipartUploadsOutput{
		Bucket: in.Bucket, Prefix: enc.optional(in.Prefix), Delimiter: enc.optional(in.Delimiter), EncodingType: in.EncodingType,
		KeyMarker: enc.key(keyMarker), UploadIdMarker: &idMarker, NextKeyMarker: aws.String(""), NextUploadIdMarker: aws.String(""),
		MaxUploads: aws.Int32(int32(limit)), IsTruncated: &p.truncated,
	}
	s.db.View(func(tx *store.Tx) {
		var b *bucket
		if b, err = s.lookup(tx, in.Bucket, in.ExpectedBucketOwner); err == nil {
			err = s.listUploads(tx, b, keyMarker, idMarker, p, func(u *upload) {
				out.NextKeyMarker, out.NextUploadIdMarker = enc.key(u.Key), &u.ID
				out.Uploads = append(out.Uploads, types.MultipartUpload{
					Key: enc.key(u.Key), UploadId: &u.ID, Initiated: &u.Initiated, Owner: bucketOwner(), Initiator: initiator(),
					StorageClass: types.StorageClass(u.Version.class()), ChecksumAlgorithm: u.Algorithm, ChecksumType: u.Type,
				})
			})
		}
	})
	if err != nil {
		return nil, err
	}
	out.CommonPrefixes = enc.groups(p.groups)
	return out, nil
}

// listUploads yields the uploads of the page that follows one of them; without an id, that follows all of the key.
func (s *Service) listUploads(tx *store.Tx, b *bucket, keyMarker, idMarker string, p *page, yield func(*upload)) error {
	from := p.start(b.Name, keyMarker)
	if idMarker != "" {
		at := versionsOf(b.Name, keyMarker) + idMarker
		if _, ok := s.uploads.Get(tx, at); !ok && !validID(idMarker) || !ok && s.elsewhere(tx, b, idMarker) {
			return invalidArgument("upload-id-marker", idMarker, "Invalid uploadId marker")
		}
		from = at + keyEnd
	}
	scope := objectsOf(b.Name)
	for seeking := true; seeking; {
		seeking = false
		for k, u := range s.uploads.Ascend(tx, from) {
			if !strings.HasPrefix(k, scope) {
				break
			}
			verdict := p.visit(u.Key)
			if verdict == over {
				break
			}
			if verdict == taken {
				yield(u)
				continue
			}
			from, seeking = afterGroup(b.Name, p.groups[len(p.groups)-1]), true
			break
		}
	}
	return nil
}

// elsewhere reports whether an upload of that id is under way for another key.
func (s *Service) elsewhere(tx *store.Tx, b *bucket, id string) bool {
	for _, u := range s.uploads.Prefix(tx, objectsOf(b.Name)) {
		if u.ID == id {
			return true
		}
	}
	return false
}
