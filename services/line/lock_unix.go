//go:build unix

package line

import (
	"os"
	"syscall"
)

// flock takes the file for this process; the system frees it however the process ends.
func flock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
