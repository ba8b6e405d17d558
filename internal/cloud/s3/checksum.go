package s3

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// checksum is what an object's answers name beside its ETag. The zero checksum is that of an object without one.
type checksum struct {
	Algorithm types.ChecksumAlgorithm `json:"alg,omitempty"`
	Type      types.ChecksumType      `json:"type,omitempty"`
	Value     string                  `json:"val,omitempty"` // base64; of a composite checksum with "-" and the number of parts
}

// algorithms are those that S3 computes, in the order of its own list.
var algorithms = []types.ChecksumAlgorithm{
	types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme,
	types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256,
}

// defaultAlgorithm is what S3 computes when the caller names none.
const defaultAlgorithm = types.ChecksumAlgorithmCrc64nvme

func checkAlgorithm(a types.ChecksumAlgorithm) error {
	if a == "" || slices.Contains(algorithms, a) {
		return nil
	}
	return invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
}

// unknownSums refuses checksums, by their headers' values, of algorithms that are not computed here.
func unknownSums(values ...*string) error {
	for _, v := range values {
		if v != nil {
			return checkAlgorithm("unknown")
		}
	}
	return nil
}

// Polynomials in the bit order of package crc64 and crc32.
const crc64NVME = 0x9a6c9329ac4bc9b5

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	nvme       = crc64.MakeTable(crc64NVME)
)

func newHash(a types.ChecksumAlgorithm) hash.Hash {
	switch a {
	case types.ChecksumAlgorithmCrc32:
		return crc32.NewIEEE()
	case types.ChecksumAlgorithmCrc32c:
		return crc32.New(castagnoli)
	case types.ChecksumAlgorithmSha1:
		return sha1.New()
	case types.ChecksumAlgorithmSha256:
		return sha256.New()
	}
	return crc64.New(nvme)
}

// hashSize returns the number of bytes of an algorithm's checksum.
func hashSize(a types.ChecksumAlgorithm) int {
	switch a {
	case types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c:
		return 4
	case types.ChecksumAlgorithmSha1:
		return sha1.Size
	case types.ChecksumAlgorithmSha256:
		return sha256.Size
	}
	return 8
}

// checksumMembers points to the members of an input or output that hold checksums.
type checksumMembers struct{ crc32, crc32c, crc64nvme, sha1, sha256 **string }

func (m checksumMembers) of(a types.ChecksumAlgorithm) **string {
	switch a {
	case types.ChecksumAlgorithmCrc32:
		return m.crc32
	case types.ChecksumAlgorithmCrc32c:
		return m.crc32c
	case types.ChecksumAlgorithmSha1:
		return m.sha1
	case types.ChecksumAlgorithmSha256:
		return m.sha256
	}
	return m.crc64nvme
}

func (m checksumMembers) set(a types.ChecksumAlgorithm, value string) {
	if value != "" {
		*m.of(a) = &value
	}
}

