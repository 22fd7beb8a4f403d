// Package document tells whether a file is what it says, and where it stands.
//
// Invariant: a file is taken for a document only when its first bytes are those of the declared type; nothing of a document
// is given out before a scan found it clean, and nothing is kept of one that was infected or withdrawn but its description.
package document

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"huhang.example/services/internal/fault"
)

// The media types that are taken.
const (
	PDF   = "application/pdf"
	JPEG  = "image/jpeg"
	PNG   = "image/png"
	DICOM = "application/dicom"
)

const (
	// MaxSize bounds a document.
	MaxSize = 20 << 20
	// MaxCount and MaxTotal bound the documents kept for one patient.
	MaxCount = 200
	MaxTotal = 500 << 20
)

// The states of a document.
const (
	Quarantined = "QUARANTINED"
	Clean       = "CLEAN"
	Infected    = "INFECTED"
	Withdrawn   = "WITHDRAWN"
)

// Document is what is known of one (文件).
type Document struct {
	ID, PatientID, Kind, ContentType string
	Size                             int64
	SHA256, Status                   string
	Scanner, Finding                 string
	ScannedAt                        time.Time
	UploadedBy, Subject              string
	UploadedAt                       time.Time
	WithdrawReason                   string
}

// Verdict is what a scanner says of a content.
type Verdict struct {
	Clean bool
	// Finding is what was found, as the scanner names it.
	Finding string
	// Scanner says which scanner and signatures it was.
	Scanner string
}

// Sniff tells the media type of a content by its first bytes; empty: none that is taken.
func Sniff(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("%PDF-1.")), bytes.HasPrefix(content, []byte("%PDF-2.")):
		return PDF
	case bytes.HasPrefix(content, []byte{0xff, 0xd8, 0xff}):
		return JPEG
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")):
		return PNG
	case len(content) >= 132 && bytes.Equal(content[128:132], []byte("DICM")):
		return DICOM
	}
	return ""
}

// Check returns the checksum of a content that may be kept under its declared type. Faults: DOCUMENT_REFUSED, with why in
// its metadata: EMPTY, TOO_LARGE, TYPE_NOT_TAKEN, TYPE_MISMATCH, CHECKSUM.
func Check(content []byte, declared, sum string) (string, error) {
	switch is := Sniff(content); {
	case len(content) == 0:
		return "", refused("chunk", "EMPTY", "The file is empty.", "文件为空。")
	case len(content) > MaxSize:
		return "", TooLarge()
	case declared != PDF && declared != JPEG && declared != PNG && declared != DICOM:
		return "", refused("content_type", "TYPE_NOT_TAKEN", "Documents are PDF, JPEG, PNG or DICOM.", "仅接受PDF、JPEG、PNG或DICOM文件。")
	case is != declared:
		f := refused("content_type", "TYPE_MISMATCH", "The file is not of the type it was declared as.", "文件内容与所声明的类型不符。")
		if is != "" {
			f = f.With("detected", is)
		}
		return "", f
	}
	hash := sha256.Sum256(content)
	got := hex.EncodeToString(hash[:])
	if sum != "" && sum != got {
		return "", refused("sha256", "CHECKSUM", "The file was changed on its way: its checksum differs.", "文件在传输中被改动，校验值不符。")
	}
	return got, nil
}

// TooLarge is the refusal of a file beyond MaxSize.
func TooLarge() error {
	return refused("chunk", "TOO_LARGE", "The file has more than 20 MiB.", "文件超过20 MiB。").With("limit_bytes", "20971520")
}

func refused(field, why, en, zh string) *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.DocumentRefused, field, en, zh).With("why", why)
}

// Fits tells whether one more document of a size may be kept beside what is there. Faults: DOCUMENT_LIMIT.
func Fits(count, total, size int64) error {
	if count+1 > MaxCount || total+size > MaxTotal {
		return fault.New(fault.ResourceExhausted, fault.DocumentLimit, "",
			"The patient has as many documents as are kept, by number or by size.", "该患者的文件数量或总大小已达上限。").
			With("limit_count", "200").With("limit_bytes", "524288000")
	}
	return nil
}

// GivenOut tells whether the content may be given out. Faults: DOCUMENT_QUARANTINED.
func (d *Document) GivenOut() error {
	if d.Status == Clean {
		return nil
	}
	return fault.New(fault.FailedPrecondition, fault.DocumentQuarantined, "document_id",
		"The document is not given out: it is not clean.", "该文件未通过扫描，不能下载。").With("state", d.Status)
}
