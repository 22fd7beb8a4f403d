package settlement

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/split"
)

// SplitInput is what the insured province needs to know of a stay; it never changes once a message carries it.
type SplitInput struct {
	PatientID         string       `json:"patient_id"`
	InsuredProvince   string       `json:"insured_province"`
	TreatmentProvince string       `json:"treatment_province"`
	TreatmentCity     string       `json:"treatment_city"`
	CenterID          string       `json:"center_id"`
	ClaimID           string       `json:"claim_id"`
	ReferralID        string       `json:"referral_id"`
	AdmissionDate     string       `json:"admission_date"`
	DischargeDate     string       `json:"discharge_date"`
	Totals            split.Totals `json:"totals"`
	// BusinessDay is the day of the treatment province on which it was sent first: both provinces book it under this day.
	BusinessDay string `json:"business_day,omitempty"`
	// Kind is empty for a stay.
	Kind ClaimKind `json:"kind,omitempty"`
	// Emergency is deemed filed.
	Emergency bool `json:"emergency,omitempty"`
	// Facts are what supervision at the insured province goes by.
	Facts *StayFacts `json:"facts,omitempty"`
}

func (in SplitInput) check() error {
	for field, day := range map[string]string{"input.admission_date": in.AdmissionDate, "input.discharge_date": in.DischargeDate} {
		if err := checkDay(field, day); err != nil {
			return err
		}
	}
	if in.DischargeDate < in.AdmissionDate {
		return timeInvalid("input.discharge_date", "The discharge lies before the admission.", "出院日早于入院日。")
	}
	return in.Totals.Check()
}

// onBusinessDay returns the day both provinces book under, or today where a treatment province named none. A day beyond
// what clocks differ by is refused: its window would close too late.
func (s *Service) onBusinessDay(day, field string) (string, error) {
	if day == "" {
		return s.today(), nil
	}
	if err := checkDay(field, day); err != nil {
		return "", err
	}
	if day > s.latestDay() {
		return "", timeInvalid(field, "The business day lies in the future.", "业务日期在将来。")
	}
	return day, nil
}

func hashOf(parts ...any) (string, error) {
	text, err := json.Marshal(parts)
	if err != nil {
		return "", fmt.Errorf("settlement: hash: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Answer is the insured province's answer: a split, and when it was committed its settlement.
type Answer struct {
	SettlementID string       `json:"settlement_id"`
	FilingID     string       `json:"filing_id"`
	Split        split.Result `json:"split"`
}

// Settlement is one settlement as the treatment province keeps it (结算).
type Settlement struct {
	ID        string    `json:"-"`
	ClaimID   string    `json:"-"`
	MessageID string    `json:"-"`
	Reversed  bool      `json:"-"`
	Time      time.Time `json:"time"`
	Answer    Answer    `json:"answer"`
}

// MessageKind is what a message asks of the insured province.
type MessageKind string

// The kinds.
const (
	Commit  MessageKind = "COMMIT"
	Reverse MessageKind = "REVERSE"
)

// MessageStatus is what became of a message at the insured province.
type MessageStatus string

// The states; none is ever left but COMMITTED, by a reversal.
const (
	MessageCommitted MessageStatus = "COMMITTED"
	MessageReversed  MessageStatus = "REVERSED"
	// MessageClosed is a message that was asked about before it arrived: it is refused for ever.
	MessageClosed MessageStatus = "CLOSED"
)

// Message is one message as the insured province keeps it (报文), by the id the treatment province gave it.
type Message struct {
	ID        string        `json:"-"`
	Province  string        `json:"-"`
	Kind      MessageKind   `json:"-"`
	Status    MessageStatus `json:"-"`
	ClaimID   string        `json:"-"`
	Hash      string        `json:"hash"`
	PatientID string        `json:"patient_id,omitempty"`
	Year      string        `json:"year,omitempty"`
	// ReferralID is the case; what its stays were charged as deductible may go on from one to the next (连续计算).
	ReferralID string `json:"referral_id,omitempty"`
	// Treatment is the treatment province.
	Treatment string `json:"treatment,omitempty"`
	// Preauthorisation is the one that the settlement spent.
	Preauthorisation string    `json:"preauthorisation,omitempty"`
	Answer           Answer    `json:"answer"`
	Created          time.Time `json:"created"`
}

// insuredEntry is a settlement in the insured province's books: its funds owe the treatment province.
func insuredEntry(id, province, treatment, day string, a Answer) (ledger.Entry, error) {
	var postings []ledger.Posting
	for _, s := range a.Split.Shares {
		if s.Payer != split.Cash {
			postings = append(postings, ledger.Posting{Account: ledger.Fund(province, string(s.Payer)), Debit: s.Amount})
		}
	}
	postings = append(postings, ledger.Posting{Account: ledger.PayableTo(province, treatment), Credit: a.Split.Funds()})
	return ledger.New(ledger.Head{ID: id, Province: province, Side: ledger.Insured, Kind: ledger.Settlement, Source: a.SettlementID, Counterparty: treatment, Day: day}, postings...)
}

// treatmentEntry is the same in the treatment province's books: the hospital is owed the bill, the insured province and
// the patient stand for it.
func treatmentEntry(id string, c *Claim, a Answer) (ledger.Entry, error) {
	funds := a.Split.Funds()
	return ledger.New(
		ledger.Head{ID: id, Province: c.Province, Side: ledger.Treatment, Kind: ledger.Settlement, Source: a.SettlementID, Counterparty: c.InsuredProvince, Day: c.Input.BusinessDay},
		ledger.Posting{Account: ledger.ReceivableFrom(c.Province, c.InsuredProvince), Debit: funds},
		ledger.Posting{Account: ledger.PatientCash(c.Province, c.CenterID), Debit: a.Split.Total - funds},
		ledger.Posting{Account: ledger.HospitalPayable(c.Province, c.CenterID), Credit: a.Split.Total},
	)
}
