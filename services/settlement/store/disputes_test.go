package store_test

import (
	"testing"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

// A disputed amount is held back, and goes where its decision sends it.
func TestDispute(t *testing.T) {
	for name, test := range map[string]struct {
		upheld, withdrawn bool
		// paid is what the net after the decision moves, waived what it takes off the claim.
		paid, waived money.Fen
	}{
		"upheld": {upheld: true, waived: 40_000}, "rejected": {paid: 40_000}, "withdrawn": {withdrawn: true, paid: 40_000},
	} {
		t.Run(name, func(t *testing.T) {
			eachRig(t, true, func(t *testing.T, r *rig) {
				national := r.use[clearing.National]
				r.settle(shanghai, anhui, "2026-11-05", 100_000)
				bad := r.settle(shanghai, anhui, "2026-11-06", 40_000, ledger.Treatment) // Anhui knows nothing of it
				r.clock.Set(time.Date(2026, 12, 10, 2, 0, 0, 0, time.UTC))
				r.declare(shanghai, november)
				r.done()
				tasks, _, err := r.use[anhui].ListTasks(as(agency(anhui)), anhui, clearing.TaskOpen, "", 10)
				if must(t, err); len(tasks) != 1 || tasks[0].What != clearing.OnlyThere || tasks[0].Source != bad || tasks[0].Owner != "A-340000" || tasks[0].There != 40_000 {
					t.Fatalf("the tasks of the difference: %+v", tasks)
				}
				if _, err := r.confirm(anhui, shanghai, november); err == nil {
					t.Fatal("confirmed what differs")
				}
				d, err := national.OpenDispute(as(agency(anhui)), clearing.DisputeAsk{Month: november, Treatment: shanghai, SettlementID: bad, Amount: 40_000, Reason: "本省无此结算"})
				must(t, err)
				r.confirmed(anhui, shanghai, november)
				r.done()
				if run := r.net(november); run.Positions[0].Amount != 100_000 {
					t.Fatalf("netted with what is disputed: %+v", run.Positions)
				}
				r.done()
				if test.withdrawn {
					d, err = national.WithdrawDispute(as(agency(anhui)), d.ID, "1")
				} else {
					d, err = national.AnswerDispute(as(agency(shanghai)), d.ID, "1", "费用清单附后")
					must(t, err)
					if d.Status != clearing.Answered || d.AnsweredBy != "A-310000/a-1" || d.OpenedBy != "A-340000/a-1" {
						t.Fatalf("%+v", d)
					}
					d, err = national.DecideDispute(as(operations), d.ID, "2", test.upheld, "示范裁定")
				}
				if must(t, err); !d.Over() {
					t.Fatalf("%+v", d)
				}
				r.clock.Set(time.Date(2027, 1, 10, 2, 0, 0, 0, time.UTC))
				r.settle(shanghai, anhui, "2026-12-20", 1)
				r.declare(shanghai, "2026-12")
				r.done()
				r.confirmed(anhui, shanghai, "2026-12")
				r.done()
				if run := r.net("2026-12"); run.Positions[0].Amount != 1+test.paid {
					t.Fatalf("%+v", run)
				}
				r.done()
				if got := r.balance(shanghai, ledger.ReceivableFrom(shanghai, anhui)); got != 0 {
					t.Errorf("Anhui still owes %s", got)
				}
				if got := r.balance(shanghai, ledger.Waived(shanghai, anhui)); got != test.waived {
					t.Errorf("waived %s", got)
				}
				if _, err := national.WithdrawDispute(as(agency(anhui)), d.ID, "9"); err == nil {
					t.Error("withdrawn after its end")
				}
				r.agrees("2026-12")
			})
		})
	}
}

// Days are compared by themselves; a difference is a task until it is gone, and is called by its name.
func TestWatch(t *testing.T) {
	eachRig(t, true, func(t *testing.T, r *rig) {
		r.clock.Set(time.Date(2026, 11, 10, 2, 0, 0, 0, time.UTC))
		r.settle(shanghai, anhui, "2026-11-09", 100)
		late := r.settle(shanghai, anhui, "2026-11-09", 50, ledger.Insured)
		open := func(province string) []*clearing.Task {
			t.Helper()
			for _, p := range []string{shanghai, anhui} {
				must(t, r.use[p].Watch(t.Context()))
			}
			r.done()
			tasks, _, err := r.use[province].ListTasks(as(agency(province)), province, clearing.TaskOpen, "", 10)
			must(t, err)
			return tasks
		}
		if tasks := open(anhui); len(tasks) != 1 || tasks[0].What != clearing.OnlyHere || tasks[0].Source != late {
			t.Fatalf("%+v", tasks)
		}
		if tasks := open(shanghai); len(tasks) != 1 || tasks[0].What != clearing.OnlyThere {
			t.Fatalf("%+v", tasks)
		}
		// The answer that was lost is learnt.
		r.post(r.entry(ledger.Treatment, shanghai, anhui, late, "2026-11-09", 50))
		for _, province := range []string{shanghai, anhui} {
			if tasks := open(province); len(tasks) != 0 {
				t.Fatalf("%s keeps %+v", province, tasks[0])
			}
		}
		// 7,000 of 10,000 paid ahead are used up, then 9,000; a top-up ends the warning.
		_, err := r.use[anhui].PayPrepayment(as(agency(anhui)), anhui, shanghai, 200, false, "示范银行-1")
		must(t, err)
		if tasks := open(anhui); len(tasks) != 1 || tasks[0].Level != clearing.Yellow {
			t.Fatalf("150 of 200 used: %+v", tasks)
		}
		r.settle(shanghai, anhui, "2026-11-10", 40)
		if tasks := open(anhui); len(tasks) != 1 || tasks[0].Level != clearing.Red {
			t.Fatalf("190 of 200 used: %+v", tasks)
		}
		p, err := r.use[anhui].GetPrepayment(as(agency(anhui)), anhui, shanghai, 2026)
		if must(t, err); p.TopUp != 72 {
			t.Fatalf("%+v", p)
		}
		_, err = r.use[anhui].PayPrepayment(as(agency(anhui)), anhui, shanghai, p.TopUp, true, "示范银行-2")
		must(t, err)
		if tasks := open(anhui); len(tasks) != 0 {
			t.Fatalf("%+v", tasks[0])
		}
		if here, there := r.balance(anhui, ledger.PrepaidTo(anhui, shanghai)), r.balance(shanghai, ledger.PrepaidBy(shanghai, anhui)); here != 272 || there != -272 {
			t.Errorf("paid %s, received %s", here, there)
		}
	})
}
