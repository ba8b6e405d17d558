package dynamodb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
)

// music makes a table with a local index by year and a global one by genre that has keys only.
func music(t testing.TB, c *dynamodb.Client) {
	create(t, c, &dynamodb.CreateTableInput{TableName: ptr("music"), AttributeDefinitions: attributes("artist:S song:S year:N genre:S"), KeySchema: schema("artist", "song"),
		LocalSecondaryIndexes:  []types.LocalSecondaryIndex{{IndexName: ptr("by-year"), KeySchema: schema("artist", "year"), Projection: keysOnly()}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: ptr("by-genre"), KeySchema: schema("genre", "year"), Projection: keysOnly()}}})
	for i := range 10 {
		put(t, c, "music", item{"artist": s("A"), "song": s(fmt.Sprint("song", i)), "year": n(2000 - i), "genre": s("pop"), "plays": n(i)})
	}
	put(t, c, "music", item{"artist": s("B"), "song": s("other"), "plays": n(1)})
}

func TestQueries(t *testing.T) {
	ctx, c := t.Context(), newClient(t)
	music(t, c)
	query := func(in dynamodb.QueryInput) *dynamodb.QueryOutput {
		t.Helper()
		in.TableName = ptr("music")
		if in.ExpressionAttributeValues == nil {
			in.ExpressionAttributeValues = item{}
		}
		if in.KeyConditions == nil {
			in.ExpressionAttributeValues[":a"] = s("A")
		} else {
			in.ExpressionAttributeValues = nil
		}
		return must[*dynamodb.QueryOutput](t)(c.Query(ctx, &in))
	}
	songs := func(out *dynamodb.QueryOutput) string {
		var list []string
		for _, it := range out.Items {
			list = append(list, strings.TrimPrefix(text(it["song"]), "song"))
		}
		return strings.Join(list, " ")
	}
	out := query(dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a"), ReturnConsumedCapacity: "TOTAL"})
	if songs(out) != "0 1 2 3 4 5 6 7 8 9" || out.Count != 10 || out.ScannedCount != 10 || *out.ConsumedCapacity.CapacityUnits != 0.5 {
		t.Errorf("%s, %+v", songs(out), out.ConsumedCapacity)
	}
	out = query(dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a"), FilterExpression: ptr("plays > :p"), ExpressionAttributeValues: item{":p": n(6)}, ScanIndexForward: ptr(false), Limit: ptr(int32(5))})
	if songs(out) != "9 8 7" || out.Count != 3 || out.ScannedCount != 5 || diff(item{"artist": s("A"), "song": s("song5")}, out.LastEvaluatedKey) != "" {
		t.Errorf("%s %d %d %v", songs(out), out.Count, out.ScannedCount, out.LastEvaluatedKey)
	}
	out = query(dynamodb.QueryInput{KeyConditions: map[string]types.Condition{"artist": {ComparisonOperator: "EQ", AttributeValueList: []value{s("A")}},
		"song": {ComparisonOperator: "BETWEEN", AttributeValueList: []value{s("song2"), s("song4")}}}, QueryFilter: map[string]types.Condition{"plays": {ComparisonOperator: "NE", AttributeValueList: []value{n(3)}}}})
	if songs(out) != "2 4" {
		t.Error(songs(out))
	}
	// A local index gives what it has, and fetches the rest when asked.
	year := dynamodb.QueryInput{IndexName: ptr("by-year"), KeyConditionExpression: ptr("artist = :a AND #y < :y"), ExpressionAttributeNames: map[string]string{"#y": "year"}, ExpressionAttributeValues: item{":y": n(1993)}}
	if out = query(year); songs(out) != "9 8" || out.Items[0]["plays"] != nil {
		t.Errorf("%v", out.Items)
	}
	year.Select, year.ReturnConsumedCapacity, year.ConsistentRead = types.SelectAllAttributes, types.ReturnConsumedCapacityIndexes, ptr(true)
	out = query(year)
	if songs(out) != "9 8" || out.Items[0]["plays"] == nil {
		t.Errorf("%v", out.Items)
	}
	if u := out.ConsumedCapacity; *u.CapacityUnits != 3 || *u.Table.CapacityUnits != 2 || *u.LocalSecondaryIndexes["by-year"].CapacityUnits != 1 {
		t.Errorf("%+v", u)
	}
	year.Select, year.FilterExpression, year.ExpressionAttributeValues = "", ptr("plays > :p"), item{":y": n(1993), ":p": n(8)}
	if out = query(year); songs(out) != "9" || out.Items[0]["plays"] != nil || out.ScannedCount != 2 {
		t.Errorf("a filter sees what the index does not have: %v", out.Items)
	}
	// A global index has its own keys in the position.
	global := must[*dynamodb.QueryOutput](t)(c.Query(ctx, &dynamodb.QueryInput{TableName: ptr("music"), IndexName: ptr("by-genre"), KeyConditionExpression: ptr("genre = :g"),
		ExpressionAttributeValues: item{":g": s("pop")}, Limit: ptr(int32(3)), Select: types.SelectCount}))
	if global.Count != 3 || len(global.Items) != 0 || diff(item{"artist": s("A"), "song": s("song7"), "year": n(1993), "genre": s("pop")}, global.LastEvaluatedKey) != "" {
		t.Errorf("%d %v %v", global.Count, global.Items, global.LastEvaluatedKey)
	}
	// Nothing found is an empty list, not none.
	if out := query(dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a AND song = :s"), ExpressionAttributeValues: item{":s": s("x")}}); out.Items == nil || out.Count != 0 {
		t.Errorf("%v", out.Items)
	}
}

func TestQueryErrors(t *testing.T) {
	ctx, c := t.Context(), newClient(t)
	music(t, c)
	a := item{":a": s("A")}
	for _, e := range []struct {
		want string
		in   dynamodb.QueryInput
	}{
		{"Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.", dynamodb.QueryInput{}},
		{"Query condition missed key schema element: artist", dynamodb.QueryInput{KeyConditionExpression: ptr("song = :a"), ExpressionAttributeValues: a}},
		{"Query condition missed key schema element: song", dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a AND plays = :a"), ExpressionAttributeValues: a}},
		{"Query key condition not supported", dynamodb.QueryInput{KeyConditionExpression: ptr("artist > :a"), ExpressionAttributeValues: a}},
		{"One or more parameter values were invalid: Condition parameter type does not match schema type", dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a"), ExpressionAttributeValues: item{":a": n(1)}}},
		{"Filter Expression can only contain non-primary key attributes: Primary key attribute: song", dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a"), FilterExpression: ptr("song = :a"), ExpressionAttributeValues: a}},
		{"The table does not have the specified index: nope", dynamodb.QueryInput{IndexName: ptr("nope"), KeyConditionExpression: ptr("artist = :a"), ExpressionAttributeValues: a}},
		{"Consistent reads are not supported on global secondary indexes", dynamodb.QueryInput{IndexName: ptr("by-genre"), ConsistentRead: ptr(true), KeyConditionExpression: ptr("genre = :a"), ExpressionAttributeValues: a}},
		{"One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index by-genre because its projection type is not ALL",
			dynamodb.QueryInput{IndexName: ptr("by-genre"), Select: "ALL_ATTRIBUTES", KeyConditionExpression: ptr("genre = :a"), ExpressionAttributeValues: a}},
		{"One or more parameter values were invalid: Global secondary index by-genre does not project [plays]",
			dynamodb.QueryInput{IndexName: ptr("by-genre"), ProjectionExpression: ptr("plays"), KeyConditionExpression: ptr("genre = :a"), ExpressionAttributeValues: a}},
		{"One or more parameter values were invalid: Global secondary index by-genre does not project [plays]",
			dynamodb.QueryInput{IndexName: ptr("by-genre"), FilterExpression: ptr("plays > :a"), KeyConditionExpression: ptr("genre = :a"), ExpressionAttributeValues: a}},
		{"ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName", dynamodb.QueryInput{Select: "ALL_PROJECTED_ATTRIBUTES", KeyConditionExpression: ptr("artist = :a"), ExpressionAttributeValues: a}},
		{"Cannot specify the ProjectionExpression when choosing to get COUNT", dynamodb.QueryInput{Select: "COUNT", ProjectionExpression: ptr("plays"), KeyConditionExpression: ptr("artist = :a"), ExpressionAttributeValues: a}},
		{"The provided starting key is invalid", dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a"), ExpressionAttributeValues: a, ExclusiveStartKey: item{"artist": s("A")}}},
		{"Conditions can be of length 1 or 2 only", dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a AND song = :a AND plays = :a"), ExpressionAttributeValues: a}},
		{"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: song", dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a"), FilterExpression: ptr("song.x = :a"), ExpressionAttributeValues: a}},
		{"The provided starting key is invalid", dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a"), ExpressionAttributeValues: a, ExclusiveStartKey: item{"artist": s("A"), "song": s("x"), "plays": n(1)}}},
		{"The provided starting key is invalid: The provided key element does not match the schema", dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a"), ExpressionAttributeValues: a, ExclusiveStartKey: item{"artist": s("A"), "song": n(1)}}},
		{"The provided starting key is outside query boundaries based on provided conditions", dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a"), ExpressionAttributeValues: a, ExclusiveStartKey: item{"artist": s("B"), "song": s("x")}}},
		{"ExpressionAttributeValues can only be specified when using expressions: FilterExpression and KeyConditionExpression are null", dynamodb.QueryInput{ExpressionAttributeValues: a}},
		{"Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {KeyConditions} Expression parameters: {KeyConditionExpression}",
			dynamodb.QueryInput{KeyConditionExpression: ptr("artist = :a"), ExpressionAttributeValues: a, KeyConditions: map[string]types.Condition{"artist": {ComparisonOperator: "EQ", AttributeValueList: []value{s("A")}}}}},
	} {
		e.in.TableName = ptr("music")
		_, err := c.Query(ctx, &e.in)
		if got := told(err); got != "ValidationException: "+e.want {
			t.Errorf("got  %s\nwant %s", got, e.want)
		}
	}
	for want, in := range map[string]dynamodb.ScanInput{
		"The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 4 is not less than TotalSegments: 4":                                       {Segment: ptr(int32(4)), TotalSegments: ptr(int32(4))},
		"The TotalSegments parameter is required but was not present in the request when Segment parameter is present":                                                          {Segment: ptr(int32(1))},
		"Invalid FilterExpression: Syntax error; token: \"<EOF>\", near: \"a\"":                                                                                                 {FilterExpression: ptr("a")},
		"Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributesToGet} Expression parameters: {FilterExpression}": {FilterExpression: ptr("a = a"), AttributesToGet: []string{"a"}},
	} {
		in.TableName = ptr("music")
		_, err := c.Scan(ctx, &in)
		if got := told(err); got != "ValidationException: "+want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestPagesEndAtOneMegabyte(t *testing.T) {
	ctx, c := t.Context(), newClient(t)
	create(t, c, &dynamodb.CreateTableInput{TableName: ptr("tab"), AttributeDefinitions: attributes("pk:S sk:N"), KeySchema: schema("pk", "sk")})
	for i := range 12 {
		put(t, c, "tab", item{"pk": s("a"), "sk": n(i), "x": s(strings.Repeat("x", 100<<10))})
	}
	pages := 0
	p := dynamodb.NewQueryPaginator(c, &dynamodb.QueryInput{TableName: ptr("tab"), KeyConditionExpression: ptr("pk = :a"), ExpressionAttributeValues: item{":a": s("a")}, ReturnConsumedCapacity: "TOTAL"})
	var counts []int32
	for p.HasMorePages() {
		out := must[*dynamodb.QueryOutput](t)(p.NextPage(ctx))
		pages++
		counts = append(counts, out.Count)
		if pages == 1 && *out.ConsumedCapacity.CapacityUnits != 125.5 {
			t.Errorf("%v units", *out.ConsumedCapacity.CapacityUnits)
		}
	}
	if fmt.Sprint(counts) != "[10 2]" {
		t.Error(counts)
	}
}

func TestGlobalIndexOverSeveralAttributes(t *testing.T) {
	ctx, c := t.Context(), newService(t, store.Memory(), clock.Real{}) // not through the wire, whose model may know two attributes at most
	keys := append(schema("a", "c"), types.KeySchemaElement{AttributeName: ptr("d"), KeyType: types.KeyTypeRange})
	keys = append(keys[:1], append(schema("b", ""), keys[1:]...)...)
	_, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: ptr("tab"), BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: attributes("pk:S a:S b:N c:S d:N"), KeySchema: schema("pk", ""),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: ptr("abcd"), KeySchema: keys, Projection: all()}}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		it := item{"pk": s(fmt.Sprint(i)), "a": s("a"), "b": n(1), "c": s(string(rune('x' + i/4))), "d": n(i)}
		must[*dynamodb.PutItemOutput](t)(c.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("tab"), Item: it}))
	}
	for condition, want := range map[string]int32{"a = :a AND b = :b": 8, "a = :a AND b = :b AND c = :c": 4, "a = :a AND b = :b AND c = :c AND d >= :d": 2} {
		values := item{":a": s("a"), ":b": n(1)}
		if strings.Contains(condition, ":c") {
			values[":c"] = s("x")
		}
		if strings.Contains(condition, ":d") {
			values[":d"] = n(2)
		}
		out := must[*dynamodb.QueryOutput](t)(c.Query(ctx, &dynamodb.QueryInput{TableName: ptr("tab"), IndexName: ptr("abcd"), KeyConditionExpression: &condition, ExpressionAttributeValues: values}))
		if out.Count != want {
			t.Errorf("%s: %d", condition, out.Count)
		}
	}
	_, err = c.Query(ctx, &dynamodb.QueryInput{TableName: ptr("tab"), IndexName: ptr("abcd"), KeyConditionExpression: ptr("a = :a"), ExpressionAttributeValues: item{":a": s("a")}})
	if told(err) != "ValidationException: Query condition missed key schema element: b" {
		t.Error(told(err))
	}
}
