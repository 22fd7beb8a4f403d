package policy

import (
	"slices"

	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/money"
)

func (k *Catalogue) validate(root *yaml.Node) error {
	c := &checker{root: root}
	k.check(c, KindCatalogue)
	c.require(len(k.Items) > 0, "there are no items", "缺少目录项目", "items")
	centers := map[string]bool{}
	for i, h := range k.Hospitals {
		c.require(h.Center != "" && len(h.Center) <= 32, "center is missing or too long", "缺少 center，或过长", "hospitals", i, "center")
		c.require(!centers[h.Center], "the hospital stands here twice", "医院重复", "hospitals", i, "center")
		centers[h.Center] = true
		c.require(h.Level >= 1 && h.Level <= 3, "a hospital level is 1, 2 or 3", "医院等级须为 1、2 或 3", "hospitals", i, "level")
	}
	codes := map[string]bool{}
	for i, item := range k.Items {
		c.require(item.Code != "" && len(item.Code) <= 32, "code is missing or longer than 32 characters", "缺少 code，或超过 32 个字符", "items", i, "code")
		c.require(!codes[item.Code], "the code stands here twice", "代码重复", "items", i, "code")
		codes[item.Code] = true
		c.require(item.NameZh != "", "name_zh is missing", "缺少 name_zh", "items", i, "name_zh")
		c.require(!ForOrgan(item.Code, item.NameZh, item.NameEn), "this reads like a fee for an organ: none may be charged", "疑似器官费用：不得收取", "items", i, "name_zh")
		c.require(slices.Contains([]Class{ClassA, ClassB, ClassC}, item.Class), "class is none of A, B, C", "class 须为 A、B 或 C", "items", i, "class")
		c.require((item.Class == ClassB) == (item.FirstPay != nil), "first_pay belongs to class B and to no other", "first_pay 须且只能用于乙类", "items", i, "class")
	}
	return c.result()
}

func (t *TypicalBills) validate(root *yaml.Node) error {
	c := &checker{root: root}
	t.check(c, KindTypical)
	c.require(len(t.Bills) > 0, "there are no bills", "缺少 bills", "bills")
	organs := map[string]bool{}
	for i, b := range t.Bills {
		c.require(b.Organ != "", "organ is missing", "缺少 organ", "bills", i, "organ")
		c.require(!organs[b.Organ], "the organ stands here twice", "器官重复", "bills", i, "organ")
		organs[b.Organ] = true
		c.require(b.Total.Set && b.Total.Fen > 0, "total is missing or zero", "缺少 total，或为零", "bills", i, "total")
		c.require(b.OutOfCatalogue.Set && b.OverLimit.Set && b.ClassB.Set, "a share is missing", "缺少比例", "bills", i)
		c.require(b.OutOfCatalogue.BP+b.OverLimit.BP+b.ClassB.BP <= money.Whole, "the shares are more than the whole", "各比例之和超过整体", "bills", i)
	}
	for i, p := range t.Prices {
		c.require(provinceCode.MatchString(p.Province), "not a province code", "不是省级行政区划代码", "prices", i, "province")
		c.require(p.Level >= 1000 && p.Level <= 50000, "a level of prices is 1000..50000 basis points", "价格水平须为 1000 至 50000", "prices", i, "level")
	}
	return c.result()
}