// given returns the one checksum that is set, if any.
func (m checksumMembers) given() (a types.ChecksumAlgorithm, value string, err error) {
	for _, candidate := range algorithms {
		at := m.of(candidate)
		if at == nil { // a copy has no such members
			return "", "", nil
		}
		p := *at
		if p == nil {
			continue
		}
		if a != "" {
			return "", "", invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		a, value = candidate, *p
	}
	return a, value, nil
}

// checkForm refuses a checksum header that cannot be one of its algorithm.
func checkForm(a types.ChecksumAlgorithm, value string) error {
	if a == "" {
		return nil
	}
	if sum, err := base64.StdEncoding.DecodeString(value); err != nil || len(sum) != hashSize(a) {
		return invalidRequest("Value for x-amz-checksum-%s header is invalid.", strings.ToLower(string(a)))
	}
	return nil
}

// checkMD5 refuses a Content-MD5 header that cannot be one.
func checkMD5(value *string) error {
	if value == nil {
		return nil
	}
	if sum, err := base64.StdEncoding.DecodeString(*value); err != nil || len(sum) != md5.Size {
		return failure(400, "InvalidDigest", "The Content-MD5 you specified was invalid.", "Content-MD5", *value)
	}
	return nil
}

// sums computes several checksums of a stream at once.
type sums struct {
	size   int64
	md5    hash.Hash
	hashes []namedHash // one or two
}

type namedHash struct {
	hash.Hash
	algorithm types.ChecksumAlgorithm
}

func newSums(wanted ...types.ChecksumAlgorithm) *sums {
	s := &sums{md5: md5.New()}
	for _, a := range wanted {
		if a != "" && s.of(a) == nil {
			s.hashes = append(s.hashes, namedHash{newHash(a), a})
		}
	}
	return s
}

// of returns the hash of an algorithm; nil if it is not computed.
func (s *sums) of(a types.ChecksumAlgorithm) hash.Hash {
	for _, h := range s.hashes {
		if h.algorithm == a {
			return h.Hash
		}
	}
	return nil
}

// Write implements io.Writer.
func (s *sums) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	s.md5.Write(p)
	for _, h := range s.hashes {
		h.Write(p)
	}
	return len(p), nil
}

func (s *sums) value(a types.ChecksumAlgorithm) string {
	h := s.of(a)
	if h == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// joinable reports whether the checksum of a whole follows from those of its parts.
func joinable(a types.ChecksumAlgorithm) bool {
	return a == types.ChecksumAlgorithmCrc32 || a == types.ChecksumAlgorithmCrc32c || a == types.ChecksumAlgorithmCrc64nvme
}

// piece is the checksum and the length of one part of a whole.
type piece struct {
	sum  string // base64
	size int64
}

// joined returns the checksum of the whole from those of its pieces; the algorithm must be joinable.
func joined(a types.ChecksumAlgorithm, pieces []piece) string {
	poly, width := uint64(crc32.IEEE), 32
	switch a {
	case types.ChecksumAlgorithmCrc32c:
		poly = crc32.Castagnoli
	case types.ChecksumAlgorithmCrc64nvme:
		poly, width = crc64NVME, 64
	}
	var crc uint64
	for _, p := range pieces {
		raw, _ := base64.StdEncoding.DecodeString(p.sum)
		var next uint64
		if width == 64 && len(raw) == 8 {
			next = binary.BigEndian.Uint64(raw)
		} else if len(raw) == 4 {
			next = uint64(binary.BigEndian.Uint32(raw))
		}
		crc = shifted(crc, p.size, poly, width) ^ next
	}
	if width == 64 {
		return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, crc))
	}
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, uint32(crc)))
}

// shifted returns what a checksum becomes when n zero bytes follow, but for what the bytes themselves add. Reading a zero bit is a
// linear map of the checksum's bits: its matrix is squared again and again, and applied for each bit that n has.
func shifted(crc uint64, n int64, poly uint64, width int) uint64 {
	if crc == 0 || n <= 0 {
		return crc
	}
	m := make([]uint64, width) // m[i]: what bit i becomes
	m[0] = poly
	for i := 1; i < width; i++ {
		m[i] = 1 << (i - 1)
	}
	for range 3 { // from one bit to one byte
		m = squared(m)
	}
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			crc = applied(m, crc)
		}
		m = squared(m)
	}
	return crc
}

func applied(m []uint64, v uint64) uint64 {
	var sum uint64
	for i := 0; v != 0; i, v = i+1, v>>1 {
		if v&1 != 0 {
			sum ^= m[i]
		}
	}
	return sum
}

func squared(m []uint64) []uint64 {
	sq := make([]uint64, len(m))
	for i, v := range m {
		sq[i] = applied(m, v)
	}
	return sq
}

// composite returns the checksum of the parts' checksums.
func composite(a types.ChecksumAlgorithm, pieces []piece) string {
	h := newHash(a)
	for _, p := range pieces {
		raw, _ := base64.StdEncoding.DecodeString(p.sum)
		h.Write(raw)
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
