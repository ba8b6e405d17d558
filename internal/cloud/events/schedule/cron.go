package schedule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cron holds, a field each, which values it stands for, as bits.
type cron struct {
	minutes, hours, months uint64
	years                  [lastYear - firstYear + 1]bool
	days                   func(year int, month time.Month) uint64 // of that month: bit 1 is the first
}

const firstYear, lastYear = 1970, 2199

// field is what one of the six may hold.
type field struct {
	name      string
	low, high int
	names     []string // of the values from low on
	fixed     bool     // no increments
	wraps     bool     // a range may lead over the end, as FRI-MON
}

var (
	minuteField  = field{name: "minutes", low: 0, high: 59, wraps: true}
	hourField    = field{name: "hours", low: 0, high: 23, wraps: true}
	dayField     = field{name: "day-of-month", low: 1, high: 31, wraps: true}
	monthField   = field{name: "month", low: 1, high: 12, wraps: true, names: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}}
	weekdayField = field{name: "day-of-week", low: 1, high: 7, wraps: true, fixed: true, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}
	yearField    = field{name: "year", low: firstYear, high: lastYear}
)

func parseCron(words []string) (*cron, error) {
	if len(words) != 6 {
		return nil, fmt.Errorf("cron has six fields (minutes hours day-of-month month day-of-week year), not %d", len(words))
	}
	c := &cron{}
	var errs [5]error
	c.minutes, errs[0] = minuteField.bits(words[0])
	c.hours, errs[1] = hourField.bits(words[1])
	c.days, errs[2] = parseDays(words[2], words[4])
	c.months, errs[3] = monthField.bits(words[3])
	errs[4] = yearField.values(words[5], func(year int) { c.years[year-firstYear] = true })
	return c, errors.Join(errs[:]...)
}

// bits reads a field whose values are below 64.
func (f field) bits(text string) (bits uint64, err error) {
	err = f.values(text, func(v int) { bits |= 1 << v })
	return bits, err
}

// values calls add with each value that the field stands for.
func (f field) values(text string, add func(int)) error {
	for part := range strings.SplitSeq(text, ",") {
		from, to, step, err := f.part(part)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		size := f.high - f.low + 1
		if to < from {
			to += size
		}
		for v := from; v <= to; v += step {
			add(f.low + (v-f.low)%size)
		}
	}
	return nil
}

// part reads one of *, 5, 5-10, each with an increment or without.
func (f field) part(text string) (from, to, step int, err error) {
	span, increment, stepped := strings.Cut(text, "/")
	step = 1
	if stepped {
		if step, err = number(increment); err != nil || f.fixed || step < 1 || step > f.high {
			return 0, 0, 0, fmt.Errorf("%s has an increment that is not possible here", text)
		}
	}
	if span == "*" {
		return f.low, f.high, step, nil
	}
	low, high, ranged := strings.Cut(span, "-")
	if from, err = f.value(low); err != nil {
		return 0, 0, 0, err
	}
	switch {
	case ranged:
		if to, err = f.value(high); err == nil && to < from && !f.wraps {
			err = fmt.Errorf("%s ends before it begins", span)
		}
	case stepped:
		to = f.high
	default:
		to = from
	}
	return from, to, step, err
}

func (f field) value(text string) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(name, text) {
			return f.low + i, nil
		}
	}
	if v, err := number(text); err == nil && v >= f.low && v <= f.high {
		return v, nil
	}
	return 0, fmt.Errorf("%q is not one of %d to %d", text, f.low, f.high)
}

