package money

import "huhang.example/services/internal/fault"

// Rounding is what happens to a fraction of a fen (取整方式). Every mode is symmetric about zero, so that a refund
// rounds exactly as its charge did.
type Rounding uint8

// The modes; the zero Rounding is none of them and is refused.
const (
	HalfUp   Rounding = iota + 1 // half a fen goes away from zero (四舍五入)
	Down                         // towards zero (舍去)
	Up                           // away from zero (进一)
	HalfEven                     // half a fen goes to the even neighbour
)

var roundingNames = map[Rounding]string{HalfUp: "HALF_UP", Down: "DOWN", Up: "UP", HalfEven: "HALF_EVEN"}

// String returns the name under which policies know the mode.
func (r Rounding) String() string {
	if name, ok := roundingNames[r]; ok {
		return name
	}
	return "UNSPECIFIED"
}

// ParseRounding reads a name such as "HALF_UP", or fails with CODE_UNKNOWN.
func ParseRounding(name string) (Rounding, error) {
	for r, n := range roundingNames {
		if n == name {
			return r, nil
		}
	}
	return 0, fault.New(fault.InvalidArgument, fault.CodeUnknown, "rounding",
		"The rounding is none of HALF_UP, DOWN, UP, HALF_EVEN.", "取整方式须为 HALF_UP、DOWN、UP、HALF_EVEN 之一。")
}

// MarshalText and UnmarshalText let JSON and YAML documents name the mode.
func (r Rounding) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText accepts what MarshalText writes for a named mode.
func (r *Rounding) UnmarshalText(text []byte) error {
	parsed, err := ParseRounding(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

func (r Rounding) known() bool { return r >= HalfUp && r <= HalfEven }

// away reports whether the magnitude quotient + remainder/divisor is rounded up.
func (r Rounding) away(quotient, remainder, divisor uint64) bool {
	// remainder < divisor <= 1<<63, so that the distance to the next number never wraps, unlike 2*remainder.
	rest := divisor - remainder
	switch r {
	case HalfUp:
		return remainder >= rest
	case Up:
		return remainder > 0
	case HalfEven:
		return remainder > rest || remainder == rest && quotient&1 == 1
	}
	return false
}
