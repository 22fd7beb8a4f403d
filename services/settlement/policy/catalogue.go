package policy

import (
	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/money"
)

// Class of an item in a catalogue (目录类别).
type Class string

// The classes: A is paid whole, B after a first-pay, C not at all.
const (
	ClassA Class = "A"
	ClassB Class = "B"
	ClassC Class = "C"
)

// Catalogue is what is payable in a treatment province, and its hospitals (就医地目录).
type Catalogue struct {
	Head      `yaml:",inline"`
	Hospitals []Hospital      `yaml:"hospitals"`
	Items     []CatalogueItem `yaml:"items"`

	byCode  map[string]int
	byPlace map[string]int
}

// Hospital is a designated hospital (定点医疗机构) and its level.
type Hospital struct {
	Center string `yaml:"center"`
	Level  int    `yaml:"level"`
}

// CatalogueItem is one drug, treatment or material.
type CatalogueItem struct {
	Code   string `yaml:"code"`
	NameZh string `yaml:"name_zh"`
	NameEn string `yaml:"name_en"`
	Class  Class  `yaml:"class"`
	// FirstPay is the share of a class-B item that the person pays first (乙类先行自付).
	FirstPay *Ratio `yaml:"first_pay"`
	// PriceLimit is the highest unit price that counts (限价), by hospital level; absent: any.
	PriceLimit *Limit `yaml:"price_limit"`
}

// Limit is a price limit, the same for all hospitals or by their level.
type Limit struct{ levels [4]Cap }

// At returns the limit at a hospital level, 1..3; limited is false where there is none.
func (l *Limit) At(level int) (price money.Fen, limited bool) {
	if l == nil {
		return 0, false
	}
	return l.levels[level].Fen, !l.levels[level].None
}

// UnmarshalYAML reads an amount, or a mapping of the levels 1, 2 and 3 to an amount or none.
func (l *Limit) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.MappingNode {
		var by struct {
			One   Cap `yaml:"1"`
			Two   Cap `yaml:"2"`
			Three Cap `yaml:"3"`
		}
		if err := node.Decode(&by); err != nil {
			return err
		}
		if len(node.Content) != 6 || !by.One.Set || !by.Two.Set || !by.Three.Set {
			return at(node, "a price limit by level names the levels 1, 2 and 3", "分级限价须写明 1、2、3 级")
		}
		*l = Limit{[4]Cap{{}, by.One, by.Two, by.Three}}
		return nil
	}
	var same Amount
	if err := same.UnmarshalYAML(node); err != nil {
		return err
	}
	limit := Cap{Set: true, Fen: same.Fen}
	*l = Limit{[4]Cap{{}, limit, limit, limit}}
	return nil
}

// Item returns the item with the code; what is not listed is out of catalogue.
func (c *Catalogue) Item(code string) (*CatalogueItem, bool) {
	i, ok := c.byCode[code]
	if !ok {
		return nil, false
	}
	return &c.Items[i], true
}

// Level returns the level of a designated hospital.
func (c *Catalogue) Level(center string) (int, bool) {
	i, ok := c.byPlace[center]
	if !ok {
		return 0, false
	}
	return c.Hospitals[i].Level, true
}

func (c *Catalogue) index() {
	c.byCode, c.byPlace = map[string]int{}, map[string]int{}
	for i, item := range c.Items {
		c.byCode[item.Code] = i
	}
	for i, h := range c.Hospitals {
		c.byPlace[h.Center] = i
	}
}

// TypicalBills are assumptions for estimates: what a transplant's stay costs and how its bill divides.
type TypicalBills struct {
	Head  `yaml:",inline"`
	Bills []TypicalBill `yaml:"bills"`
	// Levels of prices by treatment province, against the bills above; a province that is not listed counts whole.
	Prices []PriceLevel `yaml:"prices"`
}

// TypicalBill is the assumption for one organ; shares are of the total.
type TypicalBill struct {
	Organ          string `yaml:"organ"`
	Total          Amount `yaml:"total"`
	OutOfCatalogue Ratio  `yaml:"out_of_catalogue"`
	OverLimit      Ratio  `yaml:"over_limit"`
	ClassB         Ratio  `yaml:"class_b_first_pay"`
}

// PriceLevel is a province's level of prices in basis points of the typical bill, 1000..50000.
type PriceLevel struct {
	Province string `yaml:"province"`
	Level    int64  `yaml:"level"`
}

// Bill returns the assumption for an organ and the price level of a province in basis points.
func (t *TypicalBills) Bill(organ, province string) (bill TypicalBill, level int64, ok bool) {
	level = 10000
	for _, p := range t.Prices {
		if p.Province == province {
			level = p.Level
		}
	}
	for _, b := range t.Bills {
		if b.Organ == organ {
			return b, level, true
		}
	}
	return TypicalBill{}, 0, false
}
