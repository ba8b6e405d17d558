package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"evo/internal/cloud/clock"
	service "evo/internal/cloud/dynamodb"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

type (
	value = types.AttributeValue
	item  = map[string]value
)

func s(v string) value { return &types.AttributeValueMemberS{Value: v} }
func n[T any](v T) value {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
}
func b(v string) value     { return &types.AttributeValueMemberB{Value: []byte(v)} }
func m(v item) value       { return &types.AttributeValueMemberM{Value: v} }
func l(v ...value) value   { return &types.AttributeValueMemberL{Value: v} }
func ss(v ...string) value { return &types.AttributeValueMemberSS{Value: v} }
func ptr[T any](v T) *T    { return &v }

var sameValues = cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{},
	types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberM{}, types.AttributeValueMemberL{},
	types.AttributeValueMemberSS{}, types.AttributeValueMemberNS{}, types.AttributeValueMemberBS{})}

func diff(want, got any) string { return cmp.Diff(want, got, sameValues) }

func newService(t testing.TB, db *store.DB, c clock.Clock) *service.Service {
	t.Helper()
	svc, err := service.New(service.Config{Region: "us-east-1", Store: db, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

func newClient(t testing.TB) *dynamodb.Client {
	t.Helper()
	return dynamodb.NewFromConfig(wiretest.Config(t, wiretest.Serve{"dynamodb": newService(t, store.Memory(), clock.Real{})}))
}

// told is an error as a client sees it: its code and message.
func told(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	return fmt.Sprint(err)
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func schema(hash, sort string) []types.KeySchemaElement {
	k := []types.KeySchemaElement{{AttributeName: &hash, KeyType: types.KeyTypeHash}}
	if sort != "" {
		k = append(k, types.KeySchemaElement{AttributeName: &sort, KeyType: types.KeyTypeRange})
	}
	return k
}

// attributes reads "pk:S sk:N".
func attributes(text string) []types.AttributeDefinition {
	var list []types.AttributeDefinition
	for _, f := range strings.Fields(text) {
		name, kind, _ := strings.Cut(f, ":")
		list = append(list, types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeType(kind)})
	}
	return list
}

func all() *types.Projection { return &types.Projection{ProjectionType: types.ProjectionTypeAll} }

func keysOnly() *types.Projection {
	return &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
}

func create(t testing.TB, c *dynamodb.Client, in *dynamodb.CreateTableInput) *types.TableDescription {
	t.Helper()
	if in.BillingMode == "" && in.ProvisionedThroughput == nil {
		in.BillingMode = types.BillingModePayPerRequest
	}
	return must[*dynamodb.CreateTableOutput](t)(c.CreateTable(context.Background(), in)).TableDescription
}

// simple makes a table with a string partition key pk.
func simple(t testing.TB, c *dynamodb.Client, name string) {
	create(t, c, &dynamodb.CreateTableInput{TableName: &name, AttributeDefinitions: attributes("pk:S"), KeySchema: schema("pk", "")})
}

func put(t testing.TB, c *dynamodb.Client, table string, it item) {
	t.Helper()
	must[*dynamodb.PutItemOutput](t)(c.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: &table, Item: it}))
}

func get(t testing.TB, c *dynamodb.Client, table string, key item) item {
	t.Helper()
	return must[*dynamodb.GetItemOutput](t)(c.GetItem(context.Background(), &dynamodb.GetItemInput{TableName: &table, Key: key})).Item
}

func TestTableLife(t *testing.T) {
	ctx, c := t.Context(), newClient(t)
	d := create(t, c, &dynamodb.CreateTableInput{TableName: ptr("orders"), AttributeDefinitions: attributes("id:S"), KeySchema: schema("id", ""),
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: ptr(int64(5)), WriteCapacityUnits: ptr(int64(5))}})
	if d.TableStatus != "CREATING" || *d.TableArn != "arn:aws:dynamodb:us-east-1:000000000000:table/orders" || *d.DeletionProtectionEnabled || d.WarmThroughput != nil {
		t.Errorf("CreateTable answers %+v", d)
	}
	if err := dynamodb.NewTableExistsWaiter(c).Wait(ctx, &dynamodb.DescribeTableInput{TableName: ptr("orders")}, time.Second); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"orders", *d.TableArn} {
		got := must[*dynamodb.DescribeTableOutput](t)(c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})).Table
		if got.TableStatus != "ACTIVE" || *got.WarmThroughput.ReadUnitsPerSecond != 5 || *got.ProvisionedThroughput.NumberOfDecreasesToday != 0 || got.BillingModeSummary != nil {
			t.Errorf("DescribeTable(%s) answers %+v", name, got)
		}
	}
	_, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: ptr("orders"), AttributeDefinitions: attributes("id:S"), KeySchema: schema("id", ""), BillingMode: types.BillingModePayPerRequest})
	if told(err) != "ResourceInUseException: Table already exists: orders" {
		t.Error(told(err))
	}
	gone := must[*dynamodb.DeleteTableOutput](t)(c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: ptr("orders")})).TableDescription
	if gone.TableStatus != "DELETING" || gone.KeySchema != nil {
		t.Errorf("DeleteTable answers %+v", gone)
	}
	for what, f := range map[string]func() error{
		"Requested resource not found: Table: orders not found": func() error {
			_, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: ptr("orders")})
			return err
		},
		"Requested resource not found": func() error {
			_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: ptr("orders"), Key: item{"id": s("1")}})
			return err
		},
	} {
		if got := told(f()); got != "ResourceNotFoundException: "+what {
			t.Error(got)
		}
	}
}

