package codec

import (
	"encoding/base64"
	"math"
	"reflect"
	"strconv"
	"strings"

	"evo/internal/cloud/model"
)

// ParseText reads a simple value from text, as headers, paths, query parameters, XML and Query have it, into v.
func (p *Plan) ParseText(s string, v reflect.Value) error {
	switch p.Shape.Kind {
	case model.String, model.Document:
		v.SetString(s)
	case model.Boolean:
		b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(s)))
		if err != nil {
			return errorf("%q is not a boolean", s)
		}
		v.SetBool(b)
	case model.Number:
		return parseNumber(strings.TrimSpace(s), v)
	case model.Timestamp:
		t, err := ParseTime(s)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(t))
	case model.Blob:
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
		if err != nil {
			return errorf("the value is not valid base64")
		}
		v.SetBytes(b)
	default:
		return errorf("text where a structure is expected")
	}
	return nil
}

func parseNumber(s string, v reflect.Value) error {
	if v.CanInt() {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil { // 1.0 and 1e3 are integers too
			f, ferr := strconv.ParseFloat(s, 64)
			if ferr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
				return errorf("%q is not an integer", s)
			}
			n = int64(f)
		}
		if v.OverflowInt(n) {
			return errorf("%q is out of range", s)
		}
		v.SetInt(n)
		return nil
	}
	f, err := parseFloat(s)
	if err != nil {
		return err
	}
	v.SetFloat(f)
	return nil
}

func parseFloat(s string) (float64, error) {
	switch s {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, errorf("%q is not a number", s)
	}
	return f, nil
}

// AppendText writes a simple value as text; timestamps in format f.
func (p *Plan) AppendText(b []byte, v reflect.Value, f model.TimestampFormat) []byte {
	switch p.Shape.Kind {
	case model.String:
		return append(b, v.String()...)
	case model.Boolean:
		return strconv.AppendBool(b, v.Bool())
	case model.Number:
		return appendNumber(b, v)
	case model.Timestamp:
		return AppendTime(b, timeOf(v), f)
	case model.Blob:
		return base64.StdEncoding.AppendEncode(b, v.Bytes())
	}
	return b
}

func appendNumber(b []byte, v reflect.Value) []byte {
	if v.CanInt() {
		return strconv.AppendInt(b, v.Int(), 10)
	}
	f := v.Float()
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	}
	bits := 64
	if v.Kind() == reflect.Float32 {
		bits = 32
	}
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(b, f, 'e', -1, bits)
	}
	return strconv.AppendFloat(b, f, 'f', -1, bits)
}

// ParseTexts reads a list of simple values from texts into v.
func (p *Plan) ParseTexts(texts []string, v reflect.Value) error {
	s := reflect.MakeSlice(p.Type, len(texts), len(texts))
	for i, t := range texts {
		if err := p.elem.Plan.ParseText(t, p.elem.slot(s.Index(i))); err != nil {
			return err
		}
	}
	v.Set(s)
	return nil
}

// Texts returns the elements of v, a list of simple values, as texts.
func (p *Plan) Texts(v reflect.Value, f model.TimestampFormat) []string {
	if p.elem.Member.Timestamp != model.DefaultFormat {
		f = p.elem.Member.Timestamp
	}
	out := make([]string, 0, v.Len())
	for i := range v.Len() {
		if e, ok := p.elem.set(v.Index(i)); ok {
			out = append(out, string(p.elem.Plan.AppendText(nil, e, f)))
		}
	}
	return out
}
