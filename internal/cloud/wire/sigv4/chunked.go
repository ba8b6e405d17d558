package sigv4

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Chunks decodes a body in AWS's chunked form: chunks with their length, and perhaps their signature, in a line before
// them, then trailing headers. A wrong signature, or a body that ends early, is an error of Read.
type Chunks struct {
	Trailer http.Header // after the end

	src      *bufio.Reader
	auth     *Auth  // nil: signatures are not checked
	key      []byte // to check them with
	previous string // signature
	left     int64  // of the chunk under way
	started  bool
	claimed  string // the chunk's signature
	sum      hash.Hash
	err      error
}

// NewChunks reads the chunked body. Signatures are checked with secret if a is not nil and has signed its chunks.
func NewChunks(body io.Reader, a *Auth, secret string) *Chunks {
	c := &Chunks{src: bufio.NewReaderSize(body, 4096), sum: sha256.New(), Trailer: http.Header{}}
	if a != nil && strings.HasPrefix(a.payload, streamingPrefix+algorithm) {
		c.auth, c.key, c.previous = a, signingKey(secret, a), a.Signature
	}
	return c
}

// maxLine bounds a chunk's first line and a trailing header.
const maxLine = 4 << 10

// maxTrailers bounds how many trailing headers there may be.
const maxTrailers = 32

func (c *Chunks) Read(p []byte) (int, error) {
	for c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.src.Read(p)
	c.left -= int64(n)
	if c.auth != nil {
		c.sum.Write(p[:n])
	}
	if err != nil {
		c.err = incompleteBody(err)
		if n == 0 {
			return 0, c.err
		}
	}
	return n, nil
}

func incompleteBody(err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return &Error{http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly"}
}

var errChunk = &Error{http.StatusBadRequest, "InvalidRequest", "The request body is not in the aws-chunked form that its headers say"}

// next ends the chunk before, and begins another; io.EOF after the last.
func (c *Chunks) next() error {
	if c.started {
		line, err := c.line()
		if err != nil {
			return err
		}
		if line != "" {
			return errChunk
		}
		if err := c.check("AWS4-HMAC-SHA256-PAYLOAD", emptyHash, hex.EncodeToString(c.sum.Sum(nil))); err != nil {
			return err
		}
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	n, err := strconv.ParseInt(strings.TrimSpace(size), 16, 64)
	if err != nil || n < 0 {
		return errChunk
	}
	c.claimed = strings.TrimPrefix(extension, "chunk-signature=")
	c.sum.Reset()
	c.started, c.left = true, n
	if n == 0 {
		return c.end()
	}
	return nil
}

func (c *Chunks) line() (string, error) {
	var b []byte
	for {
		part, err := c.src.ReadSlice('\n')
		b = append(b, part...)
		switch {
		case len(b) > maxLine:
			return "", errChunk
		case err == nil:
			return strings.TrimRight(string(b), "\r\n"), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", incompleteBody(err)
		}
	}
}

// check compares the claimed signature with that of what was read, and remembers it: each is signed with the one before.
func (c *Chunks) check(kind string, lines ...string) error {
	if c.auth == nil {
		return nil
	}
	want := hexMAC(c.key, c.auth.stringToSign(kind, append([]string{c.previous}, lines...)...))
	if !hmac.Equal([]byte(want), []byte(c.claimed)) {
		return mismatch()
	}
	c.previous = want
	return nil
}

// end reads what follows the last chunk.
func (c *Chunks) end() error {
	if err := c.check("AWS4-HMAC-SHA256-PAYLOAD", emptyHash, emptyHash); err != nil {
		return err
	}
	var canonical strings.Builder
	for n := 0; ; n++ {
		line, err := c.line()
		var short *Error
		if errors.As(err, &short) && short.Code == "IncompleteBody" {
			line, err = "", nil // some clients leave the last empty line out
		}
		if err != nil {
			return err
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || n > maxTrailers {
			return errChunk
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if name == "x-amz-trailer-signature" {
			c.claimed = value
			continue
		}
		c.Trailer.Add(name, value)
		canonical.WriteString(name + ":" + value + "\n")
	}
	if canonical.Len() > 0 {
		if err := c.check("AWS4-HMAC-SHA256-TRAILER", hashHex(canonical.String())); err != nil {
			return err
		}
	}
	return io.EOF
}