func TestTablesThatAreGoneLeaveNothing(t *testing.T) {
	c := newClient(t)
	for range 2 {
		simple(t, c, "again")
		if got := get(t, c, "again", item{"pk": s("a")}); got != nil {
			t.Errorf("a new table has %v", got)
		}
		put(t, c, "again", item{"pk": s("a")})
		must[*dynamodb.DeleteTableOutput](t)(c.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: ptr("again")}))
	}
}

func TestCreateTableErrors(t *testing.T) {
	c := newClient(t)
	throughput := &types.ProvisionedThroughput{ReadCapacityUnits: ptr(int64(1)), WriteCapacityUnits: ptr(int64(1))}
	local := func(name, hash, sort string) []types.LocalSecondaryIndex {
		return []types.LocalSecondaryIndex{{IndexName: &name, KeySchema: schema(hash, sort), Projection: all()}}
	}
	for want, in := range map[string]*dynamodb.CreateTableInput{
		"TableName must be at least 3 characters long and at most 255 characters long":                                                                             {TableName: ptr("ab"), KeySchema: schema("a", ""), AttributeDefinitions: attributes("a:S"), BillingMode: "PAY_PER_REQUEST"},
		"One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST":         {KeySchema: schema("a", ""), AttributeDefinitions: attributes("a:S"), BillingMode: "PAY_PER_REQUEST", ProvisionedThroughput: throughput},
		"One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED":               {KeySchema: schema("a", ""), AttributeDefinitions: attributes("a:S")},
		"One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [a], AttributeDefinitions: [b]":       {KeySchema: schema("a", ""), AttributeDefinitions: attributes("b:S"), ProvisionedThroughput: throughput},
		"One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions": {KeySchema: schema("a", ""), AttributeDefinitions: attributes("a:S b:S"), ProvisionedThroughput: throughput},
		"Cannot have two attributes with the same name":                                                                                                                              {KeySchema: schema("a", "b"), AttributeDefinitions: attributes("a:S a:S"), ProvisionedThroughput: throughput},
		"Both the Hash Key and the Range Key element in the KeySchema have the same name":                                                                                            {KeySchema: schema("a", "a"), AttributeDefinitions: attributes("a:S b:S"), ProvisionedThroughput: throughput},
		"Invalid KeySchema: The first KeySchemaElement is not a HASH key type":                                                                                                       {KeySchema: schema("a", "b")[1:], AttributeDefinitions: attributes("b:S"), ProvisionedThroughput: throughput},
		"Invalid KeySchema: The second KeySchemaElement is not a RANGE key type":                                                                                                     {KeySchema: append(schema("a", ""), schema("b", "")...), AttributeDefinitions: attributes("a:S b:S"), ProvisionedThroughput: throughput},
		"One or more parameter values were invalid: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex":                              {KeySchema: schema("a", ""), AttributeDefinitions: attributes("a:S b:S"), ProvisionedThroughput: throughput, LocalSecondaryIndexes: local("abc", "a", "b")},
		"One or more parameter values were invalid: Index KeySchema does not have a range key for index: abc":                                                                        {KeySchema: schema("a", "b"), AttributeDefinitions: attributes("a:S b:S"), ProvisionedThroughput: throughput, LocalSecondaryIndexes: local("abc", "a", "")},
		"One or more parameter values were invalid: Index KeySchema does not have the same leading hash key as table KeySchema for index: abc. index hash key: b, table hash key: a": {KeySchema: schema("a", "b"), AttributeDefinitions: attributes("a:S b:S"), ProvisionedThroughput: throughput, LocalSecondaryIndexes: local("abc", "b", "a")},
		"One or more parameter values were invalid: Duplicate index name: abc":                                                                                                       {KeySchema: schema("a", "b"), AttributeDefinitions: attributes("a:S b:S c:S"), ProvisionedThroughput: throughput, LocalSecondaryIndexes: append(local("abc", "a", "c"), local("abc", "a", "c")...)},
		"One or more parameter values were invalid: Unknown ProjectionType: null": {KeySchema: schema("a", "b"), AttributeDefinitions: attributes("a:S b:S"), ProvisionedThroughput: throughput,
			LocalSecondaryIndexes: []types.LocalSecondaryIndex{{IndexName: ptr("abc"), KeySchema: schema("a", "b"), Projection: &types.Projection{}}}},
		"One or more parameter values were invalid: Some AttributeDefinitions are not used. AttributeDefinitions: [a, b, c, d], keys used: [a, b, c]": {KeySchema: schema("a", "b"), AttributeDefinitions: attributes("a:S b:S c:S d:S"), ProvisionedThroughput: throughput, LocalSecondaryIndexes: local("abc", "a", "c")},
		"One or more parameter values were invalid: ProvisionedThroughput must be specified for index: abc": {KeySchema: schema("a", ""), AttributeDefinitions: attributes("a:S"), ProvisionedThroughput: throughput,
			GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: ptr("abc"), KeySchema: schema("a", ""), Projection: all()}}},
	} {
		if in.TableName == nil {
			in.TableName = ptr("abc")
		}
		_, err := c.CreateTable(t.Context(), in)
		if got := told(err); got != "ValidationException: "+want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := must[*dynamodb.ListTablesOutput](t)(c.ListTables(t.Context(), &dynamodb.ListTablesInput{})).TableNames; len(got) != 0 {
		t.Errorf("tables are left over: %v", got)
	}
}