func number(text string) (int, error) {
	if strings.TrimLeft(text, "0123456789") != "" {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return strconv.Atoi(text)
}

// parseDays reads the two fields that say which days; one of them says nothing, which is written as ?.
func parseDays(ofMonth, ofWeek string) (func(int, time.Month) uint64, error) {
	switch {
	case ofMonth == "?" && ofWeek == "?":
		return nil, errors.New("day-of-month and day-of-week are both ?, which leaves no day")
	case ofWeek == "?":
		return daysOfMonth(ofMonth)
	case ofMonth == "?":
		return daysOfWeek(ofWeek)
	}
	return nil, errors.New("one of day-of-month and day-of-week must be ?")
}

func daysOfMonth(text string) (func(int, time.Month) uint64, error) {
	if text == "L" {
		return func(y int, m time.Month) uint64 { return 1 << daysIn(y, m) }, nil
	}
	if day, ok := strings.CutSuffix(text, "W"); ok {
		if day == "L" {
			return func(y int, m time.Month) uint64 { return 1 << nearestWeekday(y, m, daysIn(y, m)) }, nil
		}
		d, err := dayField.value(day)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dayField.name, err)
		}
		return func(y int, m time.Month) uint64 {
			if d > daysIn(y, m) {
				return 0
			}
			return 1 << nearestWeekday(y, m, d)
		}, nil
	}
	bits, err := dayField.bits(text)
	return func(y int, m time.Month) uint64 { return bits & (1<<(daysIn(y, m)+1) - 1) }, err
}

func daysOfWeek(text string) (func(int, time.Month) uint64, error) {
	if text == "L" { // of the week
		text = "SAT"
	}
	if day, ok := strings.CutSuffix(text, "L"); ok {
		d, err := weekdayField.value(day)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", weekdayField.name, err)
		}
		return func(y int, m time.Month) uint64 { return weekdays(y, m, 1<<d) &^ (1<<(daysIn(y, m)-6) - 1) }, nil
	}
	if day, nth, ok := strings.Cut(text, "#"); ok {
		d, err := weekdayField.value(day)
		n, nErr := number(nth)
		if err != nil || nErr != nil || n < 1 || n > 5 {
			return nil, fmt.Errorf("%s: %s is no day's number in a month, such as 3#2", weekdayField.name, text)
		}
		return func(y int, m time.Month) uint64 { return weekdays(y, m, 1<<d) & (0b1111111 << (7*n - 6)) }, nil
	}
	bits, err := weekdayField.bits(text)
	return func(y int, m time.Month) uint64 { return weekdays(y, m, bits) }, err
}

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// weekday is a date's, as cron counts: 1 is Sunday.
func weekday(year int, month time.Month, day int) int {
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()) + 1
}

// weekdays are the days of a month that fall on one of the days of the week.
func weekdays(year int, month time.Month, wanted uint64) (days uint64) {
	first := weekday(year, month, 1)
	for d := 1; d <= daysIn(year, month); d++ {
		if wanted>>((first+d-2)%7+1)&1 == 1 {
			days |= 1 << d
		}
	}
	return days
}

// nearestWeekday is the day from Monday to Friday that is nearest to a day, in the same month.
func nearestWeekday(year int, month time.Month, day int) int {
	switch weekday(year, month, day) {
	case 7:
		if day == 1 {
			return 3
		}
		return day - 1
	case 1:
		if day == daysIn(year, month) {
			return day - 2
		}
		return day + 1
	}
	return day
}

// next returns the first minute after t that all fields stand for.
func (c *cron) next(t time.Time) (time.Time, bool) {
	t = t.Truncate(time.Minute).Add(time.Minute)
	if t.Year() < firstYear {
		t = time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	for t.Year() <= lastYear {
		y, m, d := t.Date()
		switch {
		case !c.years[y-firstYear]:
			t = time.Date(y+1, 1, 1, 0, 0, 0, 0, time.UTC)
		case c.months>>m&1 == 0:
			t = time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
		case c.days(y, m)>>d&1 == 0:
			t = time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
		case c.hours>>t.Hour()&1 == 0:
			t = time.Date(y, m, d, t.Hour()+1, 0, 0, 0, time.UTC)
		case c.minutes>>t.Minute()&1 == 0:
			t = t.Add(time.Minute)
		default:
			return t, true
		}
	}
	return time.Time{}, false
}
