package dynamodb_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"evo/internal/cloud/clock"
	service "evo/internal/cloud/dynamodb"
	"evo/internal/cloud/store"
)

// model is what a table should hold: items by the text of their key.
type model map[string]item

// place is one way to read the table: itself, or an index.
type place struct {
	index      *string
	hash, sort string
}

var places = []place{{nil, "pk", "sk"}, {ptr("local"), "pk", "lk"}, {ptr("global"), "gh", "gs"}, {ptr("global-hash"), "gh", ""}}

func number(v value) int {
	var i int
	if _, err := fmt.Sscan(v.(*types.AttributeValueMemberN).Value, &i); err != nil {
		panic(err)
	}
	return i
}

func text(v value) string { return v.(*types.AttributeValueMemberS).Value }

func show(it item) string {
	var parts []string
	for name, v := range it {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			parts = append(parts, name+"="+v.Value)
		case *types.AttributeValueMemberN:
			parts = append(parts, name+"="+v.Value)
		}
	}
	sort.Strings(parts)
	return strings.Join(parts, " ")
}

func shown(items []item) []string {
	var list []string
	for _, it := range items {
		list = append(list, show(it))
	}
	return list
}

// in returns the model's items that the place has, in the order of its sort key; without one, in any.
func (m model) in(p place, keep func(item) bool) []item {
	var list []item
	for _, it := range m {
		if it[p.hash] != nil && (p.sort == "" || it[p.sort] != nil) && keep(it) {
			list = append(list, it)
		}
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		switch {
		case p.sort == "sk" || p.sort == "lk":
			return number(a[p.sort]) < number(b[p.sort])
		case p.sort != "":
			return text(a[p.sort]) < text(b[p.sort])
		}
		return false
	})
	return list
}

// sameOrder demands that got has the wanted items, ordered by the sort key; items that are equal in it may change places.
func sameOrder(t *rapid.T, p place, got, want []item) {
	if len(got) != len(want) {
		t.Fatalf("got %d %v, want %d %v", len(got), shown(got), len(want), shown(want))
	}
	g, w := shown(got), shown(want)
	sort.Strings(g)
	sort.Strings(w)
	if !slices.Equal(g, w) {
		t.Fatalf("got %v, want %v", g, w)
	}
	for i := range got {
		if p.sort != "" && show(item{"k": got[i][p.sort]}) != show(item{"k": want[i][p.sort]}) {
			t.Fatalf("in another order: %v, want %v", shown(got), shown(want))
		}
	}
}

func TestReadsAgreeWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		svc, err := service.New(service.Config{Region: "us-east-1", Store: store.Memory(), Clock: clock.Real{}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = svc.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: ptr("tab"), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: attributes("pk:S sk:N lk:N gh:S gs:S"), KeySchema: schema("pk", "sk"),
			LocalSecondaryIndexes: []types.LocalSecondaryIndex{{IndexName: places[1].index, KeySchema: schema("pk", "lk"), Projection: all()}},
			GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: places[2].index, KeySchema: schema("gh", "gs"), Projection: all()},
				{IndexName: places[3].index, KeySchema: schema("gh", ""), Projection: all()}}})
		if err != nil {
			t.Fatal(err)
		}
		m := model{}
		t.Repeat(map[string]func(*rapid.T){
			"put":    func(t *rapid.T) { m.put(t, svc) },
			"update": func(t *rapid.T) { m.update(t, svc) },
			"delete": func(t *rapid.T) { m.delete(t, svc) },
			"query":  func(t *rapid.T) { m.query(t, svc) },
			"scan":   func(t *rapid.T) { m.scan(t, svc) },
			"": func(t *rapid.T) {
				d, err := svc.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: ptr("tab")})
				if err != nil || int(*d.Table.ItemCount) != len(m) {
					t.Fatalf("%v: %d items, want %d", err, *d.Table.ItemCount, len(m))
				}
				for _, g := range d.Table.GlobalSecondaryIndexes {
					if empty := *g.ItemCount == 0; empty != (*g.IndexSizeBytes == 0) {
						t.Fatalf("index %s: %d items, %d bytes", *g.IndexName, *g.ItemCount, *g.IndexSizeBytes)
					}
				}
				if (len(m) == 0) != (*d.Table.TableSizeBytes == 0) {
					t.Fatalf("%d items, %d bytes", len(m), *d.Table.TableSizeBytes)
				}
			},
		})
	})
}

var (
	hashes = rapid.SampledFrom([]string{"a", "b", "a\x00", "é"})
	sorts  = rapid.IntRange(-3, 12)
	texts  = rapid.SampledFrom([]string{"x", "x\x00", "xa", "xb", "y", "\x01"})
)

func drawKey(t *rapid.T) item {
	return item{"pk": s(hashes.Draw(t, "pk")), "sk": n(sorts.Draw(t, "sk"))}
}

func (m model) put(t *rapid.T, svc *service.Service) {
	it := drawKey(t)
	if rapid.Bool().Draw(t, "has lk") {
		it["lk"] = n(sorts.Draw(t, "lk"))
	}
	if rapid.Bool().Draw(t, "has gh") {
		it["gh"] = s(hashes.Draw(t, "gh"))
	}
	if rapid.Bool().Draw(t, "has gs") {
		it["gs"] = s(texts.Draw(t, "gs"))
	}
	if _, err := svc.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: ptr("tab"), Item: it}); err != nil {
		t.Fatal(err)
	}
	m[show(item{"pk": it["pk"], "sk": it["sk"]})] = it
}

