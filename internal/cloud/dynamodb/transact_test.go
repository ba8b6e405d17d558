package dynamodb_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

func transactPut(it item, condition *string) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: ptr("tab"), Item: it, ConditionExpression: condition}}
}

func TestTransactions(t *testing.T) {
	ctx := t.Context()
	now := clock.NewStepped(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	c := dynamodb.NewFromConfig(wiretest.Config(t, wiretest.Serve{"dynamodb": newService(t, store.Memory(), now)}))
	simple(t, c, "tab")
	transact := func(token *string, items ...types.TransactWriteItem) (*dynamodb.TransactWriteItemsOutput, error) {
		return c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items, ClientRequestToken: token, ReturnConsumedCapacity: "TOTAL"})
	}
	add := types.TransactWriteItem{Update: &types.Update{TableName: ptr("arn:aws:dynamodb:us-east-1:000000000000:table/tab"), Key: item{"pk": s("count")}, UpdateExpression: ptr("ADD n :one"), ExpressionAttributeValues: item{":one": n(1)}}}
	out, err := transact(ptr("token-1"), transactPut(item{"pk": s("a")}, ptr("attribute_not_exists(pk)")), add)
	if err != nil || len(out.ConsumedCapacity) != 2 || *out.ConsumedCapacity[0].CapacityUnits != 2 || *out.ConsumedCapacity[0].WriteCapacityUnits != 2 {
		t.Fatalf("%v %+v", err, out)
	}
	// The same token makes nothing twice, and stands for one request only.
	if out, err = transact(ptr("token-1"), transactPut(item{"pk": s("a")}, ptr("attribute_not_exists(pk)")), add); err != nil || *out.ConsumedCapacity[0].ReadCapacityUnits != 2 {
		t.Errorf("%v", err)
	}
	if _, err = transact(ptr("token-1"), add); !strings.HasPrefix(told(err), "IdempotentParameterMismatchException") {
		t.Error(told(err))
	}
	if got := get(t, c, "tab", item{"pk": s("count")}); diff(item{"pk": s("count"), "n": n(1)}, got) != "" {
		t.Errorf("%v", got)
	}
	now.Advance(11 * time.Minute)
	if _, err = transact(ptr("token-1"), add); err != nil {
		t.Errorf("after ten minutes a token is free again: %v", err)
	}
	// One that fails undoes all.
	check := types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: ptr("tab"), Key: item{"pk": s("a")}, ConditionExpression: ptr("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}}
	_, err = transact(nil, check, add, types.TransactWriteItem{Update: &types.Update{TableName: ptr("tab"), Key: item{"pk": s("b")}, UpdateExpression: ptr("SET x = y")}})
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) || canceled.ErrorMessage() != "Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed, None, ValidationError]" {
		t.Fatalf("%v", err)
	}
	r := canceled.CancellationReasons
	if *r[0].Message != "The conditional request failed" || diff(item{"pk": s("a")}, r[0].Item) != "" || *r[1].Code != "None" || r[1].Message != nil ||
		*r[2].Message != "The provided expression refers to an attribute that does not exist in the item" {
		t.Errorf("%+v", r)
	}
	if got := get(t, c, "tab", item{"pk": s("count")}); diff(item{"pk": s("count"), "n": n(2)}, got) != "" {
		t.Errorf("%v", got)
	}
	for want, items := range map[string][]types.TransactWriteItem{
		"ValidationException: Transaction request cannot include multiple operations on one item":                                             {add, transactPut(item{"pk": s("count")}, nil)},
		"ValidationException: TransactItems can only contain one of Check, Put, Update or Delete":                                             {{}},
		"ValidationException: Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"pk\"":                                      {transactPut(item{"pk": s("x")}, ptr("pk"))},
		"ResourceNotFoundException: Requested resource not found":                                                                             {{Delete: &types.Delete{TableName: ptr("nope"), Key: item{"pk": s("a")}}}},
		"TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError]": {add, transactPut(item{"x": s("x")}, nil)},
	} {
		if _, err := transact(nil, items...); told(err) != want {
			t.Errorf("got  %s\nwant %s", told(err), want)
		}
	}
	read := must[*dynamodb.TransactGetItemsOutput](t)(c.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: ptr("tab"), Key: item{"pk": s("none")}}}, {Get: &types.Get{TableName: ptr("tab"), Key: item{"pk": s("a")}}}}}))
	if len(read.Responses) != 2 || read.Responses[0].Item != nil || diff(item{"pk": s("a")}, read.Responses[1].Item) != "" {
		t.Errorf("%+v", read.Responses)
	}
}

