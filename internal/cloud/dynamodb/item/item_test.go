package item

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func s(v string) Value     { return &types.AttributeValueMemberS{Value: v} }
func n(v string) Value     { return &types.AttributeValueMemberN{Value: v} }
func b(v string) Value     { return &types.AttributeValueMemberB{Value: []byte(v)} }
func m(v Item) Value       { return &types.AttributeValueMemberM{Value: v} }
func l(v ...Value) Value   { return &types.AttributeValueMemberL{Value: v} }
func ss(v ...string) Value { return &types.AttributeValueMemberSS{Value: v} }
func ns(v ...string) Value { return &types.AttributeValueMemberNS{Value: v} }
func bs(v ...string) Value {
	set := make([][]byte, len(v))
	for i, e := range v {
		set[i] = []byte(e)
	}
	return &types.AttributeValueMemberBS{Value: set}
}
func boolean(v bool) Value { return &types.AttributeValueMemberBOOL{Value: v} }
func null(v bool) Value    { return &types.AttributeValueMemberNULL{Value: v} }

var sameValues = cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{},
	types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberM{}, types.AttributeValueMemberL{},
	types.AttributeValueMemberSS{}, types.AttributeValueMemberNS{}, types.AttributeValueMemberBS{})

func nested(depth int) Value {
	v := s("x")
	for range depth {
		v = l(v)
	}
	return v
}

func TestNormalize(t *testing.T) {
	in := Item{"a": n("1.50"), "b": l(s(""), n("+7"), m(Item{"c": n("1e2"), "d": b("")})), "e": ns("01", "2"), "f": s("x")}
	want := Item{"a": n("1.5"), "b": l(s(""), n("7"), m(Item{"c": n("100"), "d": b("")})), "e": ns("1", "2"), "f": s("x")}
	got, err := Normalize(in)
	if err != nil || !cmp.Equal(got, want, sameValues) {
		t.Errorf("got %v: %s", err, cmp.Diff(want, got, sameValues))
	}
	if !Equal(in["a"], n("1.50")) || !Equal(in["b"].(*types.AttributeValueMemberL).Value[1], n("+7")) {
		t.Error("what was given is changed")
	}
	again, err := Normalize(got)
	if err != nil || !sameMap(again, got) {
		t.Errorf("normalized again, it changes: %v %v", again, err)
	}
	if _, err := Normalize(Item{"a": nested(MaxDepth)}); err != nil {
		t.Errorf("%d levels: %v", MaxDepth, err)
	}
}

func TestNormalizeErrors(t *testing.T) {
	for want, v := range map[string]Value{
		"Supplied AttributeValue is empty, must contain exactly one of the supported datatypes":                           nil,
		"One or more parameter values were invalid: Null attribute value types must have the value of true":               null(false),
		"The parameter cannot be converted to a numeric value: x":                                                         n("x"),
		"One or more parameter values were invalid: An string set  may not be empty":                                      ss(),
		"One or more parameter values were invalid: An number set  may not be empty":                                      ns(),
		"One or more parameter values were invalid: Binary sets should not be empty":                                      bs(),
		"One or more parameter values were invalid: Input collection [a, b, a] contains duplicates.":                      ss("a", "b", "a"),
		"Input collection contains duplicates":                                                                            ns("1", "1.0"),
		"One or more parameter values were invalid: Input collection [YQ==, YQ==]of type BS contains duplicates.":         bs("a", "a"),
		"Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit": nested(MaxDepth + 1),
	} {
		for _, v := range []Value{v, l(v), m(Item{"x": v})} {
			if _, err := Normalize(Item{"a": v}); err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	}
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		it   Item
		want int
	}{
		{Item{"id": s("Fred")}, 6},
		{Item{"id": s("é")}, 4},
		{Item{"a": n("123"), "b": boolean(true), "c": null(true)}, 3 + 3 + 1 + 1},
		{Item{"a": l(s("xy"), s("z"))}, 1 + 3 + 1 + 2 + 1 + 1},
		{Item{"a": m(Item{"k": s("v")})}, 1 + 3 + 1 + 1 + 1},
		{Item{"a": ss("xy", "z"), "b": bs("123"), "c": ns("1")}, 4 + 4 + 3},
	} {
		if got := Size(c.it); got != c.want {
			t.Errorf("size of %v: %d, want %d", c.it, got, c.want)
		}
	}
}

