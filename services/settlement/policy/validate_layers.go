package policy

func (s SchemeTerms) check(c *checker, path []any) {
	seen := map[Disease]bool{}
	for i, o := range s.Outpatient {
		at := join(path, "outpatient", i)
		c.require(o.Disease.Known(), "the outpatient special disease is not known", "门诊特殊慢性病种不存在", join(at, "disease")...)
		c.require(!seen[o.Disease], "the disease stands here twice", "病种重复", join(at, "disease")...)
		seen[o.Disease] = true
		o.check(c, at)
	}
	if s.SecondLayer != nil {
		s.SecondLayer.check(c, join(path, "second_layer"))
	}
	if s.CivilServant != nil {
		at := join(path, "civil_servant")
		c.require(s.CivilServant.Ratio.Set, "ratio is missing", "缺少 ratio", join(at, "ratio")...)
		c.require(s.CivilServant.Cap.Set, "cap is missing: an amount or none", "缺少 cap：金额或 none", join(at, "cap")...)
	}
}

func (o Outpatient) check(c *checker, path []any) {
	c.require(o.Deductible.Set, "deductible is missing", "缺少 deductible", join(path, "deductible")...)
	c.require(o.Cap.Set, "cap is missing: an amount or none", "缺少 cap：金额或 none", join(path, "cap")...)
	c.require(o.SharedCap != nil, "shared_cap is missing: true or false", "缺少 shared_cap：true 或 false", join(path, "shared_cap")...)
	c.require(o.Remote != nil, "remote is missing: true or false", "缺少 remote：true 或 false", join(path, "remote")...)
	c.require(o.SecondLayer != nil, "second_layer is missing: true or false", "缺少 second_layer：true 或 false", join(path, "second_layer")...)
	c.require(o.InpatientRatios != (len(o.Bands) > 0), "either inpatient_ratios or bands are needed", "须且只能给出 inpatient_ratios 或 bands", path...)
	if len(o.Bands) > 0 {
		bands(c, o.Bands, join(path, "bands"))
	}
}

func (s SecondLayer) check(c *checker, path []any) {
	c.require(s.Base == BaseSelfPay || s.Base == BaseOverCap, "base is neither self_pay nor over_cap", "base 须为 self_pay 或 over_cap", join(path, "base")...)
	c.require(s.Base != BaseOverCap || s.Counts == 0, "counts has no meaning with over_cap", "over_cap 下不应有 counts", join(path, "counts")...)
	c.require(s.BandsFrom == FromZero || s.BandsFrom == FromThreshold, "bands_from is neither zero nor threshold", "bands_from 须为 zero 或 threshold", join(path, "bands_from")...)
	s.Tier.check(c, path)
	for i, h := range s.Hardship {
		at := join(path, "hardship", i)
		c.require(h.Groups != 0, "groups are missing", "缺少 groups", join(at, "groups")...)
		h.Tier.check(c, at)
	}
}

func (t Tier) check(c *checker, path []any) {
	c.require(t.Threshold.Set, "threshold is missing", "缺少 threshold", join(path, "threshold")...)
	c.require(t.Cap.Set, "cap is missing: an amount or none", "缺少 cap：金额或 none", join(path, "cap")...)
	bands(c, t.Bands, join(path, "bands"))
}

func (a Assistance) check(c *checker) {
	path := []any{"assistance"}
	c.require(len(a.Groups) > 0, "there are no groups", "缺少救助对象", join(path, "groups")...)
	seen := map[Group]bool{}
	for i, g := range a.Groups {
		at := join(path, "groups", i)
		c.require(g.Group.Known(), "the group is not known", "救助对象类别不存在", join(at, "group")...)
		c.require(!seen[g.Group], "the group stands here twice", "救助对象重复", join(at, "group")...)
		seen[g.Group] = true
		c.require(g.Ratio.Set, "ratio is missing", "缺少 ratio", join(at, "ratio")...)
		c.require(g.Deductible.Set != (g.IncomeShare != nil), "either deductible or income_share is needed", "须且只能给出 deductible 或 income_share", at...)
		c.require(g.IncomeShare == nil || a.LastYearIncome.Set, "income_share needs last_year_income", "income_share 须配合 last_year_income", join(at, "income_share")...)
		c.require(g.Cap.Set, "cap is missing: an amount or none", "缺少 cap：金额或 none", join(at, "cap")...)
	}
	if t := a.Tilt; t != nil {
		at := join(path, "tilt")
		c.require(t.OnlyWithin != nil, "only_within is missing: true or false", "缺少 only_within：true 或 false", join(at, "only_within")...)
		c.require(t.Groups != 0, "groups are missing", "缺少 groups", join(at, "groups")...)
		c.require(t.Threshold.Set, "threshold is missing", "缺少 threshold", join(at, "threshold")...)
		c.require(t.Ratio.Set, "ratio is missing", "缺少 ratio", join(at, "ratio")...)
		c.require(t.Cap.Set, "cap is missing: an amount or none", "缺少 cap：金额或 none", join(at, "cap")...)
	}
}

// plans checks the plans of one kind; a code stands for one plan of the whole document.
func plans(c *checker, all []Plan, codes map[string]bool, kind string) {
	c.require(len(all) <= maxPlans, "there are too many plans", "方案过多", kind)
	for i, p := range all {
		at := []any{kind, i}
		c.require(planCode.MatchString(p.Code), "code is missing, or not of a-z, 0-9, _ and - only", "缺少 code，或含 a-z、0-9、_、- 以外的字符", join(at, "code")...)
		c.require(!codes[p.Code], "the code stands here twice", "代码重复", join(at, "code")...)
		codes[p.Code] = true
		c.require(p.NameZh != "" && p.NameEn != "", "a name is missing", "缺少名称", join(at, "name_zh")...)
		c.require(p.Groups == nil || *p.Groups != 0, "groups are empty", "groups 为空", join(at, "groups")...)
		p.Tier.check(c, at)
	}
}

// maxPlans bounds the plans of one kind.
const maxPlans = 12
