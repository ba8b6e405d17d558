package s3

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
)

// objectCrypt is how an object is said to be encrypted. The zero value is SSE-S3.
type objectCrypt struct {
	Algorithm   types.ServerSideEncryption `json:"alg,omitempty"` // empty: AES256, unless the customer's key is used
	KMSKey      string                     `json:"key,omitempty"`
	BucketKey   bool                       `json:"bucketKey,omitempty"`
	CustomerMD5 string                     `json:"customer,omitempty"` // of the customer's key, which itself is not kept
}

// cryptHeaders are a request's headers of server-side encryption.
type cryptHeaders struct {
	algorithm         types.ServerSideEncryption
	kmsKey            *string
	bucketKey         *bool
	customerAlgorithm *string
	customerKey       *string
	customerMD5       *string
}

func (h cryptHeaders) customer() bool {
	return h.customerAlgorithm != nil || h.customerKey != nil || h.customerMD5 != nil
}

const sseHeader = "x-amz-server-side-encryption"

// resolve returns how an object is encrypted that is written with these headers.
func (h cryptHeaders) resolve(b *bucket) (objectCrypt, error) {
	if h.customer() {
		return h.resolveCustomer()
	}
	if h.algorithm == "" && h.kmsKey == nil {
		return b.defaultCrypt(h.bucketKey), nil
	}
	switch h.algorithm {
	case types.ServerSideEncryptionAes256:
		if h.kmsKey != nil {
			return objectCrypt{}, invalidArgument(sseHeader, string(h.algorithm),
				"Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
		return objectCrypt{}, nil
	case types.ServerSideEncryptionAwsKms, types.ServerSideEncryptionAwsKmsDsse:
		return objectCrypt{Algorithm: h.algorithm, KMSKey: keyARN(b, aws.ToString(h.kmsKey)), BucketKey: aws.ToBool(h.bucketKey)}, nil
	case "":
		return objectCrypt{}, invalidArgument(sseHeader, "",
			"Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
	}
	return objectCrypt{}, invalidArgument(sseHeader, string(h.algorithm), "The encryption method specified is not supported")
}

func (h cryptHeaders) resolveCustomer() (objectCrypt, error) {
	switch {
	case h.algorithm != "":
		return objectCrypt{}, invalidArgument(sseHeader, string(h.algorithm),
			"Server Side Encryption with Customer provided key is incompatible with the encryption method specified")
	case h.customerKey == nil:
		return objectCrypt{}, invalidArgument(sseHeader, "",
			"Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.")
	case h.customerAlgorithm == nil:
		return objectCrypt{}, invalidArgument(sseHeader, "",
			"Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.")
	}
	if err := h.checkCustomerKey(); err != nil {
		return objectCrypt{}, err
	}
	return objectCrypt{CustomerMD5: *h.customerMD5}, nil
}

// checkCustomerKey checks the form of a customer's key.
func (h cryptHeaders) checkCustomerKey() error {
	if a := aws.ToString(h.customerAlgorithm); a != string(types.ServerSideEncryptionAes256) {
		return failure(400, "InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported value: AES256.",
			"ArgumentName", sseHeader, "ArgumentValue", a)
	}
	key, err := base64.StdEncoding.DecodeString(aws.ToString(h.customerKey))
	if err != nil || len(key) != 32 || h.customerMD5 == nil {
		return invalidArgument(sseHeader, "", "The secret key was invalid for the specified algorithm.")
	}
	if sum := md5.Sum(key); base64.StdEncoding.EncodeToString(sum[:]) != *h.customerMD5 {
		return invalidArgument(sseHeader, "", "The calculated MD5 hash of the key did not match the hash that was provided.")
	}
	return nil
}

// readable checks that a read brings the key that the object was written with.
func (c objectCrypt) readable(h cryptHeaders) error {
	switch {
	case c.CustomerMD5 == "" && !h.customer():
		return nil
	case c.CustomerMD5 == "":
		return invalidRequest("The encryption parameters are not applicable to this object.")
	case !h.customer():
		return invalidRequest("The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	}
	wrong := failure(403, "AccessDenied", "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.")
	if h.customerMD5 == nil && aws.ToString(h.customerAlgorithm) == string(types.ServerSideEncryptionAes256) {
		return wrong
	}
	if err := h.checkCustomerKey(); err != nil {
		return err
	}
	if *h.customerMD5 != c.CustomerMD5 {
		return wrong
	}
	return nil
}

// answer sets an answer's members of server-side encryption.
func (c objectCrypt) answer(algorithm *types.ServerSideEncryption, key **string, bucketKey **bool, customerAlgorithm, customerMD5 **string) {
	switch {
	case c.CustomerMD5 != "":
		*customerAlgorithm = aws.String(string(types.ServerSideEncryptionAes256))
		*customerMD5 = &c.CustomerMD5
		return
	case c.Algorithm == "":
		*algorithm = types.ServerSideEncryptionAes256
		return
	}
	*algorithm, *key = c.Algorithm, &c.KMSKey
	if c.BucketKey {
		*bucketKey = aws.Bool(true)
	}
}

// etag returns the entity tag of an object with that MD5: the sum itself, but for objects whose encryption makes it something else.
func (c objectCrypt) etag(sum string) string {
	if c.Algorithm == "" && c.CustomerMD5 == "" {
		return sum
	}
	var b [16]byte
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return hex.EncodeToString(b[:])
}

// keyARN returns the ARN of the key that a caller names by id, alias or ARN; without a name, that of the key which AWS manages for S3.
func keyARN(b *bucket, key string) string {
	const managed = "00000000-0000-4000-8000-00000000a53b"
	switch {
	case strings.HasPrefix(key, "arn:"):
		return key
	case key == "" || key == "alias/aws/s3":
		key = "key/" + managed
	case !strings.HasPrefix(key, "alias/"):
		key = "key/" + key
	}
	return "arn:aws:kms:" + b.Region + ":" + call.Account + ":" + key
}

// defaultCrypt returns how an object is encrypted that is written without saying so.
func (b *bucket) defaultCrypt(bucketKey *bool) objectCrypt {
	r := b.Encryption
	if r == nil || r.ApplyServerSideEncryptionByDefault == nil || r.ApplyServerSideEncryptionByDefault.SSEAlgorithm == types.ServerSideEncryptionAes256 {
		return objectCrypt{}
	}
	d := r.ApplyServerSideEncryptionByDefault
	c := objectCrypt{Algorithm: d.SSEAlgorithm, KMSKey: keyARN(b, aws.ToString(d.KMSMasterKeyID)), BucketKey: aws.ToBool(r.BucketKeyEnabled)}
	if bucketKey != nil {
		c.BucketKey = *bucketKey
	}
	return c
}

// PutBucketEncryption implements the S3 operation.
func (s *Service) PutBucketEncryption(ctx context.Context, in *s3.PutBucketEncryptionInput) (*s3.PutBucketEncryptionOutput, error) {
	return edit[s3.PutBucketEncryptionOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		c := in.ServerSideEncryptionConfiguration
		if c == nil || len(c.Rules) != 1 || c.Rules[0].ApplyServerSideEncryptionByDefault == nil {
			return malformedXML()
		}
		rule := c.Rules[0]
		d := rule.ApplyServerSideEncryptionByDefault
		switch d.SSEAlgorithm {
		case types.ServerSideEncryptionAwsKms, types.ServerSideEncryptionAwsKmsDsse:
		case types.ServerSideEncryptionAes256:
			if d.KMSMasterKeyID != nil {
				return invalidArgument("ApplyServerSideEncryptionByDefault", "",
					"a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
			}
		default:
			return malformedXML()
		}
		if rule.BucketKeyEnabled == nil {
			rule.BucketKeyEnabled = aws.Bool(false)
		}
		b.Encryption = &rule
		return nil
	})
}

// GetBucketEncryption implements the S3 operation. Every bucket is encrypted: by SSE-S3, if nothing else was asked for.
func (s *Service) GetBucketEncryption(_ context.Context, in *s3.GetBucketEncryptionInput) (*s3.GetBucketEncryptionOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	rule := types.ServerSideEncryptionRule{
		ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256},
		BucketKeyEnabled:                   aws.Bool(false),
	}
	if b.Encryption != nil {
		rule = *b.Encryption
	}
	return &s3.GetBucketEncryptionOutput{
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{rule}},
	}, nil
}

// DeleteBucketEncryption implements the S3 operation.
func (s *Service) DeleteBucketEncryption(ctx context.Context, in *s3.DeleteBucketEncryptionInput) (*s3.DeleteBucketEncryptionOutput, error) {
	return edit[s3.DeleteBucketEncryptionOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		b.Encryption = nil
		return nil
	})
}

// StatedEncryption returns the default encryption that somebody has asked for; nil if nobody has, so that it is SSE-S3 as for every
// bucket. The API does not tell the two apart; rules about what was asked for do.
func (s *Service) StatedEncryption(bucketName string) *types.ServerSideEncryptionRule {
	b, err := s.view(&bucketName, nil)
	if err != nil {
		return nil
	}
	return b.Encryption
}