func TestItems(t *testing.T) {
	ctx, c := t.Context(), newClient(t)
	simple(t, c, "tab")
	whole := item{"pk": s("a"), "n": n("1.50"), "e": s(""), "eb": b(""), "list": l(s("x"), n(1), m(item{"k": l()})), "set": ss("b", "a"),
		"t": &types.AttributeValueMemberBOOL{Value: true}, "null": &types.AttributeValueMemberNULL{Value: true}, "bin": b("\x90"),
		"ns": &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}}, "bs": &types.AttributeValueMemberBS{Value: [][]byte{[]byte("x")}}}
	put(t, c, "tab", whole)
	want := item{}
	for k, v := range whole {
		want[k] = v
	}
	want["n"] = n("1.5")
	if d := diff(want, get(t, c, "tab", item{"pk": s("a")})); d != "" {
		t.Error(d)
	}
	out := must[*dynamodb.PutItemOutput](t)(c.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("tab"), Item: item{"pk": s("a"), "x": n(1)}, ReturnValues: types.ReturnValueAllOld}))
	if d := diff(want, out.Attributes); d != "" {
		t.Error(d)
	}
	up := must[*dynamodb.UpdateItemOutput](t)(c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: ptr("tab"), Key: item{"pk": s("a")},
		UpdateExpression: ptr("SET x = x + :one, y = :y REMOVE z"), ExpressionAttributeValues: item{":one": n(1), ":y": m(item{"a": n(1)})}, ReturnValues: types.ReturnValueUpdatedNew}))
	if d := diff(item{"x": n(2), "y": m(item{"a": n(1)})}, up.Attributes); d != "" {
		t.Error(d)
	}
	up = must[*dynamodb.UpdateItemOutput](t)(c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: ptr("tab"), Key: item{"pk": s("a")},
		AttributeUpdates: map[string]types.AttributeValueUpdate{"x": {Action: types.AttributeActionAdd, Value: n(5)}, "y": {Action: types.AttributeActionDelete}, "w": {Value: s("v")}}, ReturnValues: types.ReturnValueAllNew}))
	if d := diff(item{"pk": s("a"), "x": n(7), "w": s("v")}, up.Attributes); d != "" {
		t.Error(d)
	}
	proj := must[*dynamodb.GetItemOutput](t)(c.GetItem(ctx, &dynamodb.GetItemInput{TableName: ptr("tab"), Key: item{"pk": s("a")}, ProjectionExpression: ptr("#x"), ExpressionAttributeNames: map[string]string{"#x": "x"}}))
	if d := diff(item{"x": n(7)}, proj.Item); d != "" {
		t.Error(d)
	}
	del := must[*dynamodb.DeleteItemOutput](t)(c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: ptr("tab"), Key: item{"pk": s("a")}, ReturnValues: types.ReturnValueAllOld}))
	if len(del.Attributes) != 3 || get(t, c, "tab", item{"pk": s("a")}) != nil {
		t.Errorf("deleted %v", del.Attributes)
	}
	must[*dynamodb.UpdateItemOutput](t)(c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: ptr("tab"), Key: item{"pk": s("new")}}))
	if d := diff(item{"pk": s("new")}, get(t, c, "tab", item{"pk": s("new")})); d != "" {
		t.Errorf("an update makes an item: %s", d)
	}
	must[*dynamodb.UpdateItemOutput](t)(c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: ptr("tab"), Key: item{"pk": s("none")}, UpdateExpression: ptr("REMOVE x")}))
	if got := get(t, c, "tab", item{"pk": s("none")}); got != nil {
		t.Errorf("an update that only removes made %v", got)
	}
}

