package line

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// sampleLine reports whether a state folder's line is the sample line. Asked for once it stays one: its databases hold the
// invented centers for good, and without the timetable, the keys and the rules that belong to them it would be half a line.
func sampleLine(state string, asked bool) (bool, error) {
	path := filepath.Join(state, "sample-line")
	if asked {
		return true, os.WriteFile(path, []byte("示范\n"), 0o600)
	}
	switch _, err := os.Stat(path); {
	case err == nil:
		return true, nil
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	default:
		return false, fmt.Errorf("is %s of the sample line: %w", state, err)
	}
}
