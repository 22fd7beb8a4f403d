package clearing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/settlement/ledger"
)

// Do does one job; again changes nothing.
func (s *Service) Do(ctx context.Context, j Job) error {
	ctx = own(ctx)
	switch j.Do {
	case "submit":
		return s.submit(ctx, j.Province, j.Month)
	case "forward":
		return s.forward(ctx, j.Month, j.Province, j.Other)
	case "compare":
		return s.compareMonth(ctx, j.Province, j.Other, j.Month)
	case "compare_day":
		_, err := s.Reconcile(ctx, s.Compare(ctx, Book{j.Province, ledger.Insured}, j.Other, j.ID, true))
		return err
	case "watch":
		return s.watch(ctx, Book{j.Province, ledger.Side(j.ID)})
	case "confirm":
		return s.confirm(ctx, j.Province, j.Other, j.Month)
	case "publish":
		return s.publish(ctx, j.Province, j.Month)
	case "report":
		return s.report(ctx, j.Province, j.Other, j.ID)
	case "prepaid":
		return s.tellPrepaid(ctx, j.Province, j.ID)
	}
	return fmt.Errorf("clearing: no job is called %q", j.Do)
}

// lookBack is how many days a comparison that failed is tried again for.
const lookBack = 5

// Watch leaves a job for each book, so that what fails for one does not keep the others waiting.
func (s *Service) Watch(ctx context.Context) error {
	return s.store.Atomically(ctx, func(ctx context.Context) error {
		for _, province := range s.provinces {
			if province == National {
				continue
			}
			for _, side := range []ledger.Side{ledger.Treatment, ledger.Insured} {
				if err := s.store.Later(ctx, Job{Do: "watch", Province: province, ID: string(side)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// watch does what is done every day: compares the days that are over with each province there is business with, and looks
// at prepayments.
func (s *Service) watch(ctx context.Context, at Book) error {
	if err := s.SealBook(ctx, at); err != nil {
		return err
	}
	now := s.clock.Now()
	var failed []error
	for n := lookBack; n > 0; n-- {
		day := clock.Day(now.AddDate(0, 0, -n))
		rows, err := s.store.Totals(ctx, at, TotalQuery{Day: day})
		if err != nil {
			return err
		}
		for _, other := range counterparties(rows) {
			done, err := s.store.Record(ctx, reconciledKind, at.Province, reconciledID(at.Side, other, day))
			if err == nil && done.Status == "EQUAL" {
				continue
			}
			if err != nil && !fault.Is(err, fault.ReasonNotFound) {
				return err
			}
			_, err = s.Reconcile(ctx, s.Compare(ctx, at, other, day, false))
			failed = append(failed, err)
		}
	}
	if at.Side == ledger.Insured {
		failed = append(failed, s.warn(ctx, at.Province))
	}
	return errors.Join(failed...)
}

func counterparties(rows []TotalRow) []string {
	var all []string
	for _, r := range rows {
		if !slices.Contains(all, r.Counterparty) {
			all = append(all, r.Counterparty)
		}
	}
	slices.Sort(all)
	return all
}

// warn opens a task where a prepayment is nearly used up, and ends it where it is not any more.
func (s *Service) warn(ctx context.Context, province string) error {
	rows, err := s.store.Totals(ctx, Book{province, ledger.Insured}, TotalQuery{})
	if err != nil {
		return err
	}
	year := clock.Year(s.clock.Now())
	for _, treatment := range counterparties(rows) {
		p, err := s.prepaid(ctx, province, treatment, year)
		if err != nil {
			return err
		}
		for _, level := range []Level{Yellow, Red} {
			id := "tsk_" + province + "_prepayment_" + treatment + "_" + strconv.Itoa(year) + "_" + string(level)
			if p.Level == level {
				err = s.openTask(ctx, &Task{
					ID: id, Province: province, Counterparty: treatment, Month: MonthOf(s.today()), Status: TaskOpen, Side: ledger.Insured, What: Warning,
					Here: p.Paid, There: p.Used, Level: level, Owner: owner(province), Created: s.clock.Now(),
				})
			} else {
				err = s.settleWarning(ctx, province, id)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) settleWarning(ctx context.Context, province, id string) error {
	r, err := s.store.Record(ctx, taskKind, province, id)
	if fault.Is(err, fault.ReasonNotFound) || err == nil && r.Status != string(TaskOpen) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.resolved(ctx, province, id, "", "watch", "The prepayment is at another level now.")
}

func yearMonth(year, month int) Month {
	return Month(time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC).Format("2006-01"))
}
