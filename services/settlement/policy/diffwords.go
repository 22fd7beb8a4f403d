package policy

import (
	"strconv"

	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/money"
)

// unit is how a value is written.
type unit int

const (
	asText unit = iota
	asYuan
	asRatio
	asCode
)

// word is what a key is called.
type word struct {
	zh, en string
	unit   unit
}

var words = map[string]word{
	"kind": {"文件种类", "kind", asText}, "province": {"省份", "province", asText}, "version": {"版本", "version", asText},
	"valid_from": {"生效日", "first day", asText}, "valid_to": {"失效日", "last day", asText}, "standing": {"数据性质", "standing", asText},
	"title_zh": {"中文标题", "Chinese title", asText}, "title_en": {"英文标题", "English title", asText}, "source": {"来源", "source", asText},
	"currency": {"币种", "currency", asText}, "rounding": {"取整方式", "rounding", asText}, "accepted": {"确认接受", "accepted", asText},
	"schemes": {"险种", "schemes", asText}, "scheme": {"险种", "scheme", asCode}, "basic": {"基本医保", "basic fund", asText},
	"cap": {"封顶线", "cap", asYuan}, "deductible_over": {"起付线计算周期", "what the deductible runs over", asText},
	"continuous": {"起付线连续计算", "the deductible goes on within a referral", asText}, "bands_over": {"分段计算周期", "what the bands run over", asText},
	"terms": {"待遇", "terms", asText}, "levels": {"医院等级", "hospital levels", asText}, "retired": {"退休", "retired", asText},
	"deductible": {"起付线", "deductible", asYuan}, "bands": {"分段", "bands", asText}, "from": {"自", "from", asYuan}, "to": {"至", "up to", asYuan},
	"ratio": {"比例", "ratio", asRatio}, "remote": {"异地就医", "treatment elsewhere", asText},
	"local_provinces": {"视同本地的省份", "provinces treated as local", asText}, "local_cities": {"视同本地的城市", "cities treated as local", asText},
	"filings": {"备案类型", "filings", asCode}, "first_pay": {"先行自付", "first-pay", asRatio}, "points_off": {"降低百分点", "points off", asRatio},
	"factor": {"支付系数", "factor", asRatio}, "own": {"单独待遇", "terms of its own", asText},
	"no_second_layer": {"不纳入大病保险（大额）", "outside the second layer", asText}, "no_assistance": {"不予医疗救助", "without assistance", asText},
	"outpatient": {"门诊特殊慢性病", "outpatient special diseases", asText}, "disease": {"病种", "disease", asCode},
	"inpatient_ratios": {"按住院比例", "ratios as for a stay", asText}, "shared_cap": {"共用封顶线", "shares the yearly cap", asText},
	"second_layer": {"大病保险（大额）", "second layer", asText}, "base": {"计算基础", "base", asText}, "counts": {"合规费用口径", "what counts", asCode},
	"bands_from": {"分段起点", "where the bands begin", asText}, "threshold": {"起付线", "threshold", asYuan},
	"hardship": {"困难群体倾斜", "hardship tiers", asText}, "groups": {"对象", "groups", asCode}, "group": {"对象", "group", asCode},
	"civil_servant": {"公务员医疗补助", "civil servants' supplement", asText}, "personal_account": {"个人账户", "personal account", asText},
	"assistance": {"医疗救助", "assistance", asText}, "last_year_income": {"上年人均可支配收入", "last year's disposable income", asYuan},
	"income_share": {"按收入比例的起付线", "deductible as a share of income", asRatio}, "tilt": {"倾斜救助", "tilt aid", asText},
	"only_within": {"仅限省内", "inside the province only", asText}, "commercial": {"惠民保、商业保险", "commercial plans", asText},
	"charities": {"慈善", "charities", asText}, "grants": {"企业、政府补助", "grants", asText}, "code": {"代码", "code", asText},
	"name_zh": {"中文名", "Chinese name", asText}, "name_en": {"英文名", "English name", asText},
	"hospitals": {"定点医院", "hospitals", asText}, "center": {"医院", "hospital", asText}, "level": {"等级", "level", asText},
	"items": {"目录项目", "items", asText}, "class": {"类别", "class", asText}, "price_limit": {"限价", "price limit", asYuan},
	"1": {"一级医院", "level-1 hospitals", asYuan}, "2": {"二级医院", "level-2 hospitals", asYuan}, "3": {"三级医院", "level-3 hospitals", asYuan},
	"bills": {"典型费用", "typical bills", asText}, "organ": {"器官", "organ", asText}, "total": {"总额", "total", asYuan},
	"out_of_catalogue": {"目录外", "out of catalogue", asRatio}, "over_limit": {"超限价", "over the price limit", asRatio},
	"class_b_first_pay": {"乙类先行自付", "class-B first-pay", asRatio}, "prices": {"价格水平", "price levels", asText},
}

