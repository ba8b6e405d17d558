package dynamodb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/clock"
	values "evo/internal/cloud/dynamodb/item"
	"evo/internal/cloud/store"
)

func lists(depth int) value {
	v := s("x")
	for range depth {
		v = l(v)
	}
	return v
}

// An item that is nested too deeply must not come into the store, by whatever way: it could not be read again.
func TestNestingIsLimited(t *testing.T) {
	const want = "ValidationException: Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	ctx, c := t.Context(), newClient(t)
	simple(t, c, "tab")
	put(t, c, "tab", item{"pk": s("a"), "x": lists(32)})
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("tab"), Item: item{"pk": s("b"), "x": lists(33)}})
	if told(err) != want {
		t.Error(told(err))
	}
	update := func(expression string) error {
		_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: ptr("tab"), Key: item{"pk": s("a")}, UpdateExpression: &expression, ExpressionAttributeValues: item{":v": lists(16)}})
		return err
	}
	if err := update("SET x" + strings.Repeat("[0]", 16) + " = :v"); err != nil {
		t.Error(err)
	}
	if got := told(update("SET x" + strings.Repeat("[0]", 17) + " = :v")); got != want {
		t.Error(got)
	}
	if !values.Equal(m(item{"pk": s("a"), "x": lists(32)}), m(get(t, c, "tab", item{"pk": s("a")}))) { // go-cmp's time doubles with every level
		t.Error("the item is not what it was")
	}
}

func TestBatchGetEndsAt16Megabytes(t *testing.T) {
	ctx, svc := t.Context(), newService(t, store.Memory(), clock.Real{})
	must[*dynamodb.CreateTableOutput](t)(svc.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: ptr("tab"), AttributeDefinitions: attributes("pk:S"), KeySchema: schema("pk", ""), BillingMode: types.BillingModePayPerRequest}))
	text := s(strings.Repeat("x", 300<<10))
	request := types.KeysAndAttributes{ProjectionExpression: ptr("pk")}
	for i := range 60 {
		key := item{"pk": s(fmt.Sprint(i))}
		request.Keys = append(request.Keys, key)
		must[*dynamodb.PutItemOutput](t)(svc.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("tab"), Item: item{"pk": key["pk"], "x": text}}))
	}
	got := 0
	for round := 0; len(request.Keys) > 0; round++ {
		if round == 2 {
			t.Fatalf("%d keys are left", len(request.Keys))
		}
		out := must[*dynamodb.BatchGetItemOutput](t)(svc.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"tab": request}}))
		got += len(out.Responses["tab"])
		request = out.UnprocessedKeys["tab"]
		if round == 0 && (got < 50 || got == 60) {
			t.Errorf("%d items at once", got)
		}
	}
	if got != 60 {
		t.Errorf("%d items", got)
	}
}

// The members that AWS answers, and those it leaves out, as recorded.
func TestDescriptionOfATableOnDemand(t *testing.T) {
	c := newClient(t)
	created := create(t, c, &dynamodb.CreateTableInput{TableName: ptr("tab"), AttributeDefinitions: attributes("a:S b:S"), KeySchema: schema("a", ""),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: ptr("by-b"), KeySchema: schema("b", ""), Projection: all()}}})
	described := must[*dynamodb.DescribeTableOutput](t)(c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: ptr("tab")})).Table
	for _, d := range []*types.TableDescription{created, described} {
		now := d == described
		index := d.GlobalSecondaryIndexes[0]
		if *d.ProvisionedThroughput.ReadCapacityUnits != 0 || *d.TableSizeBytes != 0 || *d.ItemCount != 0 || d.StreamSpecification != nil || d.SSEDescription != nil ||
			d.BillingModeSummary.BillingMode != "PAY_PER_REQUEST" || (d.BillingModeSummary.LastUpdateToPayPerRequestDateTime != nil) != now {
			t.Errorf("%+v", d)
		}
		if *index.IndexArn != *d.TableArn+"/index/by-b" || (index.IndexStatus == "ACTIVE") != now || *index.ProvisionedThroughput.WriteCapacityUnits != 0 || (index.WarmThroughput != nil) != now {
			t.Errorf("%+v", index)
		}
		if (d.WarmThroughput != nil) != now || now && (*d.WarmThroughput.ReadUnitsPerSecond != 12000 || *index.WarmThroughput.WriteUnitsPerSecond != 4000) {
			t.Errorf("%+v", d.WarmThroughput)
		}
	}
}