func TestConditions(t *testing.T) {
	ctx, c := t.Context(), newClient(t)
	simple(t, c, "tab")
	put(t, c, "tab", item{"pk": s("456"), "price": n(650), "product": s("sporting goods")})
	_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: ptr("tab"), Key: item{"pk": s("456")}, UpdateExpression: ptr("SET price = :p"),
		ConditionExpression: ptr("price < :limit"), ExpressionAttributeValues: item{":p": n(1), ":limit": n(500)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || failed.ErrorMessage() != "The conditional request failed" || diff(item{"pk": s("456"), "price": n(650), "product": s("sporting goods")}, failed.Item) != "" {
		t.Errorf("%v %v", err, failed)
	}
	for _, c2 := range []struct {
		in   *dynamodb.PutItemInput
		fine bool
	}{
		{&dynamodb.PutItemInput{Item: item{"pk": s("456")}, ConditionExpression: ptr("attribute_not_exists(pk)")}, false},
		{&dynamodb.PutItemInput{Item: item{"pk": s("new")}, ConditionExpression: ptr("attribute_not_exists(pk)")}, true},
		{&dynamodb.PutItemInput{Item: item{"pk": s("new")}, Expected: map[string]types.ExpectedAttributeValue{"pk": {Exists: ptr(false)}}}, false},
		{&dynamodb.PutItemInput{Item: item{"pk": s("456"), "price": n(1)}, Expected: map[string]types.ExpectedAttributeValue{"price": {Value: n("650.0")}}}, true},
		{&dynamodb.PutItemInput{Item: item{"pk": s("456")}, Expected: map[string]types.ExpectedAttributeValue{"price": {ComparisonOperator: "GT", AttributeValueList: []value{n(5)}}, "pk": {Value: s("456")}}}, false},
		{&dynamodb.PutItemInput{Item: item{"pk": s("456")}, ConditionalOperator: "OR", Expected: map[string]types.ExpectedAttributeValue{"price": {ComparisonOperator: "GT", AttributeValueList: []value{n(5)}}, "pk": {Value: s("456")}}}, true},
	} {
		c2.in.TableName = ptr("tab")
		if _, err := c.PutItem(ctx, c2.in); (err == nil) != c2.fine || err != nil && told(err) != "ConditionalCheckFailedException: The conditional request failed" {
			t.Errorf("%+v: %v", c2.in, err)
		}
	}
}

func TestItemErrors(t *testing.T) {
	ctx, c := t.Context(), newClient(t)
	create(t, c, &dynamodb.CreateTableInput{TableName: ptr("tab"), AttributeDefinitions: attributes("pk:S sk:N g:S"), KeySchema: schema("pk", "sk"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: ptr("by-g"), KeySchema: schema("g", ""), Projection: keysOnly()}}})
	key := item{"pk": s("a"), "sk": n(1)}
	puts := func(it item) func() error {
		return func() error {
			_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("tab"), Item: it})
			return err
		}
	}
	gets := func(key item) func() error {
		return func() error {
			_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: ptr("tab"), Key: key})
			return err
		}
	}
	updates := func(in dynamodb.UpdateItemInput) func() error {
		return func() error {
			in.TableName, in.Key = ptr("tab"), key
			_, err := c.UpdateItem(ctx, &in)
			return err
		}
	}
	for _, e := range []struct {
		want string
		f    func() error
	}{
		{"One or more parameter values were invalid: Missing the key sk in the item", puts(item{"pk": s("a")})},
		{"One or more parameter values were invalid: Type mismatch for key sk expected: N actual: S", puts(item{"pk": s("a"), "sk": s("1")})},
		{"One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk", puts(item{"pk": s(""), "sk": n(1)})},
		{"One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes", puts(item{"pk": s(strings.Repeat("x", 2049)), "sk": n(1)})},
		{"One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g", puts(item{"pk": s("a"), "sk": n(1), "g": n(1)})},
		{"One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by-g, IndexKey: g", puts(item{"pk": s("a"), "sk": n(1), "g": s("")})},
		{"Item size has exceeded the maximum allowed size", puts(item{"pk": s("a"), "sk": n(1), "x": s(strings.Repeat("x", 400<<10))})},
		{"The parameter cannot be converted to a numeric value: abc", puts(item{"pk": s("a"), "sk": n("abc")})},
		{"Attempting to store more than 38 significant digits in a Number", puts(item{"pk": s("a"), "sk": n(1), "x": n(strings.Repeat("1", 39))})},
		{"Number overflow. Attempting to store a number with magnitude larger than supported range", puts(item{"pk": s("a"), "sk": n(1), "x": n("1e126")})},
		{"Number underflow. Attempting to store a number with magnitude smaller than supported range", puts(item{"pk": s("a"), "sk": n(1), "x": n("-1e-131")})},
		{"One or more parameter values were invalid: An string set  may not be empty", puts(item{"pk": s("a"), "sk": n(1), "x": ss()})},
		{"One or more parameter values were invalid: Input collection [a, a] contains duplicates.", puts(item{"pk": s("a"), "sk": n(1), "x": ss("a", "a")})},
		{"One or more parameter values were invalid: The AttributeValue for a key attribute cannot contain an empty string value. Key: pk", gets(item{"pk": s(""), "sk": n(1)})},
		{"The document path provided in the update expression is invalid for update", updates(dynamodb.UpdateItemInput{UpdateExpression: ptr("REMOVE x.y")})},
		{"The provided key element does not match the schema", gets(item{"pk": s("a")})},
		{"The provided key element does not match the schema", gets(item{"pk": s("a"), "sk": s("1")})},
		{"The provided key element does not match the schema", gets(item{"pk": s("a"), "sk": n(1), "x": s("")})},
		{"One or more parameter values were invalid: Cannot update attribute sk. This attribute is part of the key", updates(dynamodb.UpdateItemInput{UpdateExpression: ptr("SET sk = :v"), ExpressionAttributeValues: item{":v": n(1)}})},
		{"The update expression attempted to update the secondary index key to unsupported type", updates(dynamodb.UpdateItemInput{UpdateExpression: ptr("SET g = :v"), ExpressionAttributeValues: item{":v": n(1)}})},
		{"Item size to update has exceeded the maximum allowed size", updates(dynamodb.UpdateItemInput{UpdateExpression: ptr("SET x = :v, y = :v"), ExpressionAttributeValues: item{":v": s(strings.Repeat("x", 250<<10))}})},
		{"Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}", updates(dynamodb.UpdateItemInput{UpdateExpression: ptr("SET x = :v"), ExpressionAttributeValues: item{":v": n(1), ":w": n(1)}})},
		{"Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name", updates(dynamodb.UpdateItemInput{UpdateExpression: ptr("SET name = :v"), ExpressionAttributeValues: item{":v": n(1)}})},
		{"Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {UpdateExpression}",
			updates(dynamodb.UpdateItemInput{UpdateExpression: ptr("REMOVE x"), Expected: map[string]types.ExpectedAttributeValue{"x": {Exists: ptr(false)}}})},
		{"ExpressionAttributeNames can only be specified when using expressions", updates(dynamodb.UpdateItemInput{ExpressionAttributeNames: map[string]string{"#a": "a"}})},
		{"ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are null", updates(dynamodb.UpdateItemInput{ExpressionAttributeValues: item{":v": n(1)}})},
		{"The provided expression refers to an attribute that does not exist in the item", updates(dynamodb.UpdateItemInput{UpdateExpression: ptr("SET x = y")})},
		{"One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is specified", updates(dynamodb.UpdateItemInput{AttributeUpdates: map[string]types.AttributeValueUpdate{"x": {Action: "PUT"}}})},
		{"One or more parameter values were invalid: ConditionalOperator cannot be used without Filter or Expected", updates(dynamodb.UpdateItemInput{ConditionalOperator: "OR"})},
	} {
		if got := told(e.f()); got != "ValidationException: "+e.want {
			t.Errorf("got  %.300s\nwant %s", got, e.want)
		}
	}
	if got := get(t, c, "tab", key); got != nil {
		t.Errorf("something was written: %v", got)
	}
}
