package timetable

import (
	"strings"
	"time"

	"huhang.example/services/internal/clock"
)

var weekdayColumns = [7]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// never is a first day after every last one: a service that runs on single days only.
const never = "99999999"

// Service days lie in these years; a feed's own span is bounded by maxServiceDays.
const (
	firstYear, lastYear = 1900, 2200
	maxServiceDays      = 3660
)

func (r *reader) readCalendars() {
	columns := append([]string{"service_id", "start_date", "end_date"}, weekdayColumns[:]...)
	regular := r.read("calendar.txt", false, columns, func(in row) {
		key, ok := fresh(in, "service_id", r.services, spoilt)
		service := Service{ID: key}
		for day, column := range weekdayColumns {
			runs, good := in.number64(column, 0, 1)
			service.Weekdays[day], ok = runs == 1, ok && good
		}
		var fromOK, toOK bool
		service.From, fromOK = in.date("start_date")
		service.To, toOK = in.date("end_date")
		if fromOK && toOK && service.To < service.From {
			in.complain("end_date", "is before start_date")
			return
		}
		if ok && fromOK && toOK {
			r.addService(service)
		}
	})
	single := r.read("calendar_dates.txt", false, []string{"service_id", "date", "exception_type"}, func(in row) {
		key, ok := in.need("service_id")
		day, dated := in.date("date")
		kind, typed := in.number64("exception_type", 1, 2)
		if ok && r.services[key] == spoilt {
			return
		}
		at, known := r.services[key]
		if !ok || !dated || !typed {
			if ok && !known {
				r.services[strings.Clone(key)] = spoilt
			}
			return
		}
		if !known {
			at = r.addService(Service{ID: strings.Clone(key), From: never})
		}
		service := &r.table.Services[at]
		if service.Exception == nil {
			service.Exception = map[string]bool{}
		}
		if _, twice := service.Exception[day]; twice {
			in.complain("date", "stands twice for this service")
			return
		}
		service.Exception[day] = kind == 1
	})
	if !regular && !single {
		r.bad.add("calendar.txt", 0, "", "is missing, and so is calendar_dates.txt")
	}
}

func (r *reader) addService(s Service) int32 {
	at := int32(len(r.table.Services))
	r.services[s.ID] = at
	r.table.Services = append(r.table.Services, s)
	return at
}

func (r row) date(column string) (string, bool) {
	text, ok := r.need(column)
	if !ok {
		return "", false
	}
	day, err := time.Parse("20060102", text)
	if err != nil || day.Year() < firstYear || day.Year() >= lastYear {
		r.complain(column, "is not a date YYYYMMDD of the years %d to %d", firstYear, lastYear-1)
		return "", false
	}
	return strings.Clone(text), true
}

// zone is an agency's, and where it stands.
type zone struct {
	name string
	row  int
}

// checkZones refuses a zone whose clocks do not show the line's time on every service day: the seconds of the feed are
// added to Shanghai's midnight, and an hour put in or taken out would move every train of that day.
func (r *reader) checkZones() {
	if len(r.zones) == 0 {
		return
	}
	const file, column = "agency.txt", "agency_timezone"
	first := r.zones[0]
	if first.name == "" || first.name == "Local" {
		r.bad.add(file, first.row, column, "is empty")
		return
	}
	place, err := time.LoadLocation(first.name)
	if err != nil {
		r.bad.add(file, first.row, column, "%s is no zone of the tz database", clip(first.name))
		return
	}
	from, to := r.table.span()
	if from == "" {
		return
	}
	day, _ := time.ParseInLocation("20060102", from, clock.Shanghai)
	last, _ := time.ParseInLocation("20060102", to, clock.Shanghai)
	if last.Sub(day) > maxServiceDays*24*time.Hour {
		r.bad.add("calendar.txt", 0, "", "the service days from %s to %s are more than %d days apart", from, to, maxServiceDays)
		return
	}
	// A trip may still be on its way days after its service day.
	for last = last.AddDate(0, 0, maxHour/24); !day.After(last); day = day.AddDate(0, 0, 1) {
		_, offset := day.In(place).Zone()
		_, here := day.In(clock.Shanghai).Zone()
		if offset != here || here != lineOffset {
			r.bad.add(file, first.row, column, "%s is at UTC%+.4g on %s, and only UTC+8 without summer time can be joined to the line",
				clip(first.name), float64(offset)/3600, day.Format(time.DateOnly))
			return
		}
	}
}

// lineOffset is UTC+8 in seconds.
const lineOffset = 8 * 3600
