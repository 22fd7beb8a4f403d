package rpc_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/patient/rpc"
)

// stream plays both directions of a call.
type stream struct {
	grpc.ServerStream
	ctx  context.Context
	in   []*patientv1.UploadDocumentRequest
	done *patientv1.UploadDocumentResponse
	out  []*patientv1.DownloadDocumentResponse
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) Recv() (*patientv1.UploadDocumentRequest, error) {
	if len(s.in) == 0 {
		return nil, io.EOF
	}
	next := s.in[0]
	s.in = s.in[1:]
	return next, nil
}

func (s *stream) SendAndClose(r *patientv1.UploadDocumentResponse) error { s.done = r; return nil }

func (s *stream) Send(r *patientv1.DownloadDocumentResponse) error {
	s.out = append(s.out, r)
	return nil
}

// cut makes the messages of an upload.
func cut(first *patientv1.UploadDocumentRequest, content []byte) []*patientv1.UploadDocumentRequest {
	all := []*patientv1.UploadDocumentRequest{proto.CloneOf(first)}
	for len(content) > 0 {
		n := min(len(content), 200<<10)
		all = append(all, &patientv1.UploadDocumentRequest{Chunk: content[:n]})
		content = content[n:]
	}
	return all
}

func TestDocuments(t *testing.T) {
	each(t, func(l *line) {
		documents := rpc.NewDocuments(l.server)
		p := l.register(l.hefei(), 1)
		other := l.register(l.hefei(), 2)
		pdf := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("示范报告"), 60_000)...)
		sum := sha256.Sum256(pdf)
		description := func() *patientv1.UploadDocumentRequest {
			return &patientv1.UploadDocumentRequest{
				RequestId: l.key(), PatientId: p.GetPatientId(), Kind: patientv1.DocumentKind_DOCUMENT_KIND_REPORT, ContentType: "application/pdf", Sha256: hex.EncodeToString(sum[:]),
			}
		}
		upload := func(ctx context.Context, messages []*patientv1.UploadDocumentRequest) (*patientv1.Document, error) {
			s := &stream{ctx: ctx, in: messages}
			err := documents.UploadDocument(s)
			return s.done.GetDocument(), err
		}
		download := func(ctx context.Context, patientID, id string) (*patientv1.Document, []byte, error) {
			s := &stream{ctx: ctx}
			err := documents.DownloadDocument(&patientv1.DownloadDocumentRequest{PatientId: patientID, DocumentId: id}, s)
			var content []byte
			for _, m := range s.out {
				content = append(content, m.GetChunk()...)
			}
			if len(s.out) == 0 {
				return nil, nil, err
			}
			return s.out[0].GetDocument(), content, err
		}
		l.away = true
		first := description()
		made, err := upload(l.hefei(), cut(first, pdf))
		l.must(err)
		if again, err := upload(l.hefei(), cut(first, pdf)); err != nil || !proto.Equal(again, made) {
			t.Errorf("a retry: %v %v", again, err)
		}
		if made.GetStatus() != patientv1.DocumentStatus_DOCUMENT_STATUS_QUARANTINED || made.GetSize() != int64(len(pdf)) || made.GetSha256() != first.GetSha256() {
			t.Errorf("%v", made)
		}
		l.refused(fault.RequestIDReused, func() error {
			changed := proto.CloneOf(first)
			changed.Kind = patientv1.DocumentKind_DOCUMENT_KIND_OTHER
			_, err := upload(l.hefei(), cut(changed, pdf))
			return err
		})
		l.refused(fault.DocumentQuarantined, func() error { _, _, err := download(l.hefei(), p.GetPatientId(), made.GetDocumentId()); return err })
		for _, c := range []struct {
			name   string
			change func(*patientv1.UploadDocumentRequest)
			body   []byte
			want   fault.Reason
		}{
			{"no key", func(r *patientv1.UploadDocumentRequest) { r.RequestId = "" }, pdf, fault.FieldInvalid},
			{"no patient", func(r *patientv1.UploadDocumentRequest) { r.PatientId = "" }, pdf, fault.FieldInvalid},
			{"no kind", func(r *patientv1.UploadDocumentRequest) { r.Kind = 0 }, pdf, fault.FieldInvalid},
			{"an absent patient", func(r *patientv1.UploadDocumentRequest) { r.PatientId = "pat_00000000000000000000000000" }, pdf, fault.ReasonNotFound},
			{"another type", func(r *patientv1.UploadDocumentRequest) { r.ContentType = "image/png" }, pdf, fault.DocumentRefused},
			{"another checksum", func(r *patientv1.UploadDocumentRequest) { r.Sha256 = strings.Repeat("0", 64) }, pdf, fault.DocumentRefused},
			{"nothing", func(r *patientv1.UploadDocumentRequest) { r.Sha256 = "" }, nil, fault.DocumentRefused},
			{"too much", func(r *patientv1.UploadDocumentRequest) { r.Sha256 = "" }, append(bytes.Clone(pdf), make([]byte, 20<<20)...), fault.DocumentRefused},
		} {
			l.refused(c.want, func() error {
				d := description()
				c.change(d)
				_, err := upload(l.hefei(), cut(d, c.body))
				return err
			})
		}
		l.refused(fault.FieldInvalid, func() error {
			messages := cut(description(), pdf)
			messages[2].PatientId = other.GetPatientId()
			_, err := upload(l.hefei(), messages)
			return err
		})
		l.refused(fault.ReasonNotFound, func() error { _, err := upload(l.shanghai(), cut(description(), pdf)); return err })
		l.away = false
		status := func(id string) patientv1.DocumentStatus {
			got, err := documents.GetDocument(l.hefei(), &patientv1.GetDocumentRequest{PatientId: p.GetPatientId(), DocumentId: id})
			l.must(err)
			return got.GetDocument().GetStatus()
		}
		sqldbtest.Eventually(t, "the scanner is back and finds nothing", func() bool {
			l.clock.Advance(time.Minute)
			return status(made.GetDocumentId()) == patientv1.DocumentStatus_DOCUMENT_STATUS_CLEAN
		})
		d, content, err := download(l.hefei(), p.GetPatientId(), made.GetDocumentId())
		if err != nil || !bytes.Equal(content, pdf) || d.GetScanner() == "" {
			t.Errorf("%v %v, %d bytes", d, err, len(content))
		}
		l.refused(fault.ReasonNotFound, func() error { _, _, err := download(l.shanghai(), p.GetPatientId(), made.GetDocumentId()); return err })
		l.refused(fault.ReasonNotFound, func() error { _, _, err := download(l.hefei(), other.GetPatientId(), made.GetDocumentId()); return err })
		l.grant(p.GetPatientId(), "C-SH-01", referral1)
		if _, _, err := download(l.shanghai(), p.GetPatientId(), made.GetDocumentId()); err != nil {
			t.Error(err)
		}
		l.audited(made.GetDocumentId(), "H-HF-01", "C-SH-01")
		l.sealed(pdf[:64])

		virus := append([]byte("%PDF-1.7\n"), `X5O!P%@AP[4\PZX54(P^)7CC)7}$`+"EICAR-STANDARD-ANTIVIRUS-"+"TEST-FILE!$H+H*"...)
		bad := description()
		bad.Sha256 = ""
		infected, err := upload(l.hefei(), cut(bad, virus))
		l.must(err)
		sqldbtest.Eventually(t, "the scanner finds it", func() bool {
			return status(infected.GetDocumentId()) == patientv1.DocumentStatus_DOCUMENT_STATUS_INFECTED
		})
		l.refused(fault.DocumentQuarantined, func() error { _, _, err := download(l.hefei(), p.GetPatientId(), infected.GetDocumentId()); return err })
		withdraw := func(ctx context.Context, id string) error {
			_, err := documents.WithdrawDocument(ctx, &patientv1.WithdrawDocumentRequest{RequestId: l.key(), PatientId: p.GetPatientId(), DocumentId: id, Reason: "传错"})
			return err
		}
		l.refused(fault.RightMissing, func() error { return withdraw(l.shanghai(), made.GetDocumentId()) })
		l.must(withdraw(l.hefei(), made.GetDocumentId()))
		l.refused(fault.WrongState, func() error { return withdraw(l.hefei(), made.GetDocumentId()) })
		l.refused(fault.DocumentQuarantined, func() error { _, _, err := download(l.hefei(), p.GetPatientId(), made.GetDocumentId()); return err })
		if n := l.count("SELECT count(*) FROM document_piece"); n != 0 {
			t.Errorf("%d pieces are left of what was infected or withdrawn", n)
		}
		all, err := documents.ListDocuments(l.hefei(), &patientv1.ListDocumentsRequest{PatientId: p.GetPatientId()})
		if err != nil || len(all.GetDocuments()) != 2 || all.GetDocuments()[0].GetFinding() == "" {
			t.Errorf("%v %v", all, err)
		}
	})
}

