package cloud

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"evo/internal/cfn"
)

var timeType = reflect.TypeFor[time.Time]()

func scalar(v reflect.Value) *cfn.Node {
	switch {
	case v.Kind() == reflect.String:
		return cfn.Str(v.String())
	case v.Kind() == reflect.Bool:
		return cfn.Boolean(v.Bool())
	case v.CanInt():
		return cfn.Integer(v.Int())
	case v.CanFloat():
		return &cfn.Node{Kind: cfn.Float, Text: strconv.FormatFloat(v.Float(), 'g', -1, 64)}
	case v.Type() == timeType:
		return cfn.Str(v.Interface().(time.Time).UTC().Format("2006-01-02T15:04:05.000Z"))
	case v.Kind() == reflect.Slice:
		return cfn.Str(string(v.Bytes()))
	}
	return nil
}

func mapping(v reflect.Value, value func(reflect.Value) *cfn.Node) *cfn.Node {
	out := cfn.Obj()
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		if n := value(v.MapIndex(k)); n != nil {
			out.Set(k.String(), n)
		} else {
			out.Set(k.String(), cfn.Str(""))
		}
	}
	return out
}

// generic writes a structure with names that rename makes of its members'.
func generic(v reflect.Value, rename func(string) string) *cfn.Node {
	v = reflect.Indirect(v)
	switch {
	case !v.IsValid() || v.Kind() == reflect.Interface && v.IsNil():
		return nil
	case v.Kind() == reflect.Interface:
		return generic(v.Elem(), rename)
	case v.Kind() == reflect.Struct && v.Type() != timeType:
		out := cfn.Obj()
		for i := range v.NumField() {
			f := v.Type().Field(i)
			unset := v.Field(i).IsZero() && v.Field(i).Kind() != reflect.Bool && !v.Field(i).CanInt()
			if !f.IsExported() || f.Name == "ResultMetadata" || unset {
				continue
			}
			if n := generic(v.Field(i), rename); n != nil {
				out.Set(rename(f.Name), n)
			}
		}
		return out
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		out := cfn.Arr()
		for i := range v.Len() {
			if n := generic(v.Index(i), rename); n != nil {
				out.Items = append(out.Items, n)
			}
		}
		return out
	case v.Kind() == reflect.Map:
		return mapping(v, func(v reflect.Value) *cfn.Node { return generic(v, rename) })
	}
	return scalar(v)
}

// described writes what a service describes as configuration items hold it.
func described(v any) *cfn.Node { return generic(reflect.ValueOf(v), camel) }

// camel turns SSEAlgorithm into sseAlgorithm, BucketName into bucketName and ID into id.
func camel(name string) string {
	runes := []rune(name)
	for i := range runes {
		if !unicode.IsUpper(runes[i]) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(runes[i])
	}
	return string(runes)
}
