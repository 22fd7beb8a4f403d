package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// table prints as Markdown that also reads well on a terminal.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t table) write(w io.Writer) {
	widths := make([]int, len(t.head))
	all := append([][]string{t.head}, t.rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for i, row := range all {
		for j, cell := range row {
			_, _ = fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", widths[j]-utf8.RuneCountInString(cell)))
		}
		_, _ = fmt.Fprintln(w, "|")
		if i == 0 {
			_, _ = fmt.Fprintln(w, "| "+strings.Repeat("--- | ", len(row)-1)+"--- |")
		}
	}
}

// series are the values of the rounds of one measurement.
type series []float64

func (s series) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// spread is the median with the least and the greatest value.
func (s series) spread(format string) string {
	if len(s) == 0 {
		return "none"
	}
	return fmt.Sprintf(format+" ("+format+" to "+format+")", s.median(), slices.Min(s), slices.Max(s))
}

// over is each round's value over the other side's in the same round.
func (s series) over(other series) series {
	ratios := make(series, 0, len(s))
	for i := range s {
		ratios = append(ratios, s[i]/other[i])
	}
	return ratios
}

// quantile sorts waits and returns the one that the given share of them does not exceed.
func quantile(waits []time.Duration, share float64) time.Duration {
	if len(waits) == 0 {
		return 0
	}
	slices.Sort(waits)
	return waits[min(int(share*float64(len(waits))), len(waits)-1)]
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}
