package policy

import (
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"
)

// checker remembers the first thing that is wrong.
type checker struct {
	root *yaml.Node
	err  *Invalid
}

func (c *checker) refuse(en, zh string, path ...any) {
	if c.err == nil {
		c.err = at(find(c.root, path...), en, zh)
	}
}

func (c *checker) require(ok bool, en, zh string, path ...any) {
	if !ok {
		c.refuse(en, zh, path...)
	}
}

// result avoids an error that is not nil and holds nothing.
func (c *checker) result() error {
	if c.err != nil {
		return c.err
	}
	return nil
}

func join(path []any, more ...any) []any { return append(slices.Clone(path), more...) }

var (
	provinceCode = regexp.MustCompile(`^[1-9][0-9]0000$`)
	cityCode     = regexp.MustCompile(`^[1-9][0-9]{3}00$`)
	planCode     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
)

func (h Head) check(c *checker, kind string) {
	c.require(h.Kind == kind, "kind is not "+kind, "kind 须为 "+kind, "kind")
	if kind != KindTypical {
		c.require(provinceCode.MatchString(h.Province), "province is not a GB/T 2260 province code", "province 须为省级行政区划代码", "province")
	}
	c.require(h.Version != "" && len(h.Version) <= 64, "version is missing or longer than 64 characters", "缺少 version，或超过 64 个字符", "version")
	c.require(h.ValidFrom != "", "valid_from is missing", "缺少 valid_from", "valid_from")
	c.require(h.ValidTo == "" || h.ValidFrom <= h.ValidTo, "valid_to is before valid_from", "valid_to 早于 valid_from", "valid_to")
	c.require(h.Standing == "sourced" || h.Standing == "mixed" || h.Standing == "illustrative", "standing is none of sourced, mixed, illustrative", "standing 须为 sourced、mixed 或 illustrative", "standing")
	c.require(h.TitleZh != "" && h.TitleEn != "", "a title is missing", "缺少标题", "title_zh")
	c.require(h.Currency != "", "currency is missing", "缺少 currency", "currency")
	c.require(h.Standing == "illustrative" || h.Source != "", "source is missing: a sourced document says where its numbers stand", "缺少 source：sourced 须注明来源", "source")
}

func (p *Policy) validate(root *yaml.Node) error {
	c := &checker{root: root}
	p.check(c, KindPolicy)
	c.require(p.CountersBy.known(), "counters_by is admission or discharge", "counters_by 须为 admission 或 discharge", "counters_by")
	c.require(p.Rounding != 0, "rounding is missing", "缺少 rounding", "rounding")
	c.require(len(p.Schemes) > 0, "there is no scheme", "缺少险种", "schemes")
	seen := map[Scheme]bool{}
	for i, s := range p.Schemes {
		path := []any{"schemes", i}
		c.require(s.Scheme.Known(), "scheme is neither employee nor resident", "scheme 须为 employee 或 resident", join(path, "scheme")...)
		c.require(!seen[s.Scheme], "the scheme stands here twice", "险种重复", join(path, "scheme")...)
		seen[s.Scheme] = true
		s.Basic.check(c, join(path, "basic"))
		s.Remote.check(c, join(path, "remote"))
		s.check(c, path)
	}
	if p.Assistance != nil {
		p.Assistance.check(c)
	}
	codes := map[string]bool{}
	plans(c, p.Commercial, codes, "commercial")
	plans(c, p.Charities, codes, "charities")
	plans(c, p.Grants, codes, "grants")
	for i, what := range p.Accepted {
		c.require(what == BetterFilingCostsMore, "what is accepted is not known", "accepted 项目不存在", "accepted", i)
	}
	return c.result()
}

