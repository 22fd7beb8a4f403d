package patient

import (
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/place"
)

// IdentityNumber is a valid citizen identity number (公民身份号码, GB 11643).
type IdentityNumber string

// Sex as on the identity document.
type Sex string

// The sexes an identity number knows.
const (
	Male   Sex = "MALE"
	Female Sex = "FEMALE"
)

var checkWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

const checkDigits = "10X98765432"

// ParseIdentityNumber checks length, province, birth date and check digit; full-width and lower-case characters, spaces and
// hyphens count as what they stand for. Faults: IDENTITY_NUMBER_INVALID.
func ParseIdentityNumber(s string, today time.Time) (IdentityNumber, error) {
	s = tidyNumber(s)
	if len(s) != 18 {
		return "", badNumber("It has 18 characters.", "应为18位。")
	}
	sum := 0
	for i, w := range checkWeights {
		if s[i] < '0' || s[i] > '9' {
			return "", badNumber("Its first 17 characters are digits.", "前17位应为数字。")
		}
		sum += w * int(s[i]-'0')
	}
	if s[17] != checkDigits[sum%11] {
		return "", badNumber("Its check digit is wrong: look for a typing error.", "校验码不符，请检查是否录入有误。")
	}
	if _, known := place.Province(s[:2] + "0000"); !known {
		return "", badNumber("Its first two digits are no province.", "前两位不是省级代码。")
	}
	n := IdentityNumber(s)
	born, err := time.ParseInLocation("20060102", s[6:14], clock.Shanghai)
	if err != nil || born.After(today) || born.Year() < 1900 {
		return "", badNumber("Its birth date is no day of the past.", "出生日期无效。")
	}
	return n, nil
}

func badNumber(en, zh string) error {
	return fault.New(fault.InvalidArgument, fault.IdentityNumberInvalid, "identity_number",
		"The identity number is not valid. "+en, "公民身份号码无效："+zh)
}

// BirthDate is the day of birth, YYYY-MM-DD.
func (n IdentityNumber) BirthDate() string { return string(n[6:10] + "-" + n[10:12] + "-" + n[12:14]) }

// Sex is told by the last digit of the sequence.
func (n IdentityNumber) Sex() Sex {
	if (n[16]-'0')%2 == 1 {
		return Male
	}
	return Female
}

// Masked shows the first three and the last two characters.
func (n IdentityNumber) Masked() string {
	if len(n) < 5 {
		return ""
	}
	return string(n[:3]) + strings.Repeat("*", len(n)-5) + string(n[len(n)-2:])
}

// AgeOn is the age in full years on a day in Shanghai; a birthday counts from its beginning, 29 February on 1 March.
func AgeOn(birthDate string, day time.Time) int {
	born, err := time.ParseInLocation(time.DateOnly, birthDate, clock.Shanghai)
	if err != nil {
		return 0
	}
	day = day.In(clock.Shanghai)
	age := day.Year() - born.Year()
	if birthday := time.Date(day.Year(), born.Month(), born.Day(), 0, 0, 0, 0, clock.Shanghai); day.Before(birthday) {
		age--
	}
	return max(age, 0)
}

// MonthsOn is the age in full months on a day in Shanghai.
func MonthsOn(birthDate string, day time.Time) int {
	born, err := time.ParseInLocation(time.DateOnly, birthDate, clock.Shanghai)
	if err != nil {
		return 0
	}
	day = day.In(clock.Shanghai)
	months := (day.Year()-born.Year())*12 + int(day.Month()) - int(born.Month())
	// A month is full on the day of birth, or on the first of the next where a month has no such day.
	if day.Day() < born.Day() {
		months--
	}
	return max(months, 0)
}
