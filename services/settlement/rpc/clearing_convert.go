package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

const (
	sidePrefix       = "BOOK_SIDE_"
	tablePrefix      = "CLEARING_TABLE_STATUS_"
	taskPrefix       = "CLEARING_TASK_STATUS_"
	differencePrefix = "DIFFERENCE_KIND_"
	levelPrefix      = "PREPAYMENT_LEVEL_"
	transferPrefix   = "REMITTANCE_STATUS_"
	disputePrefix    = "DISPUTE_STATUS_"
	damagePrefix     = "LEDGER_DAMAGE_"
)

// code is an enum's name without its prefix; empty for the value that names none.
func code(prefix, name string) string {
	if name = strings.TrimPrefix(name, prefix); name == "UNSPECIFIED" {
		return ""
	}
	return name
}

func side(s settlementv1.BookSide) ledger.Side {
	return ledger.Side(strings.ToLower(code(sidePrefix, s.String())))
}

// SideTo writes a side.
func SideTo(s ledger.Side) settlementv1.BookSide {
	return settlementv1.BookSide(number(settlementv1.BookSide_value, sidePrefix, string(s)))
}

// when leaves an unset time unset.
func when(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func totalTo(t clearing.Total) *settlementv1.ClearingTotal {
	return &settlementv1.ClearingTotal{Items: t.Items, Clears: Yuan(t.Clears)}
}

// TotalFrom reads a sum.
func TotalFrom(t *settlementv1.ClearingTotal) clearing.Total {
	return clearing.Total{Items: t.GetItems(), Clears: fen(t.GetClears())}
}

func bookTo(c ledger.Chain) *settlementv1.BookHead {
	return &settlementv1.BookHead{Sequence: c.Seq, Hash: c.Hash}
}

func bookFrom(b *settlementv1.BookHead) ledger.Chain {
	return ledger.Chain{Seq: b.GetSequence(), Hash: b.GetHash()}
}

// TableTo writes a table.
func TableTo(t *clearing.Table) *settlementv1.ClearingTable {
	return &settlementv1.ClearingTable{
		Month: string(t.Month), TreatmentProvince: t.Treatment, InsuredProvince: t.Insured,
		Status: settlementv1.ClearingTableStatus(number(settlementv1.ClearingTableStatus_value, tablePrefix, string(t.Status))),
		Total:  totalTo(t.Total), Book: bookTo(t.Head), DeclareTime: when(t.Declared), DeclaredBy: t.DeclaredBy, Late: t.Late,
		ConfirmTime: when(t.Confirmed), ConfirmedBy: t.ConfirmedBy, NettedIn: string(t.NettedIn), Etag: etagOf(t.Version),
	}
}

func tableFrom(t *settlementv1.ClearingTable) *clearing.Table {
	return &clearing.Table{
		Month: clearing.Month(t.GetMonth()), Treatment: t.GetTreatmentProvince(), Insured: t.GetInsuredProvince(),
		Status: clearing.TableStatus(code(tablePrefix, t.GetStatus().String())), Total: TotalFrom(t.GetTotal()), Head: bookFrom(t.GetBook()),
		Declared: moment(t.GetDeclareTime()), DeclaredBy: t.GetDeclaredBy(), Late: t.GetLate(),
		Confirmed: moment(t.GetConfirmTime()), ConfirmedBy: t.GetConfirmedBy(),
	}
}

func tablesTo(all []*clearing.Table) []*settlementv1.ClearingTable {
	out := make([]*settlementv1.ClearingTable, 0, len(all))
	for _, t := range all {
		out = append(out, TableTo(t))
	}
	return out
}

func windowTo(w *clearing.Window) *settlementv1.ClearingWindow {
	d := w.Deadlines
	return &settlementv1.ClearingWindow{
		Province: w.Province, Month: string(w.Month), Declared: w.Declared, Total: totalTo(w.Total), Given: tablesTo(w.Given), Got: tablesTo(w.Got), Etag: etagOf(w.Version),
		Dates: &settlementv1.ClearingDates{
			EndTime: when(d.Ends), DeclareBy: when(d.Declare), NationalBy: when(d.National), LastTime: when(d.Last), YearCloses: when(d.YearCloses),
		},
	}
}

func reconciliationTo(r clearing.Reconciliation) *settlementv1.Reconciliation {
	return &settlementv1.Reconciliation{
		Side: SideTo(r.Side), Counterparty: r.Counterparty, Day: r.Day, Here: totalTo(r.Here), There: totalTo(r.There), Detailed: r.Detailed,
		Differences: int32(r.Differences), Followed: int32(r.Followed), Time: when(r.At),
	}
}

func taskTo(t *clearing.Task) *settlementv1.ClearingTask {
	return &settlementv1.ClearingTask{
		TaskId: t.ID, Province: t.Province, Counterparty: t.Counterparty, Side: SideTo(t.Side),
		Kind: settlementv1.DifferenceKind(number(settlementv1.DifferenceKind_value, differencePrefix, string(t.What))), Day: t.Day,
		SettlementId: t.Source, Reversal: t.Kind == string(ledger.Reversal), Here: Yuan(t.Here), There: Yuan(t.There),
		Level: settlementv1.PrepaymentLevel(number(settlementv1.PrepaymentLevel_value, levelPrefix, string(t.Level))), Owner: t.Owner,
		Status:     settlementv1.ClearingTaskStatus(number(settlementv1.ClearingTaskStatus_value, taskPrefix, string(t.Status))),
		CreateTime: when(t.Created), ResolveTime: when(t.Resolved), ResolvedBy: t.ResolvedBy, Resolution: t.Resolution, Etag: etagOf(t.Version),
	}
}

func prepaymentTo(province, treatment string, year int32, p clearing.Prepaid) *settlementv1.Prepayment {
	return &settlementv1.Prepayment{
		Province: province, TreatmentProvince: treatment, Year: year, Proposed: Yuan(p.Proposed), Paid: Yuan(p.Paid), Used: Yuan(p.Used),
		UsedBasisPoints: p.UsedShare, TopUp: Yuan(p.TopUp),
		Level: settlementv1.PrepaymentLevel(number(settlementv1.PrepaymentLevel_value, levelPrefix, string(p.Level))),
	}
}

// TransferTo writes a transfer.
func TransferTo(t *clearing.Transfer) *settlementv1.Remittance {
	return &settlementv1.Remittance{
		RemittanceId: t.ID, Month: string(t.Month), Payer: t.Payer, Payee: t.Payee, Amount: Yuan(t.Amount),
		Status: settlementv1.RemittanceStatus(number(settlementv1.RemittanceStatus_value, transferPrefix, string(t.Status))),
		DueBy:  when(t.DueBy), Reference: t.Reference, SendTime: when(t.Sent), SentBy: t.SentBy, SentLate: t.SentLate,
		ReceiveTime: when(t.Received), ReceivedBy: t.ReceivedBy, Etag: etagOf(t.Version),
	}
}

func transferFrom(t *settlementv1.Remittance) *clearing.Transfer {
	return &clearing.Transfer{
		ID: t.GetRemittanceId(), Month: clearing.Month(t.GetMonth()), Payer: t.GetPayer(), Payee: t.GetPayee(), Amount: fen(t.GetAmount()),
		Status: clearing.TransferStatus(code(transferPrefix, t.GetStatus().String())), DueBy: moment(t.GetDueBy()), Reference: t.GetReference(),
		Sent: moment(t.GetSendTime()), SentBy: t.GetSentBy(), SentLate: t.GetSentLate(), Received: moment(t.GetReceiveTime()), ReceivedBy: t.GetReceivedBy(),
	}
}

// TransfersTo writes transfers.
func TransfersTo(all []*clearing.Transfer) []*settlementv1.Remittance {
	out := make([]*settlementv1.Remittance, 0, len(all))
	for _, t := range all {
		out = append(out, TransferTo(t))
	}
	return out
}

// NetTo writes a net.
func NetTo(run *clearing.NetRun) *settlementv1.Net {
	if run == nil {
		return nil
	}
	out := &settlementv1.Net{Month: string(run.Month), ComputeTime: when(run.Computed), ComputedBy: run.By}
	for _, l := range run.Lines {
		out.Lines = append(out.Lines, &settlementv1.NetLine{
			TreatmentProvince: l.Treatment, InsuredProvince: l.Insured, Month: string(l.Month), Cleared: Yuan(l.Cleared), Shared: Yuan(l.Shared),
			Waived: Yuan(l.Waived), DisputeId: l.Dispute,
		})
	}
	for _, p := range run.Positions {
		out.Positions = append(out.Positions, &settlementv1.NetPosition{Province: p.Province, Amount: Yuan(p.Amount)})
	}
	return out
}

func netFrom(n *settlementv1.Net) *clearing.NetRun {
	run := &clearing.NetRun{Month: clearing.Month(n.GetMonth()), Computed: moment(n.GetComputeTime()), By: n.GetComputedBy()}
	for _, l := range n.GetLines() {
		run.Lines = append(run.Lines, clearing.Line{
			Treatment: l.GetTreatmentProvince(), Insured: l.GetInsuredProvince(), Month: clearing.Month(l.GetMonth()),
			Cleared: fen(l.GetCleared()), Shared: fen(l.GetShared()), Waived: fen(l.GetWaived()), Dispute: l.GetDisputeId(),
		})
	}
	for _, p := range n.GetPositions() {
		run.Positions = append(run.Positions, clearing.Position{Province: p.GetProvince(), Amount: fen(p.GetAmount())})
	}
	return run
}

func disputeTo(d *clearing.Dispute) *settlementv1.Dispute {
	return &settlementv1.Dispute{
		DisputeId: d.ID, Month: string(d.Month), TreatmentProvince: d.Treatment, InsuredProvince: d.Insured, SettlementId: d.SettlementID,
		Amount: Yuan(d.Amount), Reason: d.Reason, Answer: d.Answer, Decision: d.Decision,
		Status:   settlementv1.DisputeStatus(number(settlementv1.DisputeStatus_value, disputePrefix, string(d.Status))),
		OpenedBy: d.OpenedBy, AnsweredBy: d.AnsweredBy, DecidedBy: d.DecidedBy, OpenTime: when(d.Opened), AnswerBy: when(d.AnswerBy),
		DecideBy: when(d.DecideBy), DecideTime: when(d.Decided), NettedIn: string(d.NettedIn), Etag: etagOf(d.Version),
	}
}

func agreementTo(a *clearing.Signed) *settlementv1.Agreement {
	return &settlementv1.Agreement{
		AgreementId: a.ID, TreatmentProvince: a.Treatment, InsuredProvince: a.Insured, ShareBasisPoints: int64(a.Share), FromMonth: string(a.From),
		ToMonth: string(a.To), Title: a.Title,
	}
}

func clearingStatementTo(s *clearing.Statement) *settlementv1.ClearingStatement {
	out := &settlementv1.ClearingStatement{
		Province: s.Province, Month: string(s.Month), Time: when(s.Made), Declared: s.Declared, Net: Yuan(s.Net), ComputeTime: when(s.Computed),
		Remittances: TransfersTo(s.Transfers),
	}
	for _, l := range s.Lines {
		line := &settlementv1.ClearingStatementLine{
			Side: SideTo(l.Side), Counterparty: l.Other, Before: Yuan(l.Before), Window: totalTo(l.Window), Taken: Yuan(l.Taken), Shared: Yuan(l.Shared),
			Waived: Yuan(l.Waived), After: Yuan(l.After), Later: Yuan(l.Later), Ledger: Yuan(l.Ledger),
		}
		if l.Table != nil {
			line.Table = TableTo(l.Table)
		}
		out.Lines = append(out.Lines, line)
	}
	for _, b := range s.Books {
		if b.Side == ledger.Treatment {
			out.TreatmentBook = bookTo(b.Head)
		} else {
			out.InsuredBook = bookTo(b.Head)
		}
	}
	return out
}

// positive refuses an amount that is none.
func positive(amount money.Fen) bool { return amount > 0 && amount <= 1_000_000_000_000_000 }
