package sam

import (
	"crypto/sha1"
	"encoding/hex"
	"unicode"
)

// hashLength is how much of a hash is part of a logical id.
const hashLength = 10

// hashedID is a logical id that changes with data: prefix and the beginning of a hash. Without data it is the prefix.
func hashedID(prefix string, data *value) string {
	if !data.truthy() {
		return prefix
	}
	if data.isString() {
		return prefix + hashText(data.text)[:hashLength]
	}
	return prefix + hashText(dumpJSON(data, compactJSON))[:hashLength]
}

// hashText is the SHA-1 of text in hexadecimal digits. It names things and protects nothing.
func hashText(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// isAlphanumeric reports whether s holds letters and digits, of any script, and nothing else.
func isAlphanumeric(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return s != ""
}

// suffixedID appends suffix to prefix as it is if it is alphanumeric, else as a hash.
func suffixedID(prefix, suffix string) string {
	if isAlphanumeric(suffix) {
		return prefix + suffix
	}
	return hashedID(prefix, str(suffix))
}

// isLogicalID reports whether id holds ASCII letters and digits only.
func isLogicalID(id string) bool {
	for _, r := range id {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return id != ""
}
