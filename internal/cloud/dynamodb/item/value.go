// Package item answers: what is an item, is it one that DynamoDB takes, how large is it, how do its values compare, and what
// bytes stand for it in the store and in an index?
//
// Items are the SDK's maps of attribute values. Once taken over by [Normalize] an item is never changed: the same map is kept,
// shared with readers, and answered. Errors carry AWS's words.
package item

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/number"
)

// Value is an attribute's value.
type Value = types.AttributeValue

// Item is a row: attributes by name.
type Item = map[string]Value

// MaxSize is how many bytes an item may have, names and values together.
const MaxSize = 400 << 10

// MaxDepth is how deep lists and maps may be nested.
const MaxDepth = 32

const invalid = "One or more parameter values were invalid: "

var (
	errEmptyValue = errors.New("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	errDepth      = errors.New("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
	errNull       = errors.New(invalid + "Null attribute value types must have the value of true")
)

// Type returns the value's type as AWS abbreviates it, or "" for none.
func Type(v Value) string {
	switch v.(type) {
	case *types.AttributeValueMemberS:
		return "S"
	case *types.AttributeValueMemberN:
		return "N"
	case *types.AttributeValueMemberB:
		return "B"
	case *types.AttributeValueMemberBOOL:
		return "BOOL"
	case *types.AttributeValueMemberNULL:
		return "NULL"
	case *types.AttributeValueMemberM:
		return "M"
	case *types.AttributeValueMemberL:
		return "L"
	case *types.AttributeValueMemberSS:
		return "SS"
	case *types.AttributeValueMemberNS:
		return "NS"
	case *types.AttributeValueMemberBS:
		return "BS"
	}
	return ""
}

// Normalize checks an item that a client sent, and returns it with its numbers written as DynamoDB writes them. The item
// given is not changed; where nothing is to be written anew, it is the one returned.
func Normalize(it Item) (Item, error) { return normalizeMap(it, 0) }

// NormalizeValue does for one value what Normalize does for an item.
func NormalizeValue(v Value) (Value, error) { return normalize(v, 1) }

// normalizeMap handles the attributes of an item, at depth 0, or the members of a map.
func normalizeMap(m Item, depth int) (Item, error) {
	out, copied := m, false
	for name, v := range m {
		n, err := normalize(v, depth+1)
		if err != nil {
			return nil, err
		}
		if n == v {
			continue
		}
		if !copied {
			out, copied = maps.Clone(m), true
		}
		out[name] = n
	}
	return out, nil
}

func normalize(v Value, depth int) (Value, error) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS, *types.AttributeValueMemberB, *types.AttributeValueMemberBOOL:
		return v, nil
	case *types.AttributeValueMemberN:
		return normalizeNumber(v)
	case *types.AttributeValueMemberNULL:
		if !v.Value {
			return nil, errNull
		}
		return v, nil
	case *types.AttributeValueMemberM:
		return normalizeM(v, depth)
	case *types.AttributeValueMemberL:
		return normalizeL(v, depth)
	case *types.AttributeValueMemberSS:
		return v, checkStringSet(v.Value)
	case *types.AttributeValueMemberNS:
		return normalizeNumberSet(v)
	case *types.AttributeValueMemberBS:
		return v, checkBinarySet(v.Value)
	}
	return nil, errEmptyValue
}

func normalizeNumber(v *types.AttributeValueMemberN) (Value, error) {
	if number.Canonical(v.Value) {
		return v, nil
	}
	d, err := number.Parse(v.Value)
	if err != nil {
		return nil, err
	}
	if s := d.String(); s != v.Value {
		return &types.AttributeValueMemberN{Value: s}, nil
	}
	return v, nil
}

func normalizeM(v *types.AttributeValueMemberM, depth int) (Value, error) {
	if depth > MaxDepth {
		return nil, errDepth
	}
	m, err := normalizeMap(v.Value, depth)
	if err != nil {
		return nil, err
	}
	if sameMap(m, v.Value) {
		return v, nil
	}
	return &types.AttributeValueMemberM{Value: m}, nil
}

// sameMap reports whether normalizeMap returned what it was given: any map that it copied differs in a value's identity.
func sameMap(a, b Item) bool {
	for name, v := range a {
		if b[name] != v {
			return false
		}
	}
	return true
}

func normalizeL(v *types.AttributeValueMemberL, depth int) (Value, error) {
	if depth > MaxDepth {
		return nil, errDepth
	}
	out := v.Value
	for i, e := range v.Value {
		n, err := normalize(e, depth+1)
		if err != nil {
			return nil, err
		}
		if n == e {
			continue
		}
		if &out[0] == &v.Value[0] {
			out = slices.Clone(v.Value)
		}
		out[i] = n
	}
	if len(out) == 0 || &out[0] == &v.Value[0] {
		return v, nil
	}
	return &types.AttributeValueMemberL{Value: out}, nil
}

