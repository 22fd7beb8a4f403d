package peers

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/rpc"
)

// Clearing is clearing.Peers over gRPC.
type Clearing struct{ p *Peers }

var _ clearing.Peers = Clearing{}

// NewClearing returns peers over the connections.
func NewClearing(to Connections) Clearing { return Clearing{New(to)} }

// exchange calls ClearingExchangeService of a province.
func exchange[Req, Resp any](ctx context.Context, c Clearing, province string,
	method func(client, context.Context, *Req, ...grpc.CallOption) (*Resp, error), request *Req,
) (*Resp, error) {
	return ask(ctx, c.p, "settlement", province, func(to grpc.ClientConnInterface) func(context.Context, *Req, ...grpc.CallOption) (*Resp, error) {
		return func(ctx context.Context, request *Req, options ...grpc.CallOption) (*Resp, error) {
			return method(settlementv1.NewClearingExchangeServiceClient(to), ctx, request, options...)
		}
	}, request)
}

type client = settlementv1.ClearingExchangeServiceClient

// Totals asks another province's book.
func (c Clearing) Totals(ctx context.Context, asked clearing.Book, asker string, q clearing.TotalQuery) ([]clearing.TotalRow, error) {
	got, err := exchange(ctx, c, asked.Province, client.GetBookTotals, &settlementv1.GetBookTotalsRequest{
		Province: asked.Province, Side: rpc.SideTo(asked.Side), Asker: asker, Month: string(q.Month), Day: q.Day,
	})
	var out []clearing.TotalRow
	for _, t := range got.GetTotals() {
		out = append(out, clearing.TotalRow{
			TotalKey: clearing.TotalKey{Counterparty: asker, Month: clearing.Month(t.GetMonth()), Day: t.GetDay()}, Total: rpc.TotalFrom(t.GetTotal()),
		})
	}
	return out, err
}

// Items asks another province's book.
func (c Clearing) Items(ctx context.Context, asked clearing.Book, asker, day string, after clearing.Item, limit int) ([]clearing.Item, error) {
	got, err := exchange(ctx, c, asked.Province, client.ListBookItems, &settlementv1.ListBookItemsRequest{
		Province: asked.Province, Side: rpc.SideTo(asked.Side), Asker: asker, Day: day, AfterSource: after.Source, AfterKind: after.Kind, Limit: int32(limit),
	})
	var out []clearing.Item
	for _, i := range got.GetItems() {
		out = append(out, clearing.Item{
			Source: i.GetSource(), Kind: i.GetKind(), Day: day, Month: clearing.Month(i.GetMonth()), Clears: money.Fen(i.GetClears().GetFen()),
		})
	}
	return out, err
}

// asDeclared is a table as it was declared, whatever has become of it: what is said again is the same.
func asDeclared(t *clearing.Table) *settlementv1.ClearingTable {
	return rpc.TableTo(&clearing.Table{
		Month: t.Month, Treatment: t.Treatment, Insured: t.Insured, Status: clearing.Declared, Total: t.Total, Head: t.Head,
		Declared: t.Declared, DeclaredBy: t.DeclaredBy, Late: t.Late,
	})
}

func key(t *clearing.Table) string { return string(t.Month) + "-" + t.Treatment + "-" + t.Insured }

// SubmitTables hands tables to the national center.
func (c Clearing) SubmitTables(ctx context.Context, tables []*clearing.Table) error {
	r := &settlementv1.SubmitTablesRequest{Province: clearing.National}
	for _, t := range tables {
		r.Tables = append(r.Tables, asDeclared(t))
		r.RequestId = "submit-" + string(t.Month) + "-" + t.Treatment
	}
	_, err := exchange(ctx, c, clearing.National, client.SubmitTables, r)
	return err
}

// ReceiveTable hands a table to its insured province.
func (c Clearing) ReceiveTable(ctx context.Context, t *clearing.Table) error {
	_, err := exchange(ctx, c, t.Insured, client.DeliverTable, &settlementv1.DeliverTableRequest{
		RequestId: "deliver-" + key(t), Province: t.Insured, Table: asDeclared(t),
	})
	return err
}

// ConfirmTable hands a confirmation to the national center.
func (c Clearing) ConfirmTable(ctx context.Context, t *clearing.Table) error {
	confirmed := asDeclared(t)
	confirmed.ConfirmTime, confirmed.ConfirmedBy = timestamppb.New(t.Confirmed), t.ConfirmedBy
	_, err := exchange(ctx, c, clearing.National, client.SubmitConfirmation, &settlementv1.SubmitConfirmationRequest{
		RequestId: "confirm-" + key(t), Province: clearing.National, Table: confirmed,
	})
	return err
}

// Held asks the national center.
func (c Clearing) Held(ctx context.Context, m clearing.Month, treatment, insured string) (money.Fen, error) {
	got, err := exchange(ctx, c, clearing.National, client.GetHeld, &settlementv1.GetHeldRequest{
		Province: clearing.National, Month: string(m), TreatmentProvince: treatment, InsuredProvince: insured,
	})
	return money.Fen(got.GetHeld().GetFen()), err
}

// ReceiveNet hands a province its part of a net.
func (c Clearing) ReceiveNet(ctx context.Context, province string, run *clearing.NetRun, transfers []*clearing.Transfer) error {
	r := &settlementv1.DeliverNetRequest{RequestId: "net-" + string(run.Month) + "-" + province, Province: province, Net: rpc.NetTo(run)}
	for _, t := range transfers {
		ordered := clearing.Transfer{ID: t.ID, Month: t.Month, Payer: t.Payer, Payee: t.Payee, Status: clearing.Due, Amount: t.Amount, DueBy: t.DueBy}
		r.Remittances = append(r.Remittances, rpc.TransferTo(&ordered))
	}
	_, err := exchange(ctx, c, province, client.DeliverNet, r)
	return err
}

// ReportTransfer tells how far a transfer is.
func (c Clearing) ReportTransfer(ctx context.Context, to string, t *clearing.Transfer) error {
	told := rpc.TransferTo(t)
	told.Etag = "" // every copy counts its own versions
	_, err := exchange(ctx, c, to, client.ReportRemittance, &settlementv1.ReportRemittanceRequest{
		RequestId: "report-" + to + "-" + t.ID + "-" + string(t.Status), Province: to, Remittance: told,
	})
	return err
}

// ReceivePrepayment tells a treatment province what was paid ahead.
func (c Clearing) ReceivePrepayment(ctx context.Context, p *clearing.Prepayment) error {
	_, err := exchange(ctx, c, p.Treatment, client.DeliverPrepayment, &settlementv1.DeliverPrepaymentRequest{
		RequestId: "prepaid-" + p.ID, Province: p.Treatment, PrepaymentId: p.ID, InsuredProvince: p.Insured, Amount: rpc.Yuan(p.Amount), TopUp: p.TopUp, Reference: p.Reference,
		PayTime: timestamppb.New(p.Paid), PaidBy: p.PaidBy,
	})
	return err
}
