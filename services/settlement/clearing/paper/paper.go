// Package paper writes a clearing statement down: as CSV, and as a page to be printed.
//
// Invariant: both say the same as the statement, to the fen; a page carries its own style, names no other host and runs
// nothing; no cell of a CSV is taken for a formula by what opens it.
package paper

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/place"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

// Language is what a statement is written in.
type Language string

// The languages.
const (
	Chinese Language = "zh"
	English Language = "en"
)

//go:embed statement.html
var source string

var pageTemplate = template.Must(template.New("statement").Parse(source))

// words are what a statement is made of; each in Chinese and English.
var words = map[string][2]string{
	"title":       {"跨省异地就医清算对账单", "Cross-province clearing statement"},
	"province":    {"省份", "Province"},
	"month":       {"清算月份", "Month"},
	"made":        {"生成时间", "Made"},
	"state":       {"申报状态", "Declared"},
	"declared":    {"已申报", "yes"},
	"open":        {"未申报", "not yet"},
	"declare_by":  {"申报截止", "To be declared by"},
	"treatment":   {"作为就医地：应收参保地", "As treatment place: owed by insured provinces"},
	"insured":     {"作为参保地：应付就医地", "As insured place: owed to treatment provinces"},
	"other":       {"对方省份", "Province"},
	"before":      {"上期结转", "Brought forward"},
	"items":       {"本月笔数", "Items"},
	"window":      {"本月发生", "This month"},
	"taken":       {"本月清算", "Cleared"},
	"shared":      {"其中风险分担", "of it shared risk"},
	"waived":      {"其中争议核减", "of it waived"},
	"after":       {"期末余额", "Carried forward"},
	"later":       {"其后月份", "Later months"},
	"ledger":      {"账簿余额", "Ledger balance"},
	"table":       {"申报表", "Table"},
	"DECLARED":    {"已申报", "declared"},
	"CONFIRMED":   {"已确认", "confirmed"},
	"NETTED":      {"已轧差", "netted"},
	"total":       {"合计", "Total"},
	"net":         {"本月轧差净额（正数应收，负数应付）", "Net position of the month (positive: to receive)"},
	"not_netted":  {"尚未轧差", "not netted yet"},
	"transfers":   {"财政划拨", "Transfers"},
	"payer":       {"付款省份", "Payer"},
	"payee":       {"收款省份", "Payee"},
	"amount":      {"金额（元）", "Amount (CNY)"},
	"due_by":      {"最迟划拨", "Due by"},
	"status":      {"状态", "Status"},
	"reference":   {"银行凭证", "Bank reference"},
	"DUE":         {"待划拨", "due"},
	"SENT":        {"已拨出", "sent"},
	"RECEIVED":    {"已到账", "received"},
	"none":        {"无", "None"},
	"books":       {"账簿末位（哈希链）", "Ends of the books (hash chain)"},
	"unit":        {"单位：人民币元", "Amounts in CNY"},
	"agrees":      {"各行期末余额与其后月份之和等于账簿余额。", "In every line the amount carried forward and the later months sum to the ledger's balance."},
	"differs":     {"有行次与账簿余额不符，请先校验账簿。", "A line does not agree with the ledger: verify the book first."},
	"agency":      {"经办机构（章）", "Agency (seal)"},
	"prepared_by": {"经办人", "Prepared by"},
	"checked_by":  {"复核人", "Checked by"},
	"sample":      {"本页为护航线路生成；示范机构均为虚构。", "Made by the Huhang line; sample institutions are invented."},
}

type speech struct{ index int }

func in(l Language) speech {
	if l == English {
		return speech{1}
	}
	return speech{0}
}

func (s speech) say(key string) string { return words[key][s.index] }

func (s speech) province(code string) string {
	p, ok := place.Province(code)
	switch {
	case !ok:
		return code
	case s.index == 1:
		return p.NameEn + " " + code
	}
	return p.NameZh + " " + code
}

func (s speech) table(t *clearing.Table) string {
	if t == nil {
		return ""
	}
	return s.say(string(t.Status))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Shanghai).Format("2006-01-02 15:04")
}

// sums adds up the lines of one side.
func sums(s *clearing.Statement, side ledger.Side) (lines []clearing.StatementLine, total clearing.StatementLine) {
	for _, l := range s.Lines {
		if l.Side != side {
			continue
		}
		lines = append(lines, l)
		total.Before += l.Before
		total.Window.Items += l.Window.Items
		total.Window.Clears += l.Window.Clears
		total.Taken += l.Taken
		total.Shared += l.Shared
		total.Waived += l.Waived
		total.After += l.After
		total.Later += l.Later
		total.Ledger += l.Ledger
	}
	return lines, total
}

// columns are those of a line, as CSV and page have them.
var columns = []string{"other", "before", "items", "window", "taken", "shared", "waived", "after", "later", "ledger", "table"}