func checkStringSet(set []string) error {
	if len(set) == 0 {
		return errors.New(invalid + "An string set  may not be empty")
	}
	if duplicates(set) {
		return errors.New(invalid + "Input collection [" + strings.Join(set, ", ") + "] contains duplicates.")
	}
	return nil
}

func normalizeNumberSet(v *types.AttributeValueMemberNS) (Value, error) {
	if len(v.Value) == 0 {
		return nil, errors.New(invalid + "An number set  may not be empty")
	}
	out := make([]string, len(v.Value))
	for i, s := range v.Value {
		d, err := number.Parse(s)
		if err != nil {
			return nil, err
		}
		out[i] = d.String()
	}
	if duplicates(out) {
		return nil, errors.New("Input collection contains duplicates")
	}
	if slices.Equal(out, v.Value) {
		return v, nil
	}
	return &types.AttributeValueMemberNS{Value: out}, nil
}

func checkBinarySet(set [][]byte) error {
	if len(set) == 0 {
		return errors.New(invalid + "Binary sets should not be empty")
	}
	names := make([]string, len(set))
	for i, b := range set {
		names[i] = string(b)
	}
	if duplicates(names) {
		for i, b := range set {
			names[i] = base64.StdEncoding.EncodeToString(b)
		}
		return errors.New(invalid + "Input collection [" + strings.Join(names, ", ") + "]of type BS contains duplicates.")
	}
	return nil
}

func duplicates(set []string) bool {
	if len(set) < 2 {
		return false
	}
	sorted := slices.Clone(set)
	sort.Strings(sorted)
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return true
		}
	}
	return false
}

// Equal reports whether two normalized values are the same. The order of a set's members does not matter.
func Equal(a, b Value) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Equal(a.Value, b.Value)
	case *types.AttributeValueMemberBOOL:
		b, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberNULL:
		_, ok := b.(*types.AttributeValueMemberNULL)
		return ok
	case *types.AttributeValueMemberM:
		b, ok := b.(*types.AttributeValueMemberM)
		return ok && maps.EqualFunc(a.Value, b.Value, Equal)
	case *types.AttributeValueMemberL:
		b, ok := b.(*types.AttributeValueMemberL)
		return ok && slices.EqualFunc(a.Value, b.Value, Equal)
	case *types.AttributeValueMemberSS:
		b, ok := b.(*types.AttributeValueMemberSS)
		return ok && sameSet(a.Value, b.Value)
	case *types.AttributeValueMemberNS:
		b, ok := b.(*types.AttributeValueMemberNS)
		return ok && sameSet(a.Value, b.Value)
	case *types.AttributeValueMemberBS:
		b, ok := b.(*types.AttributeValueMemberBS)
		return ok && sameSet(binaries(a.Value), binaries(b.Value))
	}
	return false
}

func binaries(set [][]byte) []string {
	out := make([]string, len(set))
	for i, b := range set {
		out[i] = string(b)
	}
	return out
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	a, b = slices.Clone(a), slices.Clone(b)
	sort.Strings(a)
	sort.Strings(b)
	return slices.Equal(a, b)
}

// Compare returns -1, 0 or 1 as a is less than, equal to or greater than b; ok is false where DynamoDB knows no order between
// them: they are of different types, or not strings, numbers or binaries.
func Compare(a, b Value) (c int, ok bool) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		if b, is := b.(*types.AttributeValueMemberS); is {
			return strings.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberN:
		if b, is := b.(*types.AttributeValueMemberN); is {
			return compareNumbers(a, b), true
		}
	case *types.AttributeValueMemberB:
		if b, is := b.(*types.AttributeValueMemberB); is {
			return bytes.Compare(a.Value, b.Value), true
		}
	}
	return 0, false
}

// compareNumbers takes a short way for whole numbers, which most are.
func compareNumbers(a, b *types.AttributeValueMemberN) int {
	x, ok := short(a.Value)
	y, ok2 := short(b.Value)
	if ok && ok2 {
		return cmp.Compare(x, y)
	}
	return number.Compare(Number(a), Number(b))
}

// short reads a normalized number if it is a whole one of up to 18 digits.
func short(s string) (n int64, ok bool) {
	digits := strings.TrimPrefix(s, "-")
	if len(digits) > 18 {
		return 0, false
	}
	for i := range len(digits) {
		c := digits[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	if len(digits) < len(s) {
		n = -n
	}
	return n, true
}

// Number returns the number that a normalized value holds.
func Number(v *types.AttributeValueMemberN) number.Decimal {
	d, err := number.Parse(v.Value)
	if err != nil {
		panic(fmt.Sprintf("item: %q was not normalized", v.Value))
	}
	return d
}
