package patient

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/patient/document"
)

// Upload is a file somebody sends for a patient.
type Upload struct {
	PatientID, Kind, ContentType, SHA256 string
	Content                              []byte
}

// Receivable tells before the file is received whether the caller may send one. Faults: NOT_FOUND.
func (s *Service) Receivable(ctx context.Context, patientID string) error {
	_, err := s.visible(ctx, patientID)
	return err
}

// Upload keeps a document in quarantine and owes its scan. Faults: NOT_FOUND, DOCUMENT_REFUSED, DOCUMENT_LIMIT.
func (s *Service) Upload(ctx context.Context, u Upload) (*document.Document, error) {
	p, err := s.visible(ctx, u.PatientID)
	if err != nil {
		return nil, err
	}
	sum, err := document.Check(u.Content, u.ContentType, u.SHA256)
	if err != nil {
		return nil, err
	}
	caller := access.From(ctx)
	d := &document.Document{
		ID: s.ids.New("doc"), PatientID: p.ID, Kind: u.Kind, ContentType: u.ContentType, Size: int64(len(u.Content)), SHA256: sum,
		Status: document.Quarantined, UploadedBy: caller.Organisation, Subject: caller.Subject, UploadedAt: s.clock.Now(),
	}
	return d, s.store.InsertDocument(ctx, d, u.Content, document.Fits)
}

// document returns a document of a patient that was found visible. Faults: NOT_FOUND.
func (s *Service) document(ctx context.Context, p *Patient, documentID string) (*document.Document, error) {
	d, err := s.store.Document(ctx, documentID)
	if err != nil {
		return nil, err
	}
	of, err := s.store.Get(ctx, d.PatientID)
	if err != nil {
		return nil, err
	}
	if of.ID != p.ID {
		return nil, fault.NotFoundf("document", documentID)
	}
	return d, nil
}

// Document returns what is known of a document.
func (s *Service) Document(ctx context.Context, patientID, documentID string) (*document.Document, error) {
	p, err := s.visible(ctx, patientID)
	if err != nil {
		return nil, err
	}
	return s.document(ctx, p, documentID)
}

// Documents returns a patient's documents, newest first.
func (s *Service) Documents(ctx context.Context, patientID string) ([]*document.Document, error) {
	p, err := s.visible(ctx, patientID)
	if err != nil {
		return nil, err
	}
	return s.store.Documents(ctx, p.ID, 500)
}

// Content returns a clean document with what it contains. Faults: NOT_FOUND, DOCUMENT_QUARANTINED.
func (s *Service) Content(ctx context.Context, patientID, documentID string) (*document.Document, []byte, error) {
	d, err := s.Document(ctx, patientID, documentID)
	if err != nil {
		return nil, nil, err
	}
	if err := d.GivenOut(); err != nil {
		return nil, nil, err
	}
	content, err := s.store.Content(ctx, d)
	return d, content, err
}

// WithdrawDocument deletes what a document contains. Faults: NOT_FOUND, RIGHT_MISSING for another organisation's,
// WRONG_STATE when it was withdrawn before.
func (s *Service) WithdrawDocument(ctx context.Context, patientID, documentID, reason string) (*document.Document, error) {
	d, err := s.Document(ctx, patientID, documentID)
	if err != nil {
		return nil, err
	}
	if d.UploadedBy != access.From(ctx).Organisation {
		return nil, fault.New(fault.PermissionDenied, fault.RightMissing, "document_id",
			"Only the organisation that uploaded a document withdraws it.", "仅上传机构可以撤销该文件。")
	}
	return s.store.UpdateDocument(ctx, documentID, func(d *document.Document) error {
		if d.Status == document.Withdrawn {
			return fault.New(fault.FailedPrecondition, fault.WrongState, "document_id", "The document was withdrawn already.", "该文件已撤销。").With("state", d.Status)
		}
		d.Status, d.WithdrawReason = document.Withdrawn, reason
		return nil
	})
}

// Scan is the job that has a document judged. One that is no longer in quarantine counts as done.
func (s *Service) Scan(ctx context.Context, documentID string) error {
	d, err := s.store.Document(ctx, documentID)
	if err != nil || d.Status != document.Quarantined {
		return err
	}
	content, err := s.store.Content(ctx, d)
	if err != nil {
		return err
	}
	verdict, err := s.scanner.Scan(ctx, content)
	if err != nil {
		return err
	}
	_, err = s.store.UpdateDocument(ctx, documentID, func(d *document.Document) error {
		if d.Status != document.Quarantined {
			return nil // withdrawn meanwhile
		}
		d.Status, d.Scanner, d.Finding, d.ScannedAt = document.Clean, verdict.Scanner, verdict.Finding, s.clock.Now()
		if !verdict.Clean {
			d.Status = document.Infected
		}
		return nil
	})
	return err
}