func TestEqualAndCompare(t *testing.T) {
	if !Equal(ss("a", "b"), ss("b", "a")) || Equal(ss("a"), ss("b")) || Equal(s("1"), n("1")) || !Equal(m(Item{"a": l(n("1"))}), m(Item{"a": l(n("1"))})) {
		t.Error("Equal is wrong")
	}
	for _, c := range []struct {
		a, b Value
		want int
		ok   bool
	}{
		{s("a"), s("b"), -1, true}, {s("B"), s("a"), -1, true}, {s("é"), s("z"), 1, true}, {n("10"), n("9"), 1, true}, {n("-1"), n("-2"), 1, true}, {n("-0.5"), n("-2"), 1, true},
		{n("1234567890123456789"), n("999999999999999999"), 1, true}, {n("-3"), n("-30"), 1, true},
		{b("\xff"), b("a"), 1, true}, {s("1"), n("1"), 0, false}, {boolean(true), boolean(false), 0, false},
	} {
		if got, ok := Compare(c.a, c.b); got != c.want || ok != c.ok {
			t.Errorf("Compare(%v, %v) = %d, %v", c.a, c.b, got, ok)
		}
	}
}

// values draws any normalized value.
func values(depth int) *rapid.Generator[Value] {
	text := rapid.StringN(0, 5, -1)
	whole := rapid.Custom(func(t *rapid.T) string { return rapid.StringMatching(`0|-?[1-9][0-9]{0,10}`).Draw(t, "number") })
	kinds := []*rapid.Generator[Value]{
		rapid.Map(text, s), rapid.Map(whole, n), rapid.Map(text, b), rapid.Map(rapid.Bool(), boolean), rapid.Just(null(true)),
		rapid.Map(rapid.SliceOfNDistinct(text, 1, 4, rapid.ID[string]), func(v []string) Value { return ss(v...) }),
		rapid.Map(rapid.SliceOfNDistinct(whole, 1, 4, rapid.ID[string]), func(v []string) Value { return ns(v...) }),
		rapid.Map(rapid.SliceOfNDistinct(text, 1, 4, rapid.ID[string]), func(v []string) Value { return bs(v...) }),
	}
	if depth > 0 {
		kinds = append(kinds, rapid.Map(rapid.SliceOfN(values(depth-1), 0, 3), func(v []Value) Value { return l(v...) }),
			rapid.Map(rapid.MapOfN(text, values(depth-1), 0, 3), m))
	}
	return rapid.OneOf(kinds...)
}

func TestEncodingKeepsItems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := rapid.MapOfN(rapid.String(), values(3), 0, 6).Draw(t, "item")
		got, err := Decode(Append(nil, it))
		if err != nil || !cmp.Equal(got, it, sameValues, cmpopts.EquateEmpty()) {
			t.Fatalf("%v: %s", err, cmp.Diff(it, got, sameValues))
		}
		if !Equal(m(got), m(it)) {
			t.Fatal("not Equal")
		}
		if Size(got) != Size(it) {
			t.Fatalf("size %d became %d", Size(it), Size(got))
		}
	})
}

func TestOrderOfKeysIsOrderOfValues(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune{0, 1, 'a', 'b', 0xff, '😀'}), 0, 4, -1)
	whole := rapid.StringMatching(`0|-?[1-9][0-9]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]*rapid.Generator[Value]{rapid.Map(text, s), rapid.Map(text, b), rapid.Map(whole, n)}).Draw(t, "kind")
		x, y := kind.Draw(t, "x"), kind.Draw(t, "y")
		kx, _ := AppendKey(nil, x)
		ky, _ := AppendKey(nil, y)
		want, _ := Compare(x, y)
		if got := bytes.Compare(kx, ky); got != want {
			t.Fatalf("keys %x and %x compare %d, want %d", kx, ky, got, want)
		}
		if want != 0 && bytes.HasPrefix(kx, ky) {
			t.Fatalf("%x begins with %x", kx, ky)
		}
		if x, ok := x.(*types.AttributeValueMemberS); ok {
			start, _ := AppendKeyStart(nil, y)
			if got, want := bytes.HasPrefix(kx, start), strings.HasPrefix(x.Value, y.(*types.AttributeValueMemberS).Value); got != want {
				t.Fatalf("%q begins with %q: %v", x.Value, y, got)
			}
		}
	})
}

func TestHashSpreads(t *testing.T) {
	var quarter [4]int
	for i := range 4000 {
		quarter[Hash([]byte{byte(i), byte(i >> 8)})>>62]++
	}
	for i, c := range quarter {
		if c < 800 || c > 1200 {
			t.Errorf("quarter %d has %d of 4000", i, c)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Append(nil, Item{"a": l(s("x"), n("1")), "b": ss("y")}))
	f.Add([]byte{1, 1, 'a', tagM, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if it, err := Decode(b); err == nil {
			if _, err := Decode(Append(nil, it)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkNormalizeAndSize(b *testing.B) {
	it := Item{"id": s("user#12345"), "name": s("Somebody Somewhere"), "age": n("42"), "tags": ss("a", "b"), "text": s(strings.Repeat("x", 150))}
	b.ReportAllocs()
	for b.Loop() {
		out, _ := Normalize(it)
		Size(out)
	}
}
