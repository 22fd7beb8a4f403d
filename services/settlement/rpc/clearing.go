package rpc

import (
	"context"
	"strconv"

	"google.golang.org/genproto/googleapis/api/httpbody"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/page"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/clearing/paper"
)

// Clearing is ClearingService.
type Clearing struct {
	settlementv1.UnimplementedClearingServiceServer
	use *clearing.Service
	db  *sqldb.DB
}

// NewClearing returns the server of ClearingService.
func NewClearing(use *clearing.Service, db *sqldb.DB) *Clearing { return &Clearing{use: use, db: db} }

func etagOf(version int64) string { return strconv.FormatInt(version, 10) }

// GetClearingWindow returns a month of a province.
func (s *Clearing) GetClearingWindow(ctx context.Context, r *settlementv1.GetClearingWindowRequest) (*settlementv1.GetClearingWindowResponse, error) {
	m, err := clearing.ParseMonth(r.GetMonth())
	if err != nil {
		return nil, err
	}
	w, err := s.use.GetWindow(ctx, r.GetProvince(), m)
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetClearingWindowResponse{Window: windowTo(w)}, nil
}

// DeclareClearingWindow declares a month.
func (s *Clearing) DeclareClearingWindow(ctx context.Context, r *settlementv1.DeclareClearingWindowRequest) (*settlementv1.DeclareClearingWindowResponse, error) {
	m, err := clearing.ParseMonth(r.GetMonth())
	if err != nil {
		return nil, err
	}
	if err := s.use.PrepareDeclare(ctx, r.GetProvince()); err != nil {
		return nil, err
	}
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.DeclareClearingWindowResponse, error) {
		w, err := s.use.DeclareWindow(ctx, r.GetProvince(), m, r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.DeclareClearingWindowResponse{Window: windowTo(w)}, nil
	})
}

// ConfirmClearingTable agrees to a table.
func (s *Clearing) ConfirmClearingTable(ctx context.Context, r *settlementv1.ConfirmClearingTableRequest) (*settlementv1.ConfirmClearingTableResponse, error) {
	m, err := clearing.ParseMonth(r.GetMonth())
	if err != nil {
		return nil, err
	}
	prepared := s.use.PrepareConfirm(ctx, r.GetProvince(), r.GetTreatmentProvince(), m)
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.ConfirmClearingTableResponse, error) {
		t, err := s.use.ConfirmTable(ctx, r.GetProvince(), r.GetTreatmentProvince(), m, r.GetEtag(), prepared)
		if err != nil {
			return nil, err
		}
		return &settlementv1.ConfirmClearingTableResponse{Table: TableTo(t)}, nil
	})
}

// ReconcileDay compares a day.
func (s *Clearing) ReconcileDay(ctx context.Context, r *settlementv1.ReconcileDayRequest) (*settlementv1.ReconcileDayResponse, error) {
	compared := s.use.Compare(ctx, clearing.Book{Province: r.GetProvince(), Side: side(r.GetSide())}, r.GetCounterparty(), r.GetDay(), r.GetItems())
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.ReconcileDayResponse, error) {
		out, err := s.use.Reconcile(ctx, compared)
		if err != nil {
			return nil, err
		}
		return &settlementv1.ReconcileDayResponse{Reconciliation: reconciliationTo(out)}, nil
	})
}

// paged lists one page.
func paged[T, W any](size int32, token string, to func(T) W, read func(after string, limit int) ([]T, string, error), filter ...string) ([]W, string, error) {
	bound := page.Filter(append([]string{"clearing"}, filter...)...)
	cursor, err := page.Parse(bound, token)
	if err != nil {
		return nil, "", err
	}
	all, next, err := read(cursor, page.Size(size, pageDefault, pageMost))
	if err != nil {
		return nil, "", err
	}
	out := make([]W, 0, len(all))
	for _, v := range all {
		out = append(out, to(v))
	}
	return out, page.Token(bound, next), nil
}

// ListClearingTasks lists tasks.
func (s *Clearing) ListClearingTasks(ctx context.Context, r *settlementv1.ListClearingTasksRequest) (*settlementv1.ListClearingTasksResponse, error) {
	status := clearing.TaskStatus(code(taskPrefix, r.GetStatus().String()))
	all, next, err := paged(r.GetPageSize(), r.GetPageToken(), taskTo, func(after string, limit int) ([]*clearing.Task, string, error) {
		return s.use.ListTasks(ctx, r.GetProvince(), status, after, limit)
	}, "tasks", r.GetProvince(), string(status))
	return &settlementv1.ListClearingTasksResponse{Tasks: all, NextPageToken: next}, err
}

// ResolveClearingTask resolves a task.
func (s *Clearing) ResolveClearingTask(ctx context.Context, r *settlementv1.ResolveClearingTaskRequest) (*settlementv1.ResolveClearingTaskResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.ResolveClearingTaskResponse, error) {
		t, err := s.use.ResolveTask(ctx, r.GetProvince(), r.GetTaskId(), r.GetEtag(), r.GetResolution())
		if err != nil {
			return nil, err
		}
		return &settlementv1.ResolveClearingTaskResponse{Task: taskTo(t)}, nil
	})
}

// GetPrepayment judges a prepayment.
func (s *Clearing) GetPrepayment(ctx context.Context, r *settlementv1.GetPrepaymentRequest) (*settlementv1.GetPrepaymentResponse, error) {
	year := r.GetYear()
	if year == 0 {
		year = int32(s.use.ThisYear())
	}
	p, err := s.use.GetPrepayment(ctx, r.GetProvince(), r.GetTreatmentProvince(), int(year))
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetPrepaymentResponse{Prepayment: prepaymentTo(r.GetProvince(), r.GetTreatmentProvince(), year, p)}, nil
}

