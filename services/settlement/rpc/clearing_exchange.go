package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement/clearing"
)

// Exchange is ClearingExchangeService. What it is told has a key of its own besides the request's: again changes nothing,
// also years later.
type Exchange struct {
	settlementv1.UnimplementedClearingExchangeServiceServer
	use *clearing.Service
	db  *sqldb.DB
}

// NewExchange returns the server of ClearingExchangeService.
func NewExchange(use *clearing.Service, db *sqldb.DB) *Exchange { return &Exchange{use: use, db: db} }

// take takes something in, once for its key.
func take[R proto.Message](ctx context.Context, s *Exchange, r idempotency.Request, answer R, do func(ctx context.Context) error) (R, error) {
	return idempotency.Once(ctx, s.db, r, func(ctx context.Context) (R, error) { return answer, do(ctx) })
}

// GetBookTotals returns sums.
func (s *Exchange) GetBookTotals(ctx context.Context, r *settlementv1.GetBookTotalsRequest) (*settlementv1.GetBookTotalsResponse, error) {
	rows, err := s.use.BookTotals(ctx, clearing.Book{Province: r.GetProvince(), Side: side(r.GetSide())}, r.GetAsker(),
		clearing.TotalQuery{Month: clearing.Month(r.GetMonth()), Day: r.GetDay()})
	if err != nil {
		return nil, err
	}
	out := new(settlementv1.GetBookTotalsResponse)
	for _, row := range rows {
		out.Totals = append(out.Totals, &settlementv1.BookTotal{Month: string(row.Month), Day: row.Day, Total: totalTo(row.Total)})
	}
	return out, nil
}

// ListBookItems returns a day's items.
func (s *Exchange) ListBookItems(ctx context.Context, r *settlementv1.ListBookItemsRequest) (*settlementv1.ListBookItemsResponse, error) {
	items, err := s.use.BookItems(ctx, clearing.Book{Province: r.GetProvince(), Side: side(r.GetSide())}, r.GetAsker(), r.GetDay(),
		clearing.Item{Source: r.GetAfterSource(), Kind: r.GetAfterKind()}, int(r.GetLimit()))
	if err != nil {
		return nil, err
	}
	out := new(settlementv1.ListBookItemsResponse)
	for _, i := range items {
		out.Items = append(out.Items, &settlementv1.BookItem{Source: i.Source, Kind: i.Kind, Month: string(i.Month), Clears: Yuan(i.Clears)})
	}
	return out, nil
}

// SubmitTables takes tables in.
func (s *Exchange) SubmitTables(ctx context.Context, r *settlementv1.SubmitTablesRequest) (*settlementv1.SubmitTablesResponse, error) {
	tables := make([]*clearing.Table, 0, len(r.GetTables()))
	for i, t := range r.GetTables() {
		if t == nil || i > 0 && (t.GetMonth() != r.GetTables()[0].GetMonth() || t.GetTreatmentProvince() != r.GetTables()[0].GetTreatmentProvince()) {
			return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "tables", "The tables are not of one month and province.", "申报表须属于同一月份和省份。")
		}
		tables = append(tables, tableFrom(t))
	}
	return take(ctx, s, r, new(settlementv1.SubmitTablesResponse), func(ctx context.Context) error { return s.use.ReceiveTables(ctx, tables) })
}

// notItsOwn refuses a delivery that is not for whom it names.
func notItsOwn(field string) error {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, field, "This is not for the province named.", "内容与所指省份不符。")
}

// DeliverTable takes a table in.
func (s *Exchange) DeliverTable(ctx context.Context, r *settlementv1.DeliverTableRequest) (*settlementv1.DeliverTableResponse, error) {
	if r.GetTable().GetInsuredProvince() != r.GetProvince() {
		return nil, notItsOwn("table")
	}
	return take(ctx, s, r, new(settlementv1.DeliverTableResponse), func(ctx context.Context) error {
		return s.use.ReceiveTable(ctx, tableFrom(r.GetTable()))
	})
}

// SubmitConfirmation takes a confirmation in.
func (s *Exchange) SubmitConfirmation(ctx context.Context, r *settlementv1.SubmitConfirmationRequest) (*settlementv1.SubmitConfirmationResponse, error) {
	return take(ctx, s, r, new(settlementv1.SubmitConfirmationResponse), func(ctx context.Context) error {
		return s.use.TakeConfirmation(ctx, tableFrom(r.GetTable()))
	})
}

// GetHeld tells what disputes hold back.
func (s *Exchange) GetHeld(ctx context.Context, r *settlementv1.GetHeldRequest) (*settlementv1.GetHeldResponse, error) {
	held, err := s.use.HeldOf(ctx, clearing.Month(r.GetMonth()), r.GetTreatmentProvince(), r.GetInsuredProvince())
	return &settlementv1.GetHeldResponse{Held: Yuan(held)}, err
}

// DeliverNet takes a part of a net in.
func (s *Exchange) DeliverNet(ctx context.Context, r *settlementv1.DeliverNetRequest) (*settlementv1.DeliverNetResponse, error) {
	run := netFrom(r.GetNet())
	for _, l := range run.Lines {
		if l.Treatment != r.GetProvince() && l.Insured != r.GetProvince() {
			return nil, notItsOwn("net")
		}
	}
	transfers := make([]*clearing.Transfer, 0, len(r.GetRemittances()))
	for _, t := range r.GetRemittances() {
		if t.GetPayer() != r.GetProvince() && t.GetPayee() != r.GetProvince() {
			return nil, notItsOwn("transfers")
		}
		transfers = append(transfers, transferFrom(t))
	}
	return take(ctx, s, r, new(settlementv1.DeliverNetResponse), func(ctx context.Context) error {
		return s.use.ReceiveNet(ctx, r.GetProvince(), run, transfers)
	})
}

// ReportRemittance takes a report in.
func (s *Exchange) ReportRemittance(ctx context.Context, r *settlementv1.ReportRemittanceRequest) (*settlementv1.ReportRemittanceResponse, error) {
	return take(ctx, s, r, new(settlementv1.ReportRemittanceResponse), func(ctx context.Context) error {
		return s.use.TakeReport(ctx, r.GetProvince(), transferFrom(r.GetRemittance()))
	})
}

// DeliverPrepayment takes a prepayment in.
func (s *Exchange) DeliverPrepayment(ctx context.Context, r *settlementv1.DeliverPrepaymentRequest) (*settlementv1.DeliverPrepaymentResponse, error) {
	if !positive(fen(r.GetAmount())) {
		return nil, notItsOwn("amount")
	}
	p := &clearing.Prepayment{
		ID: r.GetPrepaymentId(), Insured: r.GetInsuredProvince(), Treatment: r.GetProvince(), Amount: fen(r.GetAmount()), TopUp: r.GetTopUp(),
		Reference: r.GetReference(), Paid: moment(r.GetPayTime()), PaidBy: r.GetPaidBy(),
	}
	return take(ctx, s, r, new(settlementv1.DeliverPrepaymentResponse), func(ctx context.Context) error { return s.use.TakePrepayment(ctx, p) })
}
