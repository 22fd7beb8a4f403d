package policy

import (
	"strings"

	"huhang.example/services/internal/fault"
)

// organFee are the words of a fee for an organ, which the law forbids (Order 767, Art 32). They are whole phrases, so that
// operations (器官移植手术费) and tests (供体特异性抗体) stay what they are.
var organFee = []string{
	"器官费", "器官款", "器官价", "器官购", "购买器官", "器官买", "器官补偿", "器官获取费", "器官获取成本", "器官来源费", "器官成本",
	"肾源费", "肝源费", "心源费", "肺源费", "供体费", "供者费", "供肾费", "供肝费", "供心费", "供肺费", "供体款", "供者款", "捐献费", "捐献补偿", "捐献者补偿",
	"organ fee", "organ price", "organ cost", "organ charge", "organ purchase", "organ acquisition", "organ procurement",
	"fee for the organ", "price of the organ", "donor fee", "donor payment", "donor compensation",
}

// ForOrgan reports whether an item is, by its name or code, a charge for an organ.
func ForOrgan(names ...string) bool {
	for _, name := range names {
		name = strings.ToLower(strings.Join(strings.Fields(strings.NewReplacer("-", " ", "_", " ").Replace(name)), " "))
		for _, word := range organFee {
			if strings.Contains(name, word) {
				return true
			}
		}
	}
	return false
}

// OrganFee is the refusal of such a charge.
func OrganFee(field string) *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.OrganFee, field,
		"This reads like a charge for an organ; none may be on a bill.", "疑似收取器官费用；任何器官费用不得列入账单。")
}
