package clearing

import (
	"context"

	"huhang.example/services/internal/money"
)

// Direct is Peers within one process: rehearsals and tests have all provinces there.
type Direct struct {
	// Of answers the service of a province.
	Of func(province string) *Service
}

var _ Peers = Direct{}

// Totals asks another province's book.
func (d Direct) Totals(ctx context.Context, asked Book, asker string, q TotalQuery) ([]TotalRow, error) {
	return d.Of(asked.Province).BookTotals(own(ctx), asked, asker, q)
}

// Items asks another province's book.
func (d Direct) Items(ctx context.Context, asked Book, asker, day string, after Item, limit int) ([]Item, error) {
	return d.Of(asked.Province).BookItems(own(ctx), asked, asker, day, after, limit)
}

// SubmitTables hands tables to the national center.
func (d Direct) SubmitTables(ctx context.Context, tables []*Table) error {
	return d.Of(National).ReceiveTables(own(ctx), tables)
}

// ReceiveTable hands a table to its insured province.
func (d Direct) ReceiveTable(ctx context.Context, t *Table) error {
	return d.Of(t.Insured).ReceiveTable(own(ctx), t)
}

// ConfirmTable hands a confirmation to the national center.
func (d Direct) ConfirmTable(ctx context.Context, t *Table) error {
	return d.Of(National).TakeConfirmation(own(ctx), t)
}

// Held asks the national center.
func (d Direct) Held(ctx context.Context, m Month, treatment, insured string) (money.Fen, error) {
	return d.Of(National).HeldOf(own(ctx), m, treatment, insured)
}

// ReceiveNet hands a province its part of a net.
func (d Direct) ReceiveNet(ctx context.Context, province string, run *NetRun, transfers []*Transfer) error {
	return d.Of(province).ReceiveNet(own(ctx), province, run, transfers)
}

// ReportTransfer tells a province how far a transfer is.
func (d Direct) ReportTransfer(ctx context.Context, to string, t *Transfer) error {
	return d.Of(to).TakeReport(own(ctx), to, t)
}

// ReceivePrepayment tells a treatment province what was paid ahead.
func (d Direct) ReceivePrepayment(ctx context.Context, p *Prepayment) error {
	return d.Of(p.Treatment).TakePrepayment(own(ctx), p)
}