func (m model) update(t *rapid.T, svc *service.Service) {
	key := drawKey(t)
	in := &dynamodb.UpdateItemInput{TableName: ptr("tab"), Key: key}
	name := rapid.SampledFrom([]string{"gh", "gs"}).Draw(t, "attribute")
	it := item{}
	for k, v := range m[show(key)] {
		it[k] = v
	}
	_, exists := m[show(key)]
	for k, v := range key {
		it[k] = v
	}
	remove := rapid.Bool().Draw(t, "remove")
	if remove {
		in.UpdateExpression = ptr("REMOVE " + name)
		delete(it, name)
	} else {
		v := s(texts.Draw(t, "value"))
		in.UpdateExpression, in.ExpressionAttributeValues = ptr("SET "+name+" = :v"), item{":v": v}
		it[name] = v
	}
	if _, err := svc.UpdateItem(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if exists || !remove {
		m[show(key)] = it
	}
}

func (m model) delete(t *rapid.T, svc *service.Service) {
	key := drawKey(t)
	if _, err := svc.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: ptr("tab"), Key: key}); err != nil {
		t.Fatal(err)
	}
	delete(m, show(key))
}

func (m model) query(t *rapid.T, svc *service.Service) {
	p := rapid.SampledFrom(places).Draw(t, "place")
	hash := hashes.Draw(t, "hash")
	in := &dynamodb.QueryInput{TableName: ptr("tab"), IndexName: p.index, ExpressionAttributeValues: item{":h": s(hash)}}
	condition, holds := p.hash+" = :h", func(item) bool { return true }
	if p.sort != "" && rapid.Bool().Draw(t, "with sort key") {
		more := ""
		more, holds = drawRange(t, p, in.ExpressionAttributeValues)
		condition += " AND " + more
	}
	in.KeyConditionExpression = &condition
	if rapid.Bool().Draw(t, "backward") {
		in.ScanIndexForward = ptr(false)
	}
	if limit := rapid.Int32Range(0, 3).Draw(t, "limit"); limit > 0 {
		in.Limit = &limit
	}
	var got []item
	for {
		out, err := svc.Query(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if in.Limit != nil && len(out.Items) > int(*in.Limit) {
			t.Fatalf("%d items, with limit %d", len(out.Items), *in.Limit)
		}
		got = append(got, out.Items...)
		if out.LastEvaluatedKey == nil {
			break
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
	want := m.in(p, func(it item) bool { return text(it[p.hash]) == hash && holds(it) })
	if in.ScanIndexForward != nil {
		slices.Reverse(want)
	}
	sameOrder(t, p, got, want)
}

// drawRange draws a condition on the sort key, as text with its values and as a function.
func drawRange(t *rapid.T, p place, values item) (string, func(item) bool) {
	var compare func(it item, name string) int
	if p.sort == "gs" {
		values[":v"] = s(texts.Draw(t, "v"))
		compare = func(it item, name string) int { return strings.Compare(text(it["gs"]), text(values[name])) }
	} else {
		values[":v"] = n(sorts.Draw(t, "v"))
		compare = func(it item, name string) int { return number(it[p.sort]) - number(values[name]) }
	}
	switch rapid.SampledFrom([]string{"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"}).Draw(t, "operator") {
	case "=":
		return p.sort + " = :v", func(it item) bool { return compare(it, ":v") == 0 }
	case "<":
		return p.sort + " < :v", func(it item) bool { return compare(it, ":v") < 0 }
	case "<=":
		return p.sort + " <= :v", func(it item) bool { return compare(it, ":v") <= 0 }
	case ">":
		return p.sort + " > :v", func(it item) bool { return compare(it, ":v") > 0 }
	case "BETWEEN":
		values[":w"] = values[":v"]
		if v, ok := values[":v"].(*types.AttributeValueMemberN); ok {
			values[":w"] = n(number(v) + 3)
		} else {
			values[":w"] = s(text(values[":v"]) + "\x7f")
		}
		return p.sort + " BETWEEN :v AND :w", func(it item) bool { return compare(it, ":v") >= 0 && compare(it, ":w") <= 0 }
	case "begins_with":
		if p.sort == "gs" {
			return "begins_with(gs, :v)", func(it item) bool { return strings.HasPrefix(text(it["gs"]), text(values[":v"])) }
		}
	}
	return p.sort + " >= :v", func(it item) bool { return compare(it, ":v") >= 0 }
}

func (m model) scan(t *rapid.T, svc *service.Service) {
	p := rapid.SampledFrom(places).Draw(t, "place")
	total := rapid.Int32Range(1, 4).Draw(t, "segments")
	var got []item
	for segment := range total {
		in := &dynamodb.ScanInput{TableName: ptr("tab"), IndexName: p.index}
		if total > 1 {
			in.Segment, in.TotalSegments = ptr(segment), &total
		}
		if limit := rapid.Int32Range(0, 3).Draw(t, "limit"); limit > 0 {
			in.Limit = &limit
		}
		for {
			out, err := svc.Scan(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, out.Items...)
			if out.LastEvaluatedKey == nil {
				break
			}
			in.ExclusiveStartKey = out.LastEvaluatedKey
		}
	}
	sameOrder(t, place{index: p.index, hash: p.hash}, got, m.in(place{hash: p.hash, sort: p.sort}, func(item) bool { return true }))
}
