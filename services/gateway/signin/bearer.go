package signin

import (
	"net/http"
	"strings"
)

// maxToken bounds what is looked at; a token of the line takes about 500 bytes.
const maxToken = 8 << 10

// Bearer returns the token of the Authorization header; false when there is not exactly one, well formed.
func Bearer(header http.Header) (string, bool) {
	values := header.Values("Authorization")
	if len(values) != 1 || len(values[0]) > maxToken {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", false
	}
	// Three parts of base64url: a signed JWT in compact form, and nothing else.
	if strings.Count(token, ".") != 2 || strings.IndexFunc(token, foreign) >= 0 {
		return "", false
	}
	for part := range strings.SplitSeq(token, ".") {
		if part == "" {
			return "", false
		}
	}
	return token, true
}

func foreign(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
		return false
	}
	return true
}
