package store_test

import (
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

// Whoever may not, is too early, too late or has not seen the present state is refused, and nothing is changed.
func TestRefusalsChangeNothing(t *testing.T) {
	eachRig(t, true, func(t *testing.T, r *rig) {
		national := r.use[clearing.National]
		first := r.settle(shanghai, anhui, "2026-11-05", 100_000)
		r.settle(shanghai, anhui, "2026-10-05", 10_000)
		r.settle(shanghai, jiangxi, "2026-12-01", 70_000)
		r.clock.Set(time.Date(2026, 12, 10, 2, 0, 0, 0, time.UTC))
		r.declare(shanghai, "2026-10")
		r.done()
		r.confirmed(anhui, shanghai, "2026-10")
		r.done()
		r.net("2026-10")
		r.declare(shanghai, november)
		r.done()
		r.settle(shanghai, anhui, "2026-11-06", 5, ledger.Insured) // Shanghai does not know of it
		dispute, err := national.OpenDispute(as(agency(anhui)), clearing.DisputeAsk{Month: november, Treatment: shanghai, SettlementID: first, Amount: 70_000, Reason: "示范"})
		must(t, err)
		r.done()
		due, _, err := r.use[anhui].ListTransfers(as(agency(anhui)), anhui, "2026-10", "", "", 10)
		if must(t, err); len(due) != 1 {
			t.Fatalf("%d transfers", len(due))
		}
		for _, at := range []clearing.Book{{Province: shanghai, Side: ledger.Treatment}, {Province: anhui, Side: ledger.Insured}, {Province: jiangxi, Side: ledger.Insured}} {
			must(t, r.use[at.Province].SealBook(t.Context(), at))
		}
		before := r.dump()
		declare := func(who access.Caller, province string, m clearing.Month, etag string) func() error {
			return func() error {
				_, err := r.use[province].DeclareWindow(as(who), province, m, etag)
				return err
			}
		}
		confirm := func(who access.Caller, m clearing.Month, etag string) func() error {
			return func() error {
				_, err := r.use[anhui].ConfirmTable(as(who), anhui, shanghai, m, etag, r.use[anhui].PrepareConfirm(as(who), anhui, shanghai, m))
				return err
			}
		}
		open := func(who access.Caller, ask clearing.DisputeAsk) func() error {
			return func() error { _, err := national.OpenDispute(as(who), ask); return err }
		}
		pay := func(who access.Caller, province, id, etag string) func() error {
			return func() error { _, err := r.use[province].PayTransfer(as(who), province, id, etag, "x"); return err }
		}
		ask := clearing.DisputeAsk{Month: november, Treatment: shanghai, SettlementID: "stl_other", Amount: 40_000, Reason: "x"}
		for name, test := range map[string]struct {
			do   func() error
			want fault.Reason
		}{
			"declare for another province":          {declare(agency(beijing), shanghai, "2026-12", "1"), fault.RightMissing},
			"declare where another instance serves": {declare(agency(anhui), shanghai, "2026-12", "1"), fault.RightMissing},
			"declare a month that is not over":      {declare(agency(shanghai), shanghai, "2026-12", "1"), fault.WindowOpen},
			"declare a month twice":                 {declare(agency(shanghai), shanghai, november, "2"), fault.WrongState},
			"declare with an etag of yesterday":     {declare(agency(beijing), beijing, november, "2"), fault.StaleVersion},
			"confirm for another province":          {confirm(agency(jiangxi), november, "1"), fault.RightMissing},
			"confirm as operations":                 {confirm(operations, november, "1"), fault.RightMissing},
			"confirm sums that differ":              {confirm(agency(anhui), november, "1"), fault.TotalsDiffer},
			"confirm with a stale etag":             {confirm(agency(anhui), november, "9"), fault.StaleVersion},
			"confirm what was confirmed":            {confirm(agency(anhui), "2026-10", ""), fault.WrongState},
			"confirm what was not declared":         {confirm(agency(anhui), "2026-09", "1"), fault.ReasonNotFound},
			"dispute as the treatment province":     {open(agency(shanghai), ask), fault.ReasonNotFound},
			"dispute as operations":                 {open(operations, ask), fault.RightMissing},
			"dispute more than was declared":        {open(agency(anhui), ask), fault.FieldInvalid},
			"dispute a settlement twice":            {open(agency(anhui), clearing.DisputeAsk{Month: november, Treatment: shanghai, SettlementID: first, Amount: 1, Reason: "x"}), fault.WrongState},
			"dispute what was netted":               {open(agency(anhui), clearing.DisputeAsk{Month: "2026-10", Treatment: shanghai, SettlementID: "x", Amount: 1, Reason: "x"}), fault.WrongState},
			"answer as the province that opened it": {func() error { _, err := national.AnswerDispute(as(agency(anhui)), dispute.ID, "1", "x"); return err }, fault.RightMissing},
			"answer as a third province":            {func() error { _, err := national.AnswerDispute(as(agency(jiangxi)), dispute.ID, "1", "x"); return err }, fault.ReasonNotFound},
			"answer with a stale etag":              {func() error { _, err := national.AnswerDispute(as(agency(shanghai)), dispute.ID, "2", "x"); return err }, fault.StaleVersion},
			"answer no dispute": {func() error {
				_, err := national.AnswerDispute(as(agency(shanghai)), ids.New("dsp"), "1", "x")
				return err
			}, fault.ReasonNotFound},
			"decide as an agency": {func() error {
				_, err := national.DecideDispute(as(agency(anhui)), dispute.ID, "1", true, "x")
				return err
			}, fault.RightMissing},
			"decide before it was answered":      {func() error { _, err := national.DecideDispute(as(operations), dispute.ID, "1", true, "x"); return err }, fault.WrongState},
			"withdraw another's":                 {func() error { _, err := national.WithdrawDispute(as(agency(shanghai)), dispute.ID, "1"); return err }, fault.RightMissing},
			"net as an agency":                   {func() error { _, err := national.ComputeNet(as(agency(shanghai)), november, "2"); return err }, fault.RightMissing},
			"net while tables are not confirmed": {func() error { _, err := national.ComputeNet(as(operations), november, "2"); return err }, fault.WindowOpen},
			"net a month twice":                  {func() error { _, err := national.ComputeNet(as(operations), "2026-10", "2"); return err }, fault.WrongState},
			"net with a stale etag":              {func() error { _, err := national.ComputeNet(as(operations), november, "1"); return err }, fault.StaleVersion},
			"net where the center is not":        {func() error { _, err := r.use[anhui].ComputeNet(as(operations), november, "2"); return err }, fault.ProvinceNotServed},
			"pay as the payee":                   {pay(agency(shanghai), shanghai, due[0].ID, "1"), fault.RightMissing},
			"pay for another province":           {pay(agency(jiangxi), anhui, due[0].ID, "1"), fault.RightMissing},
			"pay with a stale etag":              {pay(agency(anhui), anhui, due[0].ID, "7"), fault.StaleVersion},
			"receive what was not sent": {func() error {
				_, err := r.use[shanghai].ReceiveTransfer(as(agency(shanghai)), shanghai, due[0].ID, "1")
				return err
			}, fault.WrongState},
			"prepay nothing": {func() error {
				_, err := r.use[anhui].PayPrepayment(as(agency(anhui)), anhui, shanghai, 0, false, "x")
				return err
			}, fault.FieldInvalid},
			"prepay a negative amount": {func() error {
				_, err := r.use[anhui].PayPrepayment(as(agency(anhui)), anhui, shanghai, -1, false, "x")
				return err
			}, fault.FieldInvalid},
			"prepay for another province": {func() error {
				_, err := r.use[anhui].PayPrepayment(as(agency(jiangxi)), anhui, shanghai, 5, false, "x")
				return err
			}, fault.RightMissing},
			"an agreement with itself": {func() error {
				_, err := national.PutAgreement(as(operations), clearing.Agreement{Treatment: shanghai, Insured: shanghai, Share: 1, From: november})
				return err
			}, fault.FieldInvalid},
			"an agreement by an agency": {func() error {
				_, err := national.PutAgreement(as(agency(shanghai)), clearing.Agreement{Treatment: shanghai, Insured: anhui, Share: 1, From: november})
				return err
			}, fault.RightMissing},
			"compare today":                        {func() error { return reconciled(r, agency(anhui), "2026-12-10") }, fault.TimeInvalid},
			"compare no day":                       {func() error { return reconciled(r, agency(anhui), "2026-02-30") }, fault.TimeInvalid},
			"compare for another province":         {func() error { return reconciled(r, agency(jiangxi), "2026-11-06") }, fault.RightMissing},
			"look at another province's window":    {func() error { _, err := r.use[anhui].GetWindow(as(agency(jiangxi)), anhui, november); return err }, fault.RightMissing},
			"look at another province's statement": {func() error { _, err := r.use[anhui].GetStatement(as(agency(jiangxi)), anhui, november); return err }, fault.RightMissing},
			"resolve another province's task": {func() error {
				_, err := r.use[anhui].ResolveTask(as(agency(jiangxi)), anhui, "tsk_x", "1", "x")
				return err
			}, fault.RightMissing},
			"resolve no task": {func() error {
				_, err := r.use[anhui].ResolveTask(as(agency(anhui)), anhui, "tsk_x", "1", "x")
				return err
			}, fault.ReasonNotFound},
			"tell a province what is not for its books": {func() error { return r.use[anhui].TakeReport(as(agency(anhui)), shanghai, due[0]) }, fault.ProvinceNotServed},
		} {
			if err := test.do(); !fault.Is(err, test.want) {
				t.Errorf("%s: %v, not %s", name, err, test.want)
			}
			if after := r.dump(); after != before {
				t.Fatalf("%s changed something", name)
			}
		}
		// Past the deadlines.
		r.clock.Set(dispute.AnswerBy.Add(time.Second))
		late := map[string]struct {
			do   func() error
			want fault.Reason
		}{
			"answer too late": {func() error { _, err := national.AnswerDispute(as(agency(shanghai)), dispute.ID, "1", "x"); return err }, fault.DeadlinePassed},
		}
		check := func() {
			for name, test := range late {
				if err := test.do(); !fault.Is(err, test.want) {
					t.Errorf("%s: %v, not %s", name, err, test.want)
				}
				if after := r.dump(); after != before {
					t.Fatalf("%s changed something", name)
				}
			}
		}
		check()
		r.clock.Set(clearing.ChinaRules().Of(november).Last.Add(time.Second))
		late["confirm too late"] = struct {
			do   func() error
			want fault.Reason
		}{confirm(agency(anhui), november, "1"), fault.DeadlinePassed}
		late["dispute too late"] = struct {
			do   func() error
			want fault.Reason
		}{open(agency(anhui), clearing.DisputeAsk{Month: november, Treatment: shanghai, SettlementID: "x", Amount: 1, Reason: "x"}), fault.DeadlinePassed}
		late["declare too late"] = struct {
			do   func() error
			want fault.Reason
		}{declare(agency(beijing), beijing, november, "1"), fault.DeadlinePassed}
		check()
		// What nobody confirmed until its last day counts as confirmed; operations may still declare.
		if _, err := r.use[beijing].DeclareWindow(as(operations), beijing, november, "1"); err != nil {
			t.Fatal(err)
		}
		if run := r.net(november); len(run.Positions) != 2 || run.Positions[0].Amount != 30_000 {
			t.Fatalf("the net without the disputed amount: %+v", run.Positions)
		}
	})
}

func reconciled(r *rig, who access.Caller, day string) error {
	_, err := r.use[anhui].Reconcile(as(who), r.use[anhui].Compare(as(who), clearing.Book{Province: anhui, Side: ledger.Insured}, shanghai, day, false))
	return err
}
