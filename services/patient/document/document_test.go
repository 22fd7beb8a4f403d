package document_test

import (
	"bytes"
	"testing"

	"huhang.example/services/internal/fault"
	"huhang.example/services/patient/document"
)

var samples = map[string][]byte{
	document.PDF: []byte("%PDF-1.7\n"), document.JPEG: {0xff, 0xd8, 0xff, 0xe0, 0}, document.PNG: []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR...."),
	document.DICOM: append(make([]byte, 128), "DICM...."...),
}

func TestOnlyWhatItSaysItIs(t *testing.T) {
	for declared := range samples {
		for is, content := range samples {
			_, err := document.Check(content, declared, "")
			if (is == declared) != (err == nil) {
				t.Errorf("%s declared as %s: %v", is, declared, err)
			}
			if f, _ := fault.As(err); err != nil && (f.Meta["why"] != "TYPE_MISMATCH" || f.Meta["detected"] != is) {
				t.Errorf("%s declared as %s: %v", is, declared, f)
			}
		}
	}
	pdf := samples[document.PDF]
	for name, c := range map[string]struct {
		content       []byte
		declared, sum string
		why           string
	}{
		"empty": {nil, document.PDF, "", "EMPTY"}, "too large": {append(bytes.Clone(pdf), make([]byte, document.MaxSize)...), document.PDF, "", "TOO_LARGE"},
		"a program": {[]byte("MZ\x90\x00"), document.PDF, "", "TYPE_MISMATCH"}, "a page": {[]byte("<html>"), "text/html", "", "TYPE_NOT_TAKEN"},
		"no type": {pdf, "", "", "TYPE_NOT_TAKEN"}, "changed": {pdf, document.PDF, "0000000000000000000000000000000000000000000000000000000000000000", "CHECKSUM"},
		"PDF further on": {append([]byte("<script>"), pdf...), document.PDF, "", "TYPE_MISMATCH"},
	} {
		_, err := document.Check(c.content, c.declared, c.sum)
		if f, _ := fault.As(err); !fault.Is(err, fault.DocumentRefused) || f.Meta["why"] != c.why {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := document.Check(append(bytes.Clone(pdf), make([]byte, document.MaxSize-len(pdf))...), document.PDF, ""); err != nil {
		t.Errorf("20 MiB: %v", err)
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		count, total, size int64
		fits               bool
	}{{0, 0, 1, true}, {199, 0, 1, true}, {200, 0, 1, false}, {1, document.MaxTotal - 5, 5, true}, {1, document.MaxTotal - 5, 6, false}} {
		if err := document.Fits(c.count, c.total, c.size); (err == nil) != c.fits || err != nil && !fault.Is(err, fault.DocumentLimit) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for status, out := range map[string]bool{document.Quarantined: false, document.Infected: false, document.Withdrawn: false, document.Clean: true, "": false} {
		if err := (&document.Document{Status: status}).GivenOut(); (err == nil) != out {
			t.Errorf("%q: %v", status, err)
		}
	}
}

// Whatever is uploaded, it is taken only as what its first bytes are.
func FuzzSniff(f *testing.F) {
	for declared, content := range samples {
		f.Add(content, declared)
	}
	f.Add([]byte("%PDF"), document.PDF)
	f.Fuzz(func(t *testing.T, content []byte, declared string) {
		is := document.Sniff(content)
		sum, err := document.Check(content, declared, "")
		if (err == nil) != (is != "" && is == declared) || err == nil && len(sum) != 64 {
			t.Errorf("%d bytes, %q, are %q: %v", len(content), declared, is, err)
		}
		if again := document.Sniff(append(bytes.Clone(content), "more"...)); is != "" && again != is {
			t.Errorf("%q became %q by what follows", is, again)
		}
	})
}