var codeWords = map[string][2]string{
	"employee": {"职工", "employees"}, "resident": {"居民", "residents"}, "anti_rejection": {"抗排异治疗", "anti-rejection treatment"},
	"destitute": {"特困", "the destitute"}, "subsistence": {"低保", "minimum living allowance"}, "marginal": {"低保边缘", "just above the allowance"},
	"illness_poverty": {"因病致贫", "impoverished by illness"}, "long_term": {"长期", "long-term"}, "referral": {"转诊", "referral"},
	"emergency": {"急诊", "emergency"}, "other": {"临时外出", "other stay"}, "unfiled": {"未备案", "unfiled"},
	"class_b_first_pay": {"乙类先行自付", "class-B first-pay"}, "over_limit": {"超限价", "over the price limit"},
	"remote_first_pay": {"异地先行自付", "remote first-pay"}, "out_of_catalogue": {"目录外", "out of catalogue"}, "deductible": {"起付线", "deductible"},
}

// wordOf names a key; documents were validated, so that each has one.
func wordOf(key string) word {
	if w, ok := words[key]; ok {
		return w
	}
	return word{key, key, asText}
}

// number reads a value that can rise and fall.
func (w word) number(n *yaml.Node) (int64, bool) {
	switch w.unit {
	case asYuan:
		fen, err := money.Parse(n.Value)
		return int64(fen), err == nil && n.Kind == yaml.ScalarNode
	case asRatio:
		bp, err := strconv.ParseInt(n.Value, 10, 64)
		return bp, err == nil && n.Kind == yaml.ScalarNode
	}
	return 0, false
}

// value writes a value in words.
func (w word) value(n *yaml.Node) (zh, en string) {
	if x, ok := w.number(n); ok && w.unit == asYuan {
		return money.Fen(x).String() + " 元", "CNY " + money.Fen(x).String()
	} else if ok {
		return percent(money.BasisPoints(x)), percent(money.BasisPoints(x))
	}
	switch {
	case n.Kind == yaml.MappingNode:
		return whole(n)
	case n.Kind == yaml.ScalarNode && n.Value == "none" && w.unit == asYuan:
		return "不设", "none"
	case n.Kind == yaml.ScalarNode && n.Value == "true":
		return "是", "yes"
	case n.Kind == yaml.ScalarNode && n.Value == "false":
		return "否", "no"
	case w.unit == asCode:
		return codes(n)
	}
	return plain(n), plain(n)
}

func codes(n *yaml.Node) (zh, en string) {
	all := n.Content
	if n.Kind == yaml.ScalarNode {
		all = []*yaml.Node{n}
	}
	for i, element := range all {
		w, ok := codeWords[element.Value]
		if !ok {
			w = [2]string{element.Value, element.Value}
		}
		if i > 0 {
			zh, en = zh+"、", en+", "
		}
		zh, en = zh+w[0], en+w[1]
	}
	return zh, en
}

// WordOf is what a key of a document is called, in Chinese and English.
func WordOf(key string) (zh, en string) {
	w := wordOf(key)
	return w.zh, w.en
}
