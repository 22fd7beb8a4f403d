package clearing

import (
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
)

// TableStatus is the life of a table.
type TableStatus string

// The states.
const (
	Declared  TableStatus = "DECLARED"  // 已申报
	Confirmed TableStatus = "CONFIRMED" // 已确认
	Netted    TableStatus = "NETTED"    // 已轧差
)

// Table is what a treatment province declares of a month for one insured province (清算申报表). Each of the two provinces
// and the national center has a copy; the national one decides.
type Table struct {
	Month     Month       `json:"-"`
	Treatment string      `json:"-"`
	Insured   string      `json:"-"`
	Status    TableStatus `json:"-"`
	Version   int64       `json:"-"`
	Total     Total       `json:"total"`
	// Head is the end of the treatment province's book when it declared: an anchor outside its own database.
	Head ledger.Chain `json:"head"`
	// Declared is when, DeclaredBy who; Late that it was after the month's deadline.
	Declared   time.Time `json:"declared"`
	DeclaredBy string    `json:"declared_by"`
	Late       bool      `json:"late,omitempty"`
	// Confirmed is when, ConfirmedBy who.
	Confirmed   time.Time `json:"confirmed"`
	ConfirmedBy string    `json:"confirmed_by,omitempty"`
	// NettedIn is the month whose net has taken it.
	NettedIn Month `json:"netted_in,omitempty"`
}

func tableID(m Month, treatment, insured string) string {
	return string(m) + "_" + treatment + "_" + insured
}

// Line is what a net takes of the claims of one province on another, and where it goes.
type Line struct {
	Treatment string `json:"treatment"`
	Insured   string `json:"insured"`
	Month     Month  `json:"month"`
	// Cleared goes to the positions, Shared is borne by the treatment province by agreement, Waived by decision of a
	// dispute. The claim goes down by their sum.
	Cleared money.Fen `json:"cleared"`
	Shared  money.Fen `json:"shared,omitempty"`
	Waived  money.Fen `json:"waived,omitempty"`
	// Dispute is set where the line is the outcome of one.
	Dispute string `json:"dispute,omitempty"`
}

// Claim is by how much the claim goes down.
func (l Line) Claim() money.Fen { return l.Cleared + l.Shared + l.Waived }

// NetRun is the outcome of a month's netting (全国清算结果).
type NetRun struct {
	Month     Month      `json:"-"`
	Version   int64      `json:"-"`
	Lines     []Line     `json:"lines"`
	Positions []Position `json:"positions"`
	Computed  time.Time  `json:"computed"`
	By        string     `json:"by"`
}

// TransferStatus is the life of a transfer.
type TransferStatus string

// The states.
const (
	Due      TransferStatus = "DUE"      // 待划拨
	Sent     TransferStatus = "SENT"     // 已拨出
	Received TransferStatus = "RECEIVED" // 已到账
)

// Transfer is one remittance of a net (财政划拨). Payer, payee and the national center each have a copy.
type Transfer struct {
	ID      string         `json:"-"`
	Month   Month          `json:"-"`
	Payer   string         `json:"-"`
	Payee   string         `json:"-"`
	Status  TransferStatus `json:"-"`
	Version int64          `json:"-"`
	Amount  money.Fen      `json:"amount"`
	DueBy   time.Time      `json:"due_by"`
	// Reference is the bank's, given by the payer.
	Reference  string    `json:"reference,omitempty"`
	Sent       time.Time `json:"sent"`
	SentBy     string    `json:"sent_by,omitempty"`
	Received   time.Time `json:"received"`
	ReceivedBy string    `json:"received_by,omitempty"`
	SentLate   bool      `json:"sent_late,omitempty"`
}

// TaskStatus is the life of a task.
type TaskStatus string

// The states.
const (
	TaskOpen     TaskStatus = "OPEN"
	TaskResolved TaskStatus = "RESOLVED"
)

// Task is something an agency has to clear up (差异处理任务).
type Task struct {
	ID           string      `json:"-"`
	Province     string      `json:"-"`
	Counterparty string      `json:"-"`
	Month        Month       `json:"-"`
	Status       TaskStatus  `json:"-"`
	Version      int64       `json:"-"`
	Side         ledger.Side `json:"side"`
	What         What        `json:"what"`
	Day          string      `json:"day,omitempty"`
	Source       string      `json:"source,omitempty"`
	Kind         string      `json:"kind,omitempty"`
	Here         money.Fen   `json:"here"`
	There        money.Fen   `json:"there"`
	Level        Level       `json:"level,omitempty"`
	// Owner is the agency that has to do it.
	Owner      string    `json:"owner"`
	Created    time.Time `json:"created"`
	Resolved   time.Time `json:"resolved"`
	ResolvedBy string    `json:"resolved_by,omitempty"`
	Resolution string    `json:"resolution,omitempty"`
}