// Money moves between accounts from many sides at once; none is made or lost, and no reader sees a transfer half done.
func TestTransactionsAreAtomic(t *testing.T) {
	ctx := t.Context()
	svc := newService(t, store.Memory(), clock.Real{})
	if _, err := svc.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: ptr("tab"), AttributeDefinitions: attributes("pk:S"), KeySchema: schema("pk", ""), BillingMode: types.BillingModePayPerRequest}); err != nil {
		t.Fatal(err)
	}
	const accounts, each = 4, 100
	for i := range accounts {
		if _, err := svc.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("tab"), Item: item{"pk": s(fmt.Sprint(i)), "money": n(each)}}); err != nil {
			t.Fatal(err)
		}
	}
	move := func(account int, amount int, condition *string) types.TransactWriteItem {
		values := item{":amount": n(amount)}
		if condition != nil {
			values[":least"] = n(-amount)
		}
		return types.TransactWriteItem{Update: &types.Update{TableName: ptr("tab"), Key: item{"pk": s(fmt.Sprint(account))},
			UpdateExpression: ptr("SET money = money + :amount"), ConditionExpression: condition, ExpressionAttributeValues: values}}
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 150 {
				from, to := (worker+i)%accounts, (worker+3*i+1)%accounts
				if from == to {
					continue
				}
				amount := 1 + (worker*7+i*13)%60
				_, err := svc.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{move(from, -amount, ptr("money >= :least")), move(to, amount, nil)}})
				var canceled *types.TransactionCanceledException
				if err != nil && !errors.As(err, &canceled) {
					t.Error(err)
				}
				out, err := svc.Scan(ctx, &dynamodb.ScanInput{TableName: ptr("tab")})
				if err != nil {
					t.Error(err)
					return
				}
				sum := 0
				for _, it := range out.Items {
					if number(it["money"]) < 0 {
						t.Errorf("an account has %d", number(it["money"]))
					}
					sum += number(it["money"])
				}
				if sum != accounts*each {
					t.Errorf("all accounts together have %d", sum)
				}
			}
		})
	}
	wg.Wait()
}

func TestBatches(t *testing.T) {
	ctx, c := t.Context(), newClient(t)
	simple(t, c, "tab")
	simple(t, c, "tab2")
	put(t, c, "tab", item{"pk": s("old")})
	w := must[*dynamodb.BatchWriteItemOutput](t)(c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{ReturnConsumedCapacity: "TOTAL", RequestItems: map[string][]types.WriteRequest{
		"tab":  {{PutRequest: &types.PutRequest{Item: item{"pk": s("a"), "x": n(1)}}}, {DeleteRequest: &types.DeleteRequest{Key: item{"pk": s("old")}}}},
		"tab2": {{PutRequest: &types.PutRequest{Item: item{"pk": s("b")}}}}}}))
	if len(w.UnprocessedItems) != 0 || len(w.ConsumedCapacity) != 2 || *w.ConsumedCapacity[0].CapacityUnits != 2 {
		t.Errorf("%+v", w)
	}
	g := must[*dynamodb.BatchGetItemOutput](t)(c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		"tab": {Keys: []map[string]value{{"pk": s("a")}, {"pk": s("old")}}, ProjectionExpression: ptr("x")}, "tab2": {Keys: []map[string]value{{"pk": s("none")}}}}}))
	if d := diff(map[string][]map[string]value{"tab": {{"x": n(1)}}, "tab2": {}}, g.Responses); d != "" || len(g.UnprocessedKeys) != 0 {
		t.Error(d)
	}
	many := make([]map[string]value, 60)
	for i := range many {
		many[i] = item{"pk": s(fmt.Sprint(i))}
	}
	for want, f := range map[string]func() error{
		"The provided key element does not match the schema": func() error {
			_, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"tab": {{PutRequest: &types.PutRequest{Item: item{"x": s("a")}}}}}})
			return err
		},
		"Provided list of item keys contains duplicates": func() error {
			_, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"tab": {{PutRequest: &types.PutRequest{Item: item{"pk": s("a")}}}, {DeleteRequest: &types.DeleteRequest{Key: item{"pk": s("a")}}}}}})
			return err
		},
		"Too many items requested for the BatchGetItem call": func() error {
			_, err := c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"tab": {Keys: many}, "tab2": {Keys: many}}})
			return err
		},
	} {
		if got := told(f()); got != "ValidationException: "+want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
