package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var (
	timeType      = reflect.TypeFor[time.Time]()
	readerType    = reflect.TypeFor[io.Reader]()
	attributeType = reflect.TypeFor[types.AttributeValue]()
	variable      = regexp.MustCompile(`\{[a-z][a-zA-Z0-9]*\}`)
)

// fill sets to, a part of an input, to what the work's JSON says.
func (w *worker) fill(to reflect.Value, from any) error {
	switch v := from.(type) {
	case nil:
		return nil
	case string:
		from = w.expand(v)
	case map[string]any:
		if b, ok, err := w.bytes(v); ok || err != nil {
			return setBytes(to, b, err)
		}
	}
	switch {
	case to.Type() == attributeType:
		return w.fillAttribute(to, from.(map[string]any))
	case to.Type() == timeType:
		ago := from.(map[string]any)["$ago"].(float64)
		to.Set(reflect.ValueOf(time.Now().Add(-time.Duration(ago) * time.Second)))
		return nil
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return w.fill(to.Elem(), from)
	case reflect.Struct:
		return w.fillStruct(to, from.(map[string]any))
	case reflect.Slice:
		list := from.([]any)
		to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
		for i, item := range list {
			if err := w.fill(to.Index(i), item); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		to.Set(reflect.MakeMap(to.Type()))
		for k, item := range from.(map[string]any) {
			v := reflect.New(to.Type().Elem()).Elem()
			if err := w.fill(v, item); err != nil {
				return err
			}
			to.SetMapIndex(reflect.ValueOf(w.expand(k)).Convert(to.Type().Key()), v)
		}
		return nil
	}
	return fillScalar(to, from)
}

func fillScalar(to reflect.Value, from any) error {
	switch v := from.(type) {
	case string:
		to.SetString(v)
	case bool:
		to.SetBool(v)
	case float64:
		if to.CanFloat() {
			to.SetFloat(v)
		} else {
			to.SetInt(int64(v))
		}
	case map[string]any: // milliseconds
		to.SetInt(time.Now().UnixMilli() - int64(v["$agoMillis"].(float64)))
	default:
		return fmt.Errorf("%T for a %s", from, to.Type())
	}
	return nil
}

func (w *worker) fillStruct(to reflect.Value, members map[string]any) error {
	for k, item := range members {
		f := to.FieldByNameFunc(func(n string) bool { return strings.EqualFold(n, k) })
		if !f.IsValid() {
			return fmt.Errorf("%s has no %s", to.Type(), k)
		}
		if err := w.fill(f, item); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
	}
	return nil
}

// fillAttribute makes the SDK's type for an attribute's kind of DynamoDB's JSON.
func (w *worker) fillAttribute(to reflect.Value, from map[string]any) error {
	members := map[string]types.AttributeValue{
		"S": &types.AttributeValueMemberS{}, "N": &types.AttributeValueMemberN{}, "BOOL": &types.AttributeValueMemberBOOL{},
		"NULL": &types.AttributeValueMemberNULL{}, "L": &types.AttributeValueMemberL{}, "M": &types.AttributeValueMemberM{},
		"SS": &types.AttributeValueMemberSS{},
	}
	for kind, item := range from {
		m := reflect.ValueOf(members[kind])
		if err := w.fill(m.Elem().FieldByName("Value"), item); err != nil {
			return err
		}
		to.Set(m)
	}
	return nil
}

// expand puts what was kept into a text.
func (w *worker) expand(s string) string {
	return variable.ReplaceAllStringFunc(s, func(all string) string {
		if v, ok := w.kept[all[1:len(all)-1]]; ok {
			return v
		}
		return all
	})
}

// bytes reads the stand-ins for bytes.
func (w *worker) bytes(v map[string]any) (b []byte, ok bool, err error) {
	if s, ok := v["$text"].(string); ok {
		return []byte(s), true, nil
	}
	if n, ok := v["$size"].(float64); ok {
		return bytes.Repeat([]byte{'.'}, int(n)), true, nil
	}
	if s, ok := v["$zip"].(string); ok {
		b, err := os.ReadFile(filepath.Join(w.folder, s+".zip"))
		return b, true, err
	}
	return nil, false, nil
}

func setBytes(to reflect.Value, b []byte, err error) error {
	if to.Type() == readerType {
		to.Set(reflect.ValueOf(bytes.NewReader(b)))
	} else {
		to.SetBytes(b)
	}
	return err
}

// seen is an answer as JSON has it.
func seen(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case []byte:
		return string(x)
	case io.Reader:
		b, err := io.ReadAll(x)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if t := v.Type(); t == attributeType {
			kind := strings.TrimPrefix(v.Elem().Elem().Type().Name(), "AttributeValueMember")
			return map[string]any{kind: seen(v.Elem().Elem().FieldByName("Value"))}
		}
		return seen(v.Elem())
	case reflect.Struct:
		m := map[string]any{}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "ResultMetadata" {
				m[f.Name] = seen(v.Field(i))
			}
		}
		return m
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = seen(v.Index(i))
		}
		return list
	case reflect.Map:
		m := map[string]any{}
		for it := v.MapRange(); it.Next(); {
			m[it.Key().String()] = seen(it.Value())
		}
		return m
	case reflect.String:
		return v.String()
	}
	return v.Interface()
}

// at is what stands at a path such as Stacks.0.StackStatus.
func at(v any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = nil
			for k, item := range x {
				if strings.EqualFold(k, part) {
					v = item
				}
			}
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}
