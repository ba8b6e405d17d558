package expression

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"evo/internal/cloud/dynamodb/item"
)

func s(v string) item.Value        { return &types.AttributeValueMemberS{Value: v} }
func n(v string) item.Value        { return &types.AttributeValueMemberN{Value: v} }
func b(v string) item.Value        { return &types.AttributeValueMemberB{Value: []byte(v)} }
func m(v item.Item) item.Value     { return &types.AttributeValueMemberM{Value: v} }
func l(v ...item.Value) item.Value { return &types.AttributeValueMemberL{Value: v} }
func ss(v ...string) item.Value    { return &types.AttributeValueMemberSS{Value: v} }
func ns(v ...string) item.Value    { return &types.AttributeValueMemberNS{Value: v} }
func boolean(v bool) item.Value    { return &types.AttributeValueMemberBOOL{Value: v} }
func bs(v ...[]byte) item.Value    { return &types.AttributeValueMemberBS{Value: v} }
func null() item.Value             { return &types.AttributeValueMemberNULL{Value: true} }
func diff(want, got any) string    { return cmp.Diff(want, got, sameValues, cmpopts.EquateEmpty()) }
func parsed(text string) *Params   { p, _ := NewParams(names, values); return p }
func errorText(err error) string   { return strings.TrimSpace(fmt.Sprint(err)) }

var sameValues = cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{},
	types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberM{}, types.AttributeValueMemberL{},
	types.AttributeValueMemberSS{}, types.AttributeValueMemberNS{}, types.AttributeValueMemberBS{})

var names = map[string]string{"#a": "a", "#status": "status", "#dot": "a.b"}

var values = map[string]item.Value{
	":s": s("abc"), ":ab": s("ab"), ":z": s("z"), ":n": n("5"), ":n1": n("1"), ":n9": n("9"), ":t": boolean(true), ":null": null(),
	":l": l(s("x")), ":e": l(), ":m": m(item.Item{"k": s("v")}), ":ss": ss("a", "b"), ":ns": ns("1", "2"), ":b": b("bin"), ":typeS": s("S"), ":bs": bs([]byte("a")),
	":typeL": s("L"), ":a": s("a"),
}

var sample = item.Item{
	"a": s("abcdef"), "n": n("5"), "n2": n("7"), "flag": boolean(true), "nothing": null(), "things": l(s("x"), n("1"), l(s("deep")), m(item.Item{"k": s("v")})),
	"m": m(item.Item{"k": s("v"), "l": l(n("10"), n("11"), n("12"))}), "tags": ss("a", "b"), "nums": ns("1", "2"), "bin": b("binary"), "status": s("on"), "a.b": s("dotted"), "bins": bs([]byte("a"), []byte("b")),
}

