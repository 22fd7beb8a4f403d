package e2e

import (
	"os"
	"path/filepath"
	"time"

	"huhang.example/services/internal/clock"
)

// handsOver moves the patient of a booked case: each side signs by its own command.
func (p *somebody) handsOver(center *somebody, referralID string) {
	p.t.Helper()
	var c struct {
		Referral struct{ PatientID string }
	}
	p.read(&c, "case", "show", referralID)
	leave := clock.System().Now().Add(time.Minute).In(clock.Shanghai).Format("2006-01-02T15:04")
	var made struct {
		Transfer struct{ TransferID string }
	}
	p.read(&made, "transfer", "create", "--referral-id", referralID, "--patient-id", c.Referral.PatientID, "--from-organisation", "H-HF-01", "--to-organisation", "C-SH-01",
		"--origin-city", "340100", "--destination-city", "310100", "--not-before", leave)
	id := made.Transfer.TransferID
	file := func(text string) string {
		name := filepath.Join(p.t.TempDir(), "fields.json")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			p.t.Fatal(err)
		}
		return name
	}
	p.ok("transfer", "check-fitness", id, "--from", file(`{"fitness": {}}`))
	p.ok("transfer", "depart", id)
	center.says(1, "RIGHT_MISSING", "transfer", "sign-hand-over", id)
	p.says(0, "awaited", "transfer", "sign-hand-over", id)
	checklist := file(`{"handOver": {"items": ["HAND_OVER_ITEM_IDENTITY", "HAND_OVER_ITEM_CONSENT", "HAND_OVER_ITEM_SUMMARY", "HAND_OVER_ITEM_RESULTS",
		"HAND_OVER_ITEM_ABO_TWICE", "HAND_OVER_ITEM_DRUGS", "HAND_OVER_ITEM_INFECTION", "HAND_OVER_ITEM_VITALS", "HAND_OVER_ITEM_BELONGINGS"]}}`)
	center.says(0, "arrived", "transfer", "hand-over", id, "--from", checklist)
	p.until(referralID, "STATE_ARRIVED")
}