func (b Basic) check(c *checker, path []any) {
	c.require(b.Cap.Set, "cap is missing: an amount or none", "缺少 cap：金额或 none", join(path, "cap")...)
	c.require(b.DeductibleOver.known(), "deductible_over is neither stay nor year", "deductible_over 须为 stay 或 year", join(path, "deductible_over")...)
	c.require(b.BandsOver.known(), "bands_over is neither stay nor year", "bands_over 须为 stay 或 year", join(path, "bands_over")...)
	c.require(!b.Continuous || b.DeductibleOver == Stay, "continuous has a meaning with a deductible at every stay only", "continuous 仅适用于按次起付", join(path, "continuous")...)
	c.require(len(b.Terms) > 0, "there are no terms", "缺少 terms", join(path, "terms")...)
	type state struct {
		level   int
		retired bool
	}
	seen := map[state]bool{}
	for i, t := range b.Terms {
		at := join(path, "terms", i)
		c.require(len(t.Levels) > 0, "levels are missing", "缺少 levels", join(at, "levels")...)
		for _, level := range t.Levels {
			c.require(level >= 1 && level <= 3, "a hospital level is 1, 2 or 3", "医院等级须为 1、2 或 3", join(at, "levels")...)
			for _, retired := range []bool{false, true} {
				if t.Retired != nil && *t.Retired != retired {
					continue
				}
				c.require(!seen[state{level, retired}], "two terms hold for the same hospital level and state", "同一医院等级与人员状态有两条规定", join(at, "levels")...)
				seen[state{level, retired}] = true
			}
		}
		c.require(t.Deductible.Set, "deductible is missing", "缺少 deductible", join(at, "deductible")...)
		bands(c, t.Bands, join(at, "bands"))
	}
	for s := range seen {
		c.require(seen[state{s.level, !s.retired}], "a hospital level has no term for the retired, or none for the others", "某医院等级缺少退休或在职人员的规定", join(path, "terms")...)
	}
}

// bands must cover every amount from zero exactly once.
func bands(c *checker, all []Band, path []any) {
	c.require(len(all) > 0, "there are no bands", "缺少分段", path...)
	for i, b := range all {
		at := join(path, i)
		c.require(b.From.Set, "from is missing", "缺少 from", at...)
		c.require(b.Ratio.Set, "ratio is missing", "缺少 ratio", at...)
		switch {
		case i == 0:
			c.require(b.From.Fen == 0, "the first band does not begin at 0", "首段须自 0 起", join(at, "from")...)
		case all[i-1].To == nil:
			c.refuse("a band follows an open one", "开放段之后不应再有分段", at...)
		default:
			c.require(b.From.Fen <= all[i-1].To.Fen, "there is a gap before this band", "与上一段之间有空缺", join(at, "from")...)
			c.require(b.From.Fen >= all[i-1].To.Fen, "this band overlaps the one before", "与上一段重叠", join(at, "from")...)
		}
		if b.To != nil {
			c.require(b.To.Fen > b.From.Fen, "the band has no length", "分段长度须大于零", join(at, "to")...)
		}
		if i == len(all)-1 {
			c.require(b.To == nil, "the last band is not open", "末段须开放", join(at, "to")...)
		}
	}
}

func (r Remote) check(c *checker, path []any) {
	for i, province := range r.LocalProvinces {
		c.require(provinceCode.MatchString(province), "not a province code", "不是省级行政区划代码", join(path, "local_provinces", i)...)
	}
	for i, code := range r.LocalCities {
		c.require(cityCode.MatchString(code), "not a city code", "不是地级行政区划代码", join(path, "local_cities", i)...)
	}
	seen := map[Filing]bool{}
	for i, t := range r.Terms {
		at := join(path, "terms", i)
		c.require(len(t.Filings) > 0, "filings are missing", "缺少 filings", join(at, "filings")...)
		for j, f := range t.Filings {
			c.require(f.Known(), "the kind of filing is not known", "备案类型不存在", join(at, "filings", j)...)
			c.require(!seen[f], "two terms hold for the same filing", "同一备案类型有两条规定", join(at, "filings", j)...)
			seen[f] = true
		}
		models := 0
		for _, given := range []bool{t.FirstPay != nil, t.PointsOff != nil, t.Factor != nil, t.Own != nil} {
			if given {
				models++
			}
		}
		c.require(models == 1, "exactly one of first_pay, points_off, factor and own is needed", "须且只能给出 first_pay、points_off、factor、own 之一", at...)
		if t.Own != nil {
			c.require(t.Own.Ratio.Set, "ratio is missing", "缺少 ratio", join(at, "own", "ratio")...)
			c.require(t.Own.Deductible.Set, "deductible is missing", "缺少 deductible", join(at, "own", "deductible")...)
		}
	}
	for _, f := range Filings() {
		c.require(seen[f], "no term for "+string(f), "缺少备案类型 "+string(f)+" 的规定", join(path, "terms")...)
	}
}

// Check refuses a head that is none of its kind, for other documents read by Strict.
func (h Head) Check(root *yaml.Node, kind string) error {
	c := &checker{root: root}
	h.check(c, kind)
	return c.result()
}
