package rest

import (
	"net/http"
	"strconv"
	"time"

	"huhang.example/services/internal/fault"
)

const (
	defaultDeadline = 15 * time.Second
	maxDeadline     = 60 * time.Second
	timeoutHeader   = "Grpc-Timeout"
)

var timeoutUnits = map[byte]time.Duration{
	'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
}

// deadline returns the time a request may take: what its Grpc-Timeout header asks for, within the longest allowed.
func deadline(header http.Header) (time.Duration, error) {
	values := header.Values(timeoutHeader)
	if len(values) == 0 {
		return defaultDeadline, nil
	}
	wrong := fault.New(fault.InvalidArgument, fault.FieldInvalid, timeoutHeader,
		"The timeout is up to eight digits and one of H M S m u n.", "超时须为至多八位数字加单位 H M S m u n。")
	text := values[0]
	if len(values) > 1 || len(text) < 2 || len(text) > 9 {
		return 0, wrong
	}
	unit, ok := timeoutUnits[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if !ok || err != nil || n == 0 {
		return 0, wrong
	}
	// Eight digits of hours would leave the range of a Duration.
	if n > uint64(maxDeadline/unit) {
		return maxDeadline, nil
	}
	return time.Duration(n) * unit, nil
}
