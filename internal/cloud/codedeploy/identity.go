package codedeploy

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

var deploymentIDPattern = regexp.MustCompile(`^d-[A-Z0-9]{9}$`)

// random returns n bytes of the service's randomness.
func (s *Service) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.cfg.Rand, b); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	return b, nil
}

// newDeploymentID returns an id as AWS's: "d-" and nine upper-case letters or digits.
func (s *Service) newDeploymentID() (string, error) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b, err := s.random(9)
	if err != nil {
		return "", err
	}
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return "d-" + string(b), nil
}

// newHookID returns a hook's execution id. AWS's is the base64 form of an encrypted JSON object; here there is nothing to
// decrypt, the id is only random.
func (s *Service) newHookID() (string, error) {
	b, err := s.random(64 + 12)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(struct {
		EncryptedData     []byte `json:"encryptedData"`
		IvParameterSpec   []byte `json:"ivParameterSpec"`
		MaterialSetSerial int    `json:"materialSetSerial"`
	}{b[:64], b[64:], 1})
	return base64.StdEncoding.EncodeToString(text), err
}

// newUUID returns an id of the form that applications, groups and configurations have.
func (s *Service) newUUID() (string, error) {
	b, err := s.random(16)
	if err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-"), nil
}