func (l *line) count(query string) (n int64) {
	l.Helper()
	l.must(l.db.Read(l.Context(), func(ctx context.Context, q sqldb.Querier) error { return q.QueryRow(ctx, query).Scan(&n) }))
	return n
}

// audited expects one audit entry of a download by each organisation.
func (l *line) audited(id string, organisations ...string) {
	l.Helper()
	var entries []audit.Record
	l.must(l.db.Read(l.Context(), func(ctx context.Context, q sqldb.Querier) (err error) {
		entries, err = audit.List(ctx, q, audit.Filter{Resource: id})
		return err
	}))
	seen := map[string]int{}
	for _, e := range entries {
		if strings.HasSuffix(e.Action, "/DownloadDocument") {
			seen[e.Organisation]++
		}
	}
	for _, o := range organisations {
		if seen[o] != 1 {
			l.Errorf("%d downloads of %s are audited", seen[o], o)
		}
	}
}

// sealed expects that no stored piece holds the text.
func (l *line) sealed(text []byte) {
	l.Helper()
	l.must(l.db.Read(l.Context(), func(ctx context.Context, q sqldb.Querier) error {
		rows, err := q.Query(ctx, "SELECT sealed FROM document_piece")
		if err != nil {
			return err
		}
		defer rows.Close()
		n := 0
		for ; rows.Next(); n++ {
			var piece []byte
			if err := rows.Scan(&piece); err != nil {
				return err
			}
			if bytes.Contains(piece, text) {
				l.Error("a document is stored in the clear")
			}
		}
		if n == 0 {
			l.Error("nothing is stored")
		}
		return rows.Err()
	}))
}