func TestConditions(t *testing.T) {
	for text, want := range map[string]bool{
		"n = :n": true, "n <> :n": false, "n < :n9": true, "n <= :n": true, "n > :n9": false, "n >= :n": true, ":n1 < n": true,
		"a = :n": false, "a <> :n": true, "gone = :n": false, "gone <> :n": true, "gone < :n": false, "NOT gone < :n": true,
		"n between :n1 and :n9": true, "n2 BETWEEN n AND :n9": true, "a BETWEEN :s AND :z": true, "n IN (:n1, :n)": true, "n in (:n1,:s)": false,
		"a = :s OR n = :n": true, "a = :s AND n = :n": false, "a = :s AND n = :n OR flag = :t": true, "flag = :t OR a = :s AND n = :n1": true,
		"NOT a = :s": true, "not (a = :s or n = :n)": false, "(a = :s OR n = :n) AND flag = :t": true,
		"attribute_exists(a)": true, "attribute_exists(m.k)": true, "attribute_exists(m.x)": false, "attribute_not_exists(things[9])": true,
		"attribute_exists(things[2][0])": true, "attribute_exists(things[3].k)": true, "attribute_exists(a.k)": false, "attribute_exists(#dot)": true,
		"attribute_type(a, :typeS)": true, "attribute_type(things, :typeL)": true, "attribute_type(n, :typeS)": false,
		"begins_with(a, :s)": true, "begins_with(n, :s)": false, "begins_with(bin, :b)": true, "contains(a, :ab)": true, "contains(tags, :a)": true, "contains(nums, :n1)": true,
		"contains(things, :n1)": true, "contains(bin, :b)": true, "contains(tags, :z)": false, "contains(n, :n)": false, "contains(bins, :b)": false,
		"size(a) > :n": true, "size(things) < :n": true, "size(n) = :n": false, "size(m) = :n1": false, ":n > size(tags)": true, "size(a) BETWEEN :n AND :n9": true,
		"#status = :s": false, "m.l[1] > :n9": true, "nothing = :null": true, "#a = a": false, "things = :l": false,
	} {
		c, err := ParseCondition("ConditionExpression", text, parsed(text))
		if text == "#a = a" {
			if err == nil {
				t.Errorf("%s: no error", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := c.Holds(sample); got != want {
			t.Errorf("%s: %v", text, got)
		}
		if c.Holds(nil) && !strings.Contains(strings.ToLower(text), "not") && !strings.Contains(text, "<>") {
			t.Errorf("%s holds for nothing", text)
		}
	}
}

func TestConditionErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   `The expression can not be empty;`,
		"  ":                                 `The expression can not be empty;`,
		"a":                                  `Syntax error; token: "<EOF>", near: "a"`,
		"a =":                                `Syntax error; token: "<EOF>", near: "="`,
		"INVALID SYNTAX HERE":                `Syntax error; token: "SYNTAX", near: "INVALID SYNTAX HERE"`,
		"a = :s b":                           `Syntax error; token: "b", near: ":s b"`,
		"a = :s AND":                         `Syntax error; token: "<EOF>", near: "AND"`,
		"a = = :s":                           `Syntax error; token: "=", near: "= = :s"`,
		"hits : incr":                        `Syntax error; token: ":", near: "hits : incr"`,
		"_id = :s":                           `Syntax error; token: "_", near: "_id"`,
		"a[x] = :s":                          `Syntax error; token: "x", near: "[x]"`,
		"(a = :s":                            `Syntax error; token: "<EOF>", near: ":s"`,
		"a @ :s":                             `Syntax error; token: "@", near: "a @ :s"`,
		"((a = :s))":                         `The expression has redundant parentheses;`,
		"((a)) = :s":                         `The expression has redundant parentheses;`,
		"foo(a)":                             `Invalid function name; function: foo`,
		"size(a)":                            `The function is not allowed to be used this way in an expression; function: size`,
		"attribute_exists(a) = :s":           `The function is not allowed to be used this way in an expression; function: attribute_exists`,
		"size(attribute_exists(a))=:n":       `The function is not allowed to be used this way in an expression; function: attribute_exists`,
		"status = :s":                        `Attribute name is a reserved keyword; reserved keyword: status`,
		"a = :s AND m.Data = :s":             `Attribute name is a reserved keyword; reserved keyword: Data`,
		"#x = :s":                            `An expression attribute name used in the document path is not defined; attribute name: #x`,
		"a = :x":                             `An expression attribute value used in expression is not defined; attribute value: :x`,
		"a = :x AND status = :y":             `Attribute name is a reserved keyword; reserved keyword: status`,
		"begins_with(a)":                     `Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1`,
		"begins_with(a, :n)":                 `Incorrect operand type for operator or function; operator or function: begins_with, operand type: N`,
		"attribute_exists(:s)":               `Operator or function requires a document path; operator or function: attribute_exists`,
		"attribute_type(a, :n)":              `Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N`,
		"attribute_type(a, b)":               `Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}`,
		"attribute_type(a, :s)":              `Invalid attribute type name found; type: abc, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`,
		"size(:n) = :n":                      `Incorrect operand type for operator or function; operator or function: size, operand type: N`,
		"a = a":                              `The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]`,
		"contains(m.l[1], m.l[1])":           `The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [m, l, [1]]`,
		"a < :t":                             `Incorrect operand type for operator or function; operator or function: <, operand type: BOOL`,
		"a between :z and :s":                `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:z}, upper bound operand: AttributeValue: {S:abc}`,
		"a between :s and :n":                `The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:abc}, upper bound operand: AttributeValue: {N:5}`,
		"a[99999999999999999999] = :s":       `List index is not within the allowable range; index: [99999999999999999999]`,
		"a = :s" + strings.Repeat(" ", 4096): `Expression size has exceeded the maximum allowed size; expression size: 4102`,
	} {
		_, err := ParseCondition("FilterExpression", text, parsed(text))
		if got := errorText(err); got != "Invalid FilterExpression: "+want {
			t.Errorf("%s:\n got  %s\n want %s", text, got, want)
		}
	}
}

func TestUpdates(t *testing.T) {
	with := func(changes item.Item, without ...string) item.Item {
		out := item.Item{}
		for k, v := range sample {
			out[k] = v
		}
		for k, v := range changes {
			out[k] = v
		}
		for _, k := range without {
			delete(out, k)
		}
		return out
	}
	tens := func(v ...item.Value) item.Item { return item.Item{"m": m(item.Item{"k": s("v"), "l": l(v...)})} }
	for text, want := range map[string]item.Item{
		"SET x = :s":                                   with(item.Item{"x": s("abc")}),
		"set a = n, n = a":                             with(item.Item{"a": n("5"), "n": s("abcdef")}),
		"SET n = n + :n":                               with(item.Item{"n": n("10")}),
		"SET n = :n - n2":                              with(item.Item{"n": n("-2")}),
		"SET n = (n + :n)":                             with(item.Item{"n": n("10")}),
		"SET x = if_not_exists(x, :n) + :n1":           with(item.Item{"x": n("6")}),
		"SET n = if_not_exists(n, :n9)":                with(nil),
		"SET things = list_append(:l, :l)":             with(item.Item{"things": l(s("x"), s("x"))}),
		"SET x = list_append(if_not_exists(x,:e), :l)": with(item.Item{"x": l(s("x"))}),
		"SET m.k = :n, m.x = :s":                       with(item.Item{"m": m(item.Item{"k": n("5"), "x": s("abc"), "l": l(n("10"), n("11"), n("12"))})}),
		"SET m.l[0] = :s":                              with(tens(s("abc"), n("11"), n("12"))),
		"SET m.l[9] = :s, m.l[7] = :z":                 with(tens(n("10"), n("11"), n("12"), s("z"), s("abc"))),
		"REMOVE m.l[0], m.l[2]":                        with(tens(n("11"))),
		"REMOVE m.l[9]":                                with(nil),
		"REMOVE x, n SET y = :n":                       with(item.Item{"y": n("5")}, "n"),
		"REMOVE m.l[0] SET m.l[1] = :s":                with(tens(s("abc"), n("12"))),
		"ADD n :n, x :n, tags :ss":                     with(item.Item{"n": n("10"), "x": n("5")}),
		"ADD nums :ns":                                 with(nil),
		"ADD m.l[0] :n":                                with(tens(n("15"), n("11"), n("12"))),
		"ADD y :ss":                                    with(item.Item{"y": ss("a", "b")}),
		"DELETE tags :ss":                              with(nil, "tags"),
		"DELETE bins :bs":                              with(item.Item{"bins": bs([]byte("b"))}),
		"DELETE x :ss":                                 with(nil),
		"SET #dot = :s":                                with(item.Item{"a.b": s("abc")}),
	} {
		u, err := ParseUpdate(text, parsed(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		before := item.Append(nil, item.Item{"m": sample["m"]})
		got, err := u.Apply(sample)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if d := diff(want, got); d != "" {
			t.Errorf("%s:\n%s", text, d)
		}
		if again, _ := item.Decode(before); !item.Equal(again["m"], sample["m"]) {
			t.Fatalf("%s changed the old item", text)
		}
	}
}

func TestUpdateErrors(t *testing.T) {
	const invalid = "Invalid UpdateExpression: "
	for text, want := range map[string]string{
		"":                              invalid + `The expression can not be empty;`,
		"INVALID SYNTAX HERE":           invalid + `Syntax error; token: "INVALID", near: "INVALID SYNTAX"`,
		"SET":                           invalid + `Syntax error; token: "<EOF>", near: "SET"`,
		"SET x = :s,":                   invalid + `Syntax error; token: "<EOF>", near: ","`,
		"SET x = :n + :n + :n":          invalid + `Syntax error; token: "+", near: ":n + :n"`,
		"REMOVE a[#x]":                  invalid + `Syntax error; token: "#x", near: "[#x]"`,
		"SET x = :s SET y = :s":         invalid + `The "SET" section can only be used once in an update expression;`,
		"SET status = :s":               invalid + `Attribute name is a reserved keyword; reserved keyword: status`,
		"SET x = foo(:s)":               invalid + `Invalid function name; function: foo`,
		"SET #x = :s":                   invalid + `An expression attribute name used in the document path is not defined; attribute name: #x`,
		"SET x = :x":                    invalid + `An expression attribute value used in expression is not defined; attribute value: :x`,
		"SET x = :s, x = :n":            invalid + `Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [x], path two: [x]`,
		"SET x.y = :s, x[1] = :n":       invalid + `Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [x, y], path two: [x, [1]]`,
		"SET x = :s REMOVE x.y":         invalid + `Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [x], path two: [x, y]`,
		"ADD x :s":                      invalid + `Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND`,
		"DELETE x :n":                   invalid + `Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND`,
		"SET x = :s + :n":               invalid + `Incorrect operand type for operator or function; operator or function: +, operand type: S`,
		"SET x = list_append(:s, :l)":   invalid + `Incorrect operand type for operator or function; operator or function: list_append, operand type: S`,
		"SET x = if_not_exists(:s, :l)": invalid + `Operator or function requires a document path; operator or function: if_not_exists`,
		"SET x = list_append(:l)":       invalid + `Incorrect number of operands for operator or function; operator or function: list_append, number of operands: 1`,
		"SET x = y":                     errMissing.Error(),
		"SET x = y + :n":                errMissing.Error(),
		"SET x = a + :n":                errOperand.Error(),
		"SET x = list_append(a, :l)":    errOperand.Error(),
		"ADD a :n":                      errOperand.Error(),
		"ADD tags :ns":                  errOperand.Error(),
		"DELETE nums :ss":               errOperand.Error(),
		"SET x.y = :s":                  errPath.Error(),
		"SET a.y = :s":                  errPath.Error(),
		"SET m[0] = :s":                 errPath.Error(),
		"SET things.x = :s":             errPath.Error(),
		"REMOVE x.y":                    errPath.Error(),
		"SET m.l[5].x = :s":             errPath.Error(),
	} {
		u, err := ParseUpdate(text, parsed(text))
		if err == nil {
			_, err = u.Apply(sample)
		}
		if got := errorText(err); got != want {
			t.Errorf("%s:\n got  %s\n want %s", text, got, want)
		}
	}
}

func TestProjections(t *testing.T) {
	for text, want := range map[string]item.Item{
		"a, gone":                   {"a": s("abcdef")},
		"gone":                      {},
		"m.k":                       {"m": m(item.Item{"k": s("v")})},
		"m.x, a.b, things.k":        {},
		"m.l[2], m.l[0], m.k":       {"m": m(item.Item{"k": s("v"), "l": l(n("10"), n("12"))})},
		"things[2][0], things[3].k": {"things": l(l(s("deep")), m(item.Item{"k": s("v")}))},
		"#status, #dot":             {"status": s("on"), "a.b": s("dotted")},
		"m.l[9]":                    {},
		"things[ 1 ] , n":           {"things": l(n("1")), "n": n("5")},
	} {
		p, err := ParseProjection(text, parsed(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if d := diff(want, p.Of(sample)); d != "" {
			t.Errorf("%s:\n%s", text, d)
		}
	}
	for text, want := range map[string]string{
		"":          `The expression can not be empty;`,
		"a,":        `Syntax error; token: "<EOF>", near: ","`,
		"a b":       `Syntax error; token: "b", near: "a b"`,
		"a, status": `Attribute name is a reserved keyword; reserved keyword: status`,
		"#x":        `An expression attribute name used in the document path is not defined; attribute name: #x`,
		"a, b.c, b": `Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [b, c], path two: [b]`,
		"b.c, b[0]": `Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [b, c], path two: [b, [0]]`,
	} {
		if _, err := ParseProjection(text, parsed(text)); errorText(err) != "Invalid ProjectionExpression: "+want {
			t.Errorf("%s:\n got  %v\n want %s", text, err, want)
		}
	}
}

func TestKeyConditions(t *testing.T) {
	for text, want := range map[string][]KeyCondition{
		"a = :s":                           {{"a", "=", []item.Value{s("abc")}}},
		":s = a AND (n > :n)":              {{"a", "=", []item.Value{s("abc")}}, {"n", ">", []item.Value{n("5")}}},
		":n < n AND a = :s":                {{"n", ">", []item.Value{n("5")}}, {"a", "=", []item.Value{s("abc")}}},
		"a = :s AND begins_with(#a, :s)":   nil,
		"#a = :s and n between :n1 and :n": {{"a", "=", []item.Value{s("abc")}}, {"n", "BETWEEN", []item.Value{n("1"), n("5")}}},
	} {
		got, err := ParseKeyConditions(text, parsed(text))
		if want == nil {
			if errorText(err) != "KeyConditionExpressions must only contain one condition per key" {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if err != nil || diff(want, got) != "" {
			t.Errorf("%s: %v\n%s", text, err, diff(want, got))
		}
	}
	for text, want := range map[string]string{
		"a = :s OR n = :n":    "Invalid operator used in KeyConditionExpression: OR",
		"NOT a = :s":          "Invalid operator used in KeyConditionExpression: NOT",
		"a IN (:s)":           "Invalid operator used in KeyConditionExpression: IN",
		"a <> :s":             "Invalid operator used in KeyConditionExpression: <>",
		"attribute_exists(a)": "Invalid operator used in KeyConditionExpression: attribute_exists",
		"size(a) = :n":        "KeyConditionExpressions cannot contain nested operations",
		"m.k = :s":            "KeyConditionExpressions cannot have conditions on nested attributes",
		"a = n":               "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
		":s = :n":             "Invalid condition in KeyConditionExpression: No key attribute specified",
		":n BETWEEN a AND :n": "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand",
		"begins_with(:s, a)":  "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand",
		"a = :s AND":          `Invalid KeyConditionExpression: Syntax error; token: "<EOF>", near: "AND"`,
	} {
		if _, err := ParseKeyConditions(text, parsed(text)); errorText(err) != want {
			t.Errorf("%s:\n got  %v\n want %s", text, err, want)
		}
	}
}

func TestParams(t *testing.T) {
	for want, p := range map[string]struct {
		names  map[string]string
		values map[string]item.Value
	}{
		"ExpressionAttributeNames must not be empty":                                                                           {names: map[string]string{}},
		"ExpressionAttributeValues must not be empty":                                                                          {values: map[string]item.Value{}},
		`ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`:                                                {names: map[string]string{"a": "b"}},
		`ExpressionAttributeValues contains invalid key: Syntax error; key: ":a-b"`:                                            {values: map[string]item.Value{":a-b": s("x")}},
		"ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :a": {values: map[string]item.Value{":a": n("x")}},
	} {
		if _, err := NewParams(p.names, p.values); errorText(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	p, err := NewParams(map[string]string{"#a": "a", "#c": "c", "#b": "b"}, map[string]item.Value{":v": s(""), ":w": n("1.0")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCondition("ConditionExpression", "#a = :v AND #a <> :w", p); err != nil {
		t.Fatal(err)
	}
	if got := errorText(p.Unused()); got != "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b, #c}" {
		t.Error(got)
	}
	p, _ = NewParams(nil, map[string]item.Value{":v": s(""), ":w": n("1.0")})
	if got := errorText(p.Unused()); got != "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v, :w}" {
		t.Error(got)
	}
}

func TestLegacy(t *testing.T) {
	type op = types.ComparisonOperator
	for _, c := range []struct {
		name   string
		op     op
		values []item.Value
		want   bool
	}{
		{"n", "EQ", []item.Value{n("5")}, true}, {"n", "NE", []item.Value{n("5")}, false}, {"n", "GE", []item.Value{n("5")}, true}, {"n", "LT", []item.Value{n("5")}, false},
		{"x", "NULL", nil, true}, {"n", "NOT_NULL", nil, true}, {"n", "IN", []item.Value{n("1"), n("5")}, true}, {"n", "BETWEEN", []item.Value{n("1"), n("5")}, true},
		{"a", "BEGINS_WITH", []item.Value{s("abc")}, true}, {"tags", "CONTAINS", []item.Value{s("a")}, true}, {"tags", "NOT_CONTAINS", []item.Value{s("a")}, false},
	} {
		cond, err := Legacy(c.name, c.op, c.values)
		if err != nil || cond.Holds(sample) != c.want {
			t.Errorf("%s %s: %v", c.name, c.op, err)
		}
	}
	for want, c := range map[string]struct {
		op     op
		values []item.Value
	}{
		"One or more parameter values were invalid: Invalid number of argument(s) for the EQ ComparisonOperator":           {"EQ", nil},
		"One or more parameter values were invalid: Invalid number of argument(s) for the NULL ComparisonOperator":         {"NULL", []item.Value{s("")}},
		"One or more parameter values were invalid: ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type": {"BEGINS_WITH", []item.Value{n("1")}},
		"The BETWEEN condition was provided a range where the lower bound is greater than the upper bound":                 {"BETWEEN", []item.Value{n("2"), n("1")}},
		"One or more parameter values were invalid: AttributeValues inside AttributeValueList must be of same type":        {"BETWEEN", []item.Value{n("2"), s("1")}},
	} {
		if _, err := Legacy("a", c.op, c.values); errorText(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	c, _ := Legacy("a", "NOT_CONTAINS", []item.Value{s("x")})
	d, _ := Legacy("b", "NULL", nil)
	if got := Attributes(Any([]Condition{c, d})); diff([]string{"a", "b"}, got) != "" {
		t.Error(got)
	}
}

func TestReserved(t *testing.T) {
	for word, want := range map[string]bool{"name": true, "Status": true, "LOCALTIMESTAMP": true, "names": true, "foo": false, "a": false, strings.Repeat("x", 99): false} {
		if reserved(word) != want {
			t.Error(word)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"a = :s AND (NOT contains(m.l[0], :n) OR size(#a) BETWEEN :n1 AND :n)", "SET a.b[1] = if_not_exists(c, :l) + :n REMOVE x, y[0] ADD n :n DELETE tags :ss",
		"a, b.c[0], #status", "((((a = :s))))", "a IN (:s, :n)", "SET x = list_append(:l, m.l)", "\x00:# .[", "a = :s and begins_with(n, :ab)",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseCondition("ConditionExpression", text, parsed(text)); err == nil {
			c.Holds(sample)
			c.Holds(nil)
			Attributes(c)
		}
		if u, err := ParseUpdate(text, parsed(text)); err == nil {
			if out, err := u.Apply(sample); err == nil {
				item.Append(nil, out)
			}
		}
		if p, err := ParseProjection(text, parsed(text)); err == nil {
			p.Of(sample)
		}
		_, _ = ParseKeyConditions(text, parsed(text))
	})
}

func BenchmarkParseAndApply(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		p, _ := NewParams(nil, map[string]item.Value{":n": n("5"), ":s": s("x")})
		u, _ := ParseUpdate("SET n = n + :n, x = :s", p)
		_, _ = u.Apply(sample)
	}
}

func BenchmarkParseCondition(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		p, _ := NewParams(nil, nil)
		c, _ := ParseCondition("ConditionExpression", "attribute_not_exists(pk)", p)
		c.Holds(sample)
	}
}
