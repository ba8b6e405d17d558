package s3

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// maxObjectSize is the most that one PUT may bring.
const maxObjectSize = 5 << 30

// PutObject implements the S3 operation.
func (s *Service) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	key := aws.ToString(in.Key)
	if err := firstOf(unknownSums(in.ChecksumMD5, in.ChecksumSHA512, in.ChecksumXXHASH128, in.ChecksumXXHASH3, in.ChecksumXXHASH64), unserved(in)); err != nil {
		return nil, err
	}
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	v, err := s.described(b, putDescription(in))
	if err != nil {
		return nil, err
	}
	conditions := writeConditions{in.IfMatch, in.IfNoneMatch}
	if err := firstOf(checkKey(key), conditions.check(), checkMD5(in.ContentMD5)); err != nil {
		return nil, err
	}
	body := incoming{
		body: in.Body, md5: in.ContentMD5, hint: in.ChecksumAlgorithm,
		sums: checksumMembers{&in.ChecksumCRC32, &in.ChecksumCRC32C, &in.ChecksumCRC64NVME, &in.ChecksumSHA1, &in.ChecksumSHA256},
	}
	got, err := s.receive(body, "")
	if err != nil {
		return nil, err
	}
	v.take(got)
	var displaced []blob.Ref
	err = s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err = s.lookup(tx, in.Bucket, nil)
		if err != nil {
			return err
		}
		if conditions.any() {
			if err := conditions.hold(s.current(tx, b, key), key, 0); err != nil {
				return err
			}
		}
		displaced = s.install(tx, b, key, v)
		return nil
	})
	if err != nil {
		s.release(got.ref)
		return nil, err
	}
	s.release(displaced...)
	out := &s3.PutObjectOutput{ETag: quoted(v.ETag), ChecksumType: v.Checksum.Type, Expiration: b.expiration(key, v)}
	checksumMembers{&out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME, &out.ChecksumSHA1, &out.ChecksumSHA256}.
		set(v.Checksum.Algorithm, v.Checksum.Value)
	v.Crypt.answer(&out.ServerSideEncryption, &out.SSEKMSKeyId, &out.BucketKeyEnabled, &out.SSECustomerAlgorithm, &out.SSECustomerKeyMD5)
	if !v.Null {
		out.VersionId = &v.ID
	}
	return out, nil
}

// unserved refuses what evo does not do with an object, rather than to do something else.
func unserved(in *s3.PutObjectInput) error {
	switch {
	case in.WriteOffsetBytes != nil:
		return headerNotImplemented("x-amz-write-offset-bytes", "evo does not append to objects")
	case in.ObjectLockEventHold != "":
		return headerNotImplemented("x-amz-object-lock-event-hold", "evo has no event holds")
	}
	return nil
}

// description is what the operations that make an object say of it.
type description struct {
	content  content
	metadata map[string]string
	tagging  *string
	class    types.StorageClass
	crypt    cryptHeaders
	acl      aclHeaders
	lock     lockHeaders
}