// PayPrepayment records money paid ahead.
func (s *Clearing) PayPrepayment(ctx context.Context, r *settlementv1.PayPrepaymentRequest) (*settlementv1.PayPrepaymentResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.PayPrepaymentResponse, error) {
		_, err := s.use.PayPrepayment(ctx, r.GetProvince(), r.GetTreatmentProvince(), fen(r.GetAmount()), r.GetTopUp(), r.GetReference())
		if err != nil {
			return nil, err
		}
		year := s.use.ThisYear()
		p, err := s.use.GetPrepayment(ctx, r.GetProvince(), r.GetTreatmentProvince(), year)
		if err != nil {
			return nil, err
		}
		return &settlementv1.PayPrepaymentResponse{Prepayment: prepaymentTo(r.GetProvince(), r.GetTreatmentProvince(), int32(year), p)}, nil
	})
}

// ListRemittances lists transfers.
func (s *Clearing) ListRemittances(ctx context.Context, r *settlementv1.ListRemittancesRequest) (*settlementv1.ListRemittancesResponse, error) {
	status := clearing.TransferStatus(code(transferPrefix, r.GetStatus().String()))
	all, next, err := paged(r.GetPageSize(), r.GetPageToken(), TransferTo, func(after string, limit int) ([]*clearing.Transfer, string, error) {
		return s.use.ListTransfers(ctx, r.GetProvince(), clearing.Month(r.GetMonth()), status, after, limit)
	}, "transfers", r.GetProvince(), r.GetMonth(), string(status))
	return &settlementv1.ListRemittancesResponse{Remittances: all, NextPageToken: next}, err
}

// PayRemittance records that money was sent.
func (s *Clearing) PayRemittance(ctx context.Context, r *settlementv1.PayRemittanceRequest) (*settlementv1.PayRemittanceResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.PayRemittanceResponse, error) {
		t, err := s.use.PayTransfer(ctx, r.GetProvince(), r.GetRemittanceId(), r.GetEtag(), r.GetReference())
		if err != nil {
			return nil, err
		}
		return &settlementv1.PayRemittanceResponse{Remittance: TransferTo(t)}, nil
	})
}

// ReceiveRemittance records that money has arrived.
func (s *Clearing) ReceiveRemittance(ctx context.Context, r *settlementv1.ReceiveRemittanceRequest) (*settlementv1.ReceiveRemittanceResponse, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (*settlementv1.ReceiveRemittanceResponse, error) {
		t, err := s.use.ReceiveTransfer(ctx, r.GetProvince(), r.GetRemittanceId(), r.GetEtag())
		if err != nil {
			return nil, err
		}
		return &settlementv1.ReceiveRemittanceResponse{Remittance: TransferTo(t)}, nil
	})
}

func (s *Clearing) statement(ctx context.Context, province, month string) (*clearing.Statement, error) {
	m, err := clearing.ParseMonth(month)
	if err != nil {
		return nil, err
	}
	if err := s.use.PrepareStatement(ctx, province); err != nil {
		return nil, err
	}
	return s.use.GetStatement(ctx, province, m)
}

// GetClearingStatement returns a month's statement.
func (s *Clearing) GetClearingStatement(ctx context.Context, r *settlementv1.GetClearingStatementRequest) (*settlementv1.GetClearingStatementResponse, error) {
	out, err := s.statement(ctx, r.GetProvince(), r.GetMonth())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetClearingStatementResponse{Statement: clearingStatementTo(out)}, nil
}

// DownloadClearingStatement returns it as a file.
func (s *Clearing) DownloadClearingStatement(ctx context.Context, r *settlementv1.DownloadClearingStatementRequest) (*httpbody.HttpBody, error) {
	out, err := s.statement(ctx, r.GetProvince(), r.GetMonth())
	if err != nil {
		return nil, err
	}
	language := paper.Language(r.GetLanguage())
	if language == "" {
		language = paper.Chinese
	}
	if r.GetFormat() == settlementv1.StatementFormat_STATEMENT_FORMAT_HTML {
		text, err := paper.Page(out, language)
		return &httpbody.HttpBody{ContentType: "text/html; charset=utf-8", Data: text}, err
	}
	text, err := paper.CSV(out, language)
	return &httpbody.HttpBody{ContentType: "text/csv; charset=utf-8", Data: text}, err
}

const verifyDefault = 5000

// VerifyLedger follows a book.
func (s *Clearing) VerifyLedger(ctx context.Context, r *settlementv1.VerifyLedgerRequest) (*settlementv1.VerifyLedgerResponse, error) {
	limit := int(r.GetLimit())
	if limit == 0 {
		limit = verifyDefault
	}
	if from := r.GetFrom(); from.GetSequence() < 0 || (from.GetSequence() == 0) != (from.GetHash() == "") {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "from", "A place is a number and its hash.", "位置须同时包含序号和哈希。")
	}
	v, err := s.use.VerifyLedger(ctx, clearing.Book{Province: r.GetProvince(), Side: side(r.GetSide())}, bookFrom(r.GetFrom()), limit)
	if err != nil {
		return nil, err
	}
	out := &settlementv1.VerifyLedgerResponse{Verified: bookTo(v.Chain), Head: bookTo(v.Head), Complete: v.Complete}
	if b := v.Break; b != nil {
		out.Damage = settlementv1.LedgerDamage(number(settlementv1.LedgerDamage_value, damagePrefix, string(b.Damage)))
		out.DamagedSequence, out.DamagedEntryId = b.Seq, b.EntryID
	}
	return out, nil
}
