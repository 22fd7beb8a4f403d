package main

import (
	"os"
	"testing"
)

// beHuhang makes the test's own binary be huhang: what is tested is what would be installed, without building it again.
const beHuhang = "HUHANG_TEST_BE_HUHANG"

func TestMain(m *testing.M) {
	if os.Getenv(beHuhang) != "" {
		os.Exit(run())
	}
	os.Exit(m.Run())
}