func putDescription(in *s3.PutObjectInput) description {
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

// described returns a version, not yet installed, of which everything is known but its bytes.
func (s *Service) described(b *bucket, d description) (*version, error) {
	v := &version{Modified: s.now(), Content: d.content, Metadata: lowered(d.metadata)}
	if v.Content.Type == "" {
		v.Content.Type = "binary/octet-stream"
	}
	v.Content.Encoding = withoutChunking(v.Content.Encoding)
	if err := checkMetadata(d.metadata); err != nil {
		return nil, err
	}
	if err := checkRedirect(d.content.Redirect); err != nil {
		return nil, err
	}
	var err error
	if v.Class, err = storageClass(d.class); err != nil {
		return nil, err
	}
	if v.Tags, err = parseTagging(d.tagging); err != nil {
		return nil, err
	}
	if v.Crypt, err = d.crypt.resolve(b); err != nil {
		return nil, err
	}
	if v.ACL, err = b.objectACL(d.acl); err != nil {
		return nil, err
	}
	v.Lock, err = d.lock.resolve(b, v.Modified)
	return v, err
}

// lowered returns user metadata with its names as S3 keeps them: in lower case.
func lowered(m map[string]string) map[string]string {
	for k := range m {
		if k != strings.ToLower(k) {
			low := make(map[string]string, len(m))
			for k, v := range m {
				low[strings.ToLower(k)] = v
			}
			return low
		}
	}
	return m
}

// withoutChunking removes from a Content-Encoding what belonged to the transfer only.
func withoutChunking(encoding string) string {
	if !strings.Contains(encoding, "aws-chunked") {
		return encoding
	}
	var kept []string
	for e := range strings.SplitSeq(encoding, ",") {
		if e = strings.TrimSpace(e); e != "aws-chunked" && e != "" {
			kept = append(kept, e)
		}
	}
	return strings.Join(kept, ",")
}

// checkMetadata holds user metadata to S3's 2 KiB.
func checkMetadata(m map[string]string) error {
	const limit = 2048
	size := 0
	for k, v := range m {
		size += len(k) + len(v)
	}
	if size > limit {
		return failure(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size",
			"Size", strconv.Itoa(size), "MaxSizeAllowed", strconv.Itoa(limit))
	}
	return nil
}

// checkRedirect lets a website redirect point within the bucket or to a URL only.
func checkRedirect(location string) error {
	if location == "" || strings.HasPrefix(location, "/") || strings.HasPrefix(location, "http://") || strings.HasPrefix(location, "https://") {
		return nil
	}
	return failure(400, "InvalidRedirectLocation",
		"The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
}

// storageClass returns what a version keeps of the class that was asked for.
func storageClass(c types.StorageClass) (string, error) {
	switch c {
	case "", types.StorageClassStandard:
		return "", nil
	case types.StorageClassReducedRedundancy, types.StorageClassStandardIa, types.StorageClassOnezoneIa, types.StorageClassIntelligentTiering,
		types.StorageClassGlacier, types.StorageClassGlacierIr, types.StorageClassDeepArchive:
		return string(c), nil
	}
	return "", failure(400, "InvalidStorageClass", "The storage class you specified is not valid", "StorageClassRequested", string(c))
}

// incoming is a body with what its headers say of it.
type incoming struct {
	body io.Reader
	md5  *string
	hint types.ChecksumAlgorithm // that the trailer will be of
	sums checksumMembers         // once the body has been read, with its trailer's
	part bool                    // of a multipart upload, whose own checksum follows from its parts'
}

// received is what a body turned out to be.
type received struct {
	ref       blob.Ref
	size      int64
	md5       []byte
	algorithm types.ChecksumAlgorithm // of the checksum to keep
	checksum  string
	hidden    string // the default algorithm's, if no other was asked for
	given     bool   // the caller has given a checksum
}

var transferBuffers = sync.Pool{New: func() any { b := make([]byte, 128<<10); return &b }}

// receive streams a body into the blob store and checks its checksums. It keeps that of the algorithm asked for; without one, that
// which the caller has given; else the default's.
func (s *Service) receive(u incoming, keep types.ChecksumAlgorithm) (received, error) {
	algorithm, value, err := u.sums.given()
	if err := firstOf(err, checkForm(algorithm, value), checkMD5(u.md5), checkAlgorithm(u.hint)); err != nil {
		return received{}, err
	}
	sums := newSums(keep, algorithm)
	if algorithm == "" { // one may come in the trailer, or none
		sums = newSums(keep, u.hint, defaultAlgorithm)
	} else if u.part && keep == "" {
		sums = newSums(algorithm, defaultAlgorithm)
	}
	w := s.blobs.Create()
	defer w.Abort()
	if err := transfer(w, sums, u.body); err != nil {
		return received{}, err
	}
	// The wire layer sets the members that come as trailing headers when the body has ended.
	if algorithm, value, err = u.sums.given(); err == nil {
		err = checkForm(algorithm, value)
	}
	if err != nil {
		return received{}, err
	}
	got := received{size: sums.size, md5: sums.md5.Sum(nil), algorithm: keep, hidden: sums.value(defaultAlgorithm), given: algorithm != ""}
	if err := got.check(u.md5, sums, algorithm, value); err != nil {
		return received{}, err
	}
	if keep == "" {
		got.algorithm = defaultAlgorithm
		if algorithm != "" {
			got.algorithm = algorithm
		}
	}
	got.checksum = sums.value(got.algorithm)
	got.ref, err = w.Commit()
	if err != nil {
		return received{}, internalError("keep the object's bytes", err)
	}
	return got, nil
}

// check compares what was computed with what the caller has given.
func (r *received) check(contentMD5 *string, sums *sums, algorithm types.ChecksumAlgorithm, value string) error {
	if calculated := base64.StdEncoding.EncodeToString(r.md5); contentMD5 != nil && *contentMD5 != calculated {
		return failure(400, "BadDigest", "The Content-MD5 you specified did not match what we received.",
			"CalculatedDigest", calculated, "ExpectedDigest", *contentMD5)
	}
	if algorithm != "" && sums.value(algorithm) != value {
		return failure(400, "BadDigest", "The "+string(algorithm)+" you specified did not match the calculated checksum.")
	}
	return nil
}

// transfer copies a body, which may be nil, to w and sums. What is longer than a buffer is summed by a second goroutine, while the
// next stretch is read and kept: the sums cost more than all the rest.
func transfer(w io.Writer, sums *sums, body io.Reader) error {
	if body == nil {
		return nil
	}
	buf := transferBuffers.Get().(*[]byte)
	defer transferBuffers.Put(buf)
	n, err := fill(body, *buf)
	if err == nil {
		return transferLong(w, sums, body, *buf)
	}
	if err != io.EOF {
		return incompleteBody(err)
	}
	sums.Write((*buf)[:n])
	if _, err := w.Write((*buf)[:n]); err != nil {
		return internalError("keep the object's bytes", err)
	}
	return nil
}

// transferLong copies a body whose first stretch has been read.
func transferLong(w io.Writer, sums *sums, body io.Reader, first []byte) (err error) {
	const ahead = 2
	kept, free, done := make(chan []byte, ahead), make(chan []byte, ahead+1), make(chan struct{})
	for range ahead {
		buf := transferBuffers.Get().(*[]byte)
		defer transferBuffers.Put(buf)
		free <- *buf
	}
	go func() {
		defer close(done)
		for p := range kept {
			sums.Write(p)
			free <- p[:cap(p)]
		}
	}()
	defer func() { // runs first: then nobody uses the buffers any more
		close(kept)
		<-done
	}()
	size, p := int64(0), first
	for {
		if size += int64(len(p)); size > maxObjectSize {
			return failure(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", "MaxSizeAllowed", strconv.Itoa(maxObjectSize))
		}
		if _, err := w.Write(p); err != nil {
			return internalError("keep the object's bytes", err)
		}
		kept <- p
		if err == io.EOF {
			return nil
		}
		var n int
		p = <-free
		if n, err = fill(body, p); err != nil && err != io.EOF {
			return incompleteBody(err)
		}
		p = p[:n]
	}
}

// fill reads until p is full; the error is the body's, io.EOF at its end.
func fill(body io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = body.Read(p[n:])
		n += m
	}
	return n, err
}

// incompleteBody is the answer to a body that could not be read to its end. Errors that the wire layer has found in the body's
// own form are the answer themselves.
func incompleteBody(err error) error {
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		return err
	}
	return failure(400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
}

// take makes a version of one piece of what was received.
func (v *version) take(got received) {
	v.Size = got.size
	v.ETag = v.Crypt.etag(hex.EncodeToString(got.md5))
	v.Checksum = checksum{Algorithm: got.algorithm, Type: types.ChecksumTypeFullObject, Value: got.checksum}
	v.Parts = nil
	if got.size > 0 {
		v.Parts = []part{{Size: got.size, Ref: got.ref}}
	}
}