func (s speech) cells(name string, l clearing.StatementLine) []string {
	return []string{
		name, l.Before.String(), strconv.FormatInt(l.Window.Items, 10), l.Window.Clears.String(), l.Taken.String(), l.Shared.String(), l.Waived.String(),
		l.After.String(), l.Later.String(), l.Ledger.String(), s.table(l.Table),
	}
}

func (s speech) heads(keys []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = s.say(k)
	}
	return out
}

var transferColumns = []string{"payer", "payee", "amount", "due_by", "status", "reference"}

func (s speech) transfer(t *clearing.Transfer) []string {
	return []string{s.province(t.Payer), s.province(t.Payee), t.Amount.String(), stamp(t.DueBy), s.say(string(t.Status)), t.Reference}
}

// plain keeps what somebody wrote from being taken for a formula.
func plain(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// CSV writes a statement as CSV in UTF-8, with a byte order mark by which spreadsheets know it.
func CSV(st *clearing.Statement, l Language) ([]byte, error) {
	s := in(l)
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	rows := [][]string{
		{s.say("title")},
		{s.say("province"), s.province(st.Province)},
		{s.say("month"), string(st.Month)},
		{s.say("made"), stamp(st.Made)},
		{s.say("state"), s.declared(st)},
		{s.say("unit")},
	}
	for _, side := range []ledger.Side{ledger.Treatment, ledger.Insured} {
		lines, total := sums(st, side)
		rows = append(rows, []string{s.say(string(side))}, s.heads(columns))
		for _, line := range lines {
			rows = append(rows, s.cells(s.province(line.Other), line))
		}
		rows = append(rows, s.cells(s.say("total"), total))
	}
	rows = append(rows, []string{s.say("net"), s.net(st)}, []string{s.say("transfers")}, s.heads(transferColumns))
	for _, t := range st.Transfers {
		cells := s.transfer(t)
		cells[len(cells)-1] = plain(t.Reference)
		rows = append(rows, cells)
	}
	rows = append(rows, []string{s.say("books")})
	for _, e := range st.Books {
		rows = append(rows, []string{s.say(string(e.Side)), strconv.FormatInt(e.Head.Seq, 10), e.Head.Hash})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return b.Bytes(), nil
}

func (s speech) declared(st *clearing.Statement) string {
	if st.Declared {
		return s.say("declared")
	}
	return s.say("open")
}

func (s speech) net(st *clearing.Statement) string {
	if st.Computed.IsZero() {
		return s.say("not_netted")
	}
	return st.Net.String()
}

// part is one side of a page.
type part struct {
	Title string
	Rows  [][]cell
	Total []cell
}

// cell is a cell of a page; numbers stand right, negative ones are told apart.
type cell struct {
	Text             string
	Number, Negative bool
}

func cells(texts []string) []cell {
	out := make([]cell, len(texts))
	for i, t := range texts {
		amount, err := money.Parse(t)
		out[i] = cell{Text: t, Number: err == nil && i > 0, Negative: err == nil && amount < 0}
		if out[i].Number {
			out[i].Text = grouped(t)
		}
	}
	return out
}

// grouped writes a number in groups of three, for reading.
func grouped(number string) string {
	whole, rest, _ := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	return sign + whole
}

// Page writes a statement as a page to be printed.
func Page(st *clearing.Statement, l Language) ([]byte, error) {
	s := in(l)
	data := struct {
		Lang            string
		Say             func(string) string
		Province, Month string
		Facts           [][2]string
		Heads           []string
		Parts           []part
		Net             cell
		TransferHeads   []string
		Transfers       [][]cell
		Books           [][3]string
		Agrees          bool
	}{
		Lang: map[Language]string{English: "en"}[l], Say: s.say, Province: s.province(st.Province), Month: string(st.Month), Heads: s.heads(columns),
		Facts: [][2]string{
			{s.say("made"), stamp(st.Made)}, {s.say("state"), s.declared(st)}, {s.say("declare_by"), stamp(st.Deadlines.Declare)},
		},
		TransferHeads: s.heads(transferColumns), Net: cells([]string{"", s.net(st)})[1], Agrees: true,
	}
	if data.Lang == "" {
		data.Lang = "zh-CN"
	}
	for _, side := range []ledger.Side{ledger.Treatment, ledger.Insured} {
		lines, total := sums(st, side)
		p := part{Title: s.say(string(side)), Total: cells(s.cells(s.say("total"), total))}
		for _, line := range lines {
			p.Rows = append(p.Rows, cells(s.cells(s.province(line.Other), line)))
			data.Agrees = data.Agrees && line.Agrees()
		}
		data.Parts = append(data.Parts, p)
	}
	for _, t := range st.Transfers {
		data.Transfers = append(data.Transfers, cells(s.transfer(t)))
	}
	for _, e := range st.Books {
		data.Books = append(data.Books, [3]string{s.say(string(e.Side)), strconv.FormatInt(e.Head.Seq, 10), e.Head.Hash})
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return b.Bytes(), nil
}
