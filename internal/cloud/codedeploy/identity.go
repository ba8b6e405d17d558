package codedeploy

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"sync"

	"evo/internal/cloud/id"
)

var deploymentIDPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^d-[A-Z0-9]{9}$`) })

// newDeploymentID returns an id as AWS's: "d-" and nine upper-case letters or digits.
func (s *Service) newDeploymentID() string { return "d-" + id.Letters(s.cfg.Rand, id.Upper, 9) }

// newHookID returns a hook's execution id. AWS's is the base64 form of an encrypted JSON object; here there is nothing to
// decrypt, the id is only random.
func (s *Service) newHookID() (string, error) {
	b := make([]byte, 64+12)
	if _, err := io.ReadFull(s.cfg.Rand, b); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	text, err := json.Marshal(struct {
		EncryptedData     []byte `json:"encryptedData"`
		IvParameterSpec   []byte `json:"ivParameterSpec"`
		MaterialSetSerial int    `json:"materialSetSerial"`
	}{b[:64], b[64:], 1})
	return base64.StdEncoding.EncodeToString(text), err
}
