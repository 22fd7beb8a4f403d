package route

import (
	"regexp"

	"google.golang.org/protobuf/reflect/protoreflect"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/place"
)

var provinceFormat = regexp.MustCompile(`^[1-9][0-9]0000$`)

// records are the fields whose id holds the province that keeps the record.
var records = []struct {
	field  protoreflect.Name
	format *regexp.Regexp
}{
	{"claim_id", regexp.MustCompile(`^clm_([1-9][0-9]0000)_[0-9a-z]{26}$`)},
	{"preauthorisation_id", regexp.MustCompile(`^pre_([1-9][0-9]0000)_[0-9a-z]{26}$`)},
	{"hit_id", regexp.MustCompile(`^hit_([1-9][0-9]0000)_[0-9a-z]{26}$`)},
	{"filing_id", regexp.MustCompile(`^fil_([1-9][0-9]0000)_[0-9a-z]{26}$`)},
}

// Province returns the province (省) whose settlement instance a request is for: its field `province`, else the
// province inside the id it names. A request that names none goes to otherwise, if that is set.
func Province(request protoreflect.Message, otherwise string) (string, error) {
	fields := request.Descriptor().Fields()
	if f := fields.ByName("province"); isText(f) {
		code := request.Get(f).String()
		if !provinceFormat.MatchString(code) {
			return "", invalid("province")
		}
		return known(code, "province")
	}
	for _, record := range records {
		f := fields.ByName(record.field)
		if !isText(f) {
			continue
		}
		match := record.format.FindStringSubmatch(request.Get(f).String())
		if match == nil {
			return "", invalid(string(record.field))
		}
		return known(match[1], string(record.field))
	}
	if otherwise != "" {
		return otherwise, nil
	}
	return "", NotServed("", "province")
}

func isText(f protoreflect.FieldDescriptor) bool {
	return f != nil && f.Kind() == protoreflect.StringKind && f.Cardinality() != protoreflect.Repeated
}

// national is the country's own code: the instance that is the national clearing center.
const national = "100000"

// known keeps codes that are no province from opening connections.
func known(code, field string) (string, error) {
	if _, ok := place.Province(code); !ok && code != national {
		return "", NotServed(code, field)
	}
	return code, nil
}

func invalid(field string) *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, field,
		"The field does not name a province.", "该字段未指明省份。")
}

// NotServed is the answer for a province that no settlement instance of the line serves.
func NotServed(code, field string) *fault.Fault {
	f := fault.New(fault.FailedPrecondition, fault.ProvinceNotServed, field,
		"The line has no settlement service for this province.", "本线路没有负责该省的结算服务。").
		Do("Check the province; the provinces served are listed at /readyz.", "请核对省份；已接入的省份见 /readyz。")
	if code == "" {
		return f
	}
	return f.With("province", code)
}
