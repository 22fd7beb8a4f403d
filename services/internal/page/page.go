// Package page makes the tokens by which a list is continued.
//
// Invariant: a token continues only the list it came from. It is opaque, bound to the filter it was made for, and
// grants nothing: what a caller may see is decided anew for every page.
package page

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"huhang.example/services/internal/fault"
)

const (
	version  = 1
	tagSize  = 12
	maxToken = 1024
)

// Strict, so that one token has one spelling.
var encoding = base64.RawURLEncoding.Strict()

// Filter folds the parts of a filter into the one string that Token and Parse want; different parts never fold alike.
func Filter(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	return encoding.EncodeToString(h.Sum(nil))
}

// Token returns the token that continues the list with the filter after cursor; empty for an empty cursor, which means
// that there is no further page.
func Token(filter, cursor string) string {
	if cursor == "" {
		return ""
	}
	b := make([]byte, 0, 1+tagSize+len(cursor))
	b = append(b, version)
	b = append(b, tag(filter, cursor)...)
	b = append(b, cursor...)
	return encoding.EncodeToString(b)
}

// Parse returns the cursor in token, empty for the first page. A token of another filter, or none of ours, is the
// fault INVALID_PAGE_TOKEN.
func Parse(filter, token string) (cursor string, err error) {
	if token == "" {
		return "", nil
	}
	if len(token) > maxToken {
		return "", invalid()
	}
	b, err := encoding.DecodeString(token)
	// The decoder skips line breaks, which no token of ours has: hence the comparison.
	if err != nil || encoding.EncodeToString(b) != token {
		return "", invalid()
	}
	if len(b) <= 1+tagSize || b[0] != version {
		return "", invalid()
	}
	cursor = string(b[1+tagSize:])
	if string(b[1:1+tagSize]) != string(tag(filter, cursor)) {
		return "", invalid()
	}
	return cursor, nil
}

// Size returns how many items a page holds: requested, or def where none is asked for, and never above most.
func Size(requested, def, most int32) int {
	if requested <= 0 {
		requested = def
	}
	return int(min(requested, most))
}

// tag binds a cursor to its filter and finds damage. It is no secret and need not be one: a made-up cursor shows
// nothing that listing from the first page would not.
func tag(filter, cursor string) []byte {
	sum := sha256.Sum256([]byte(Filter(filter, cursor)))
	return sum[:tagSize]
}

func invalid() error {
	return fault.New(fault.InvalidArgument, fault.InvalidPageToken, "page_token",
		"The page token is not one of ours or belongs to another filter.",
		"翻页标记无效，或属于其他筛选条件。")
}
