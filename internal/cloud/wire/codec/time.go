package codec

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"evo/internal/cloud/model"
)

// AppendTime writes t in format f.
func AppendTime(b []byte, t time.Time, f model.TimestampFormat) []byte {
	t = t.UTC()
	switch f {
	case model.HTTPDate:
		return t.AppendFormat(b, "Mon, 02 Jan 2006 15:04:05 GMT")
	case model.EpochSeconds:
		return appendEpoch(b, t)
	}
	if t.Nanosecond() == 0 {
		return t.AppendFormat(b, "2006-01-02T15:04:05Z")
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05.000Z")
}

// appendEpoch writes seconds with at most milliseconds, as AWS does.
func appendEpoch(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms%1000 == 0 {
		return strconv.AppendInt(b, ms/1000, 10)
	}
	return strconv.AppendFloat(b, float64(ms)/1000, 'f', -1, 64)
}

var timeLayouts = []string{
	time.RFC3339Nano, "Mon, 02 Jan 2006 15:04:05 GMT", "Mon, 2 Jan 2006 15:04:05 MST", "2006-01-02T15:04:05", "20060102T150405Z",
	"Monday, 02-Jan-06 15:04:05 GMT", "Mon Jan _2 15:04:05 2006", "2006-01-02T15:04Z07:00", "2006-01-02",
}

// ParseTime reads a moment in any of the formats: AWS is as lenient.
func ParseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, l := range timeLayouts {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC(), nil
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return epoch(f)
	}
	return time.Time{}, errorf("%q is not a timestamp", s)
}

// epoch returns the moment f seconds after 1970, to the microsecond: a float64 holds no more for our days.
func epoch(f float64) (time.Time, error) {
	if math.IsNaN(f) || math.Abs(f) > 1e12 {
		return time.Time{}, errorf("%v is not a timestamp", f)
	}
	sec, frac := math.Modf(f)
	return time.Unix(int64(sec), int64(math.Round(frac*1e6))*1000).UTC(), nil
}

func timeOf(v reflect.Value) time.Time {
	if v.CanAddr() {
		return *v.Addr().Interface().(*time.Time)
	}
	return v.Interface().(time.Time)
}
