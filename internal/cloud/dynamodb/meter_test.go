package dynamodb_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/clock"
	service "evo/internal/cloud/dynamodb"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

// tally keeps what a meter is told.
type tally struct {
	mu   sync.Mutex
	told []string
}

func (m *tally) Operation(u service.Usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var failed *types.ConditionalCheckFailedException
	m.told = append(m.told, fmt.Sprintf("%s %s read %v write %v global %v returned %d failed %v", u.Table, u.Operation, u.Read, u.Write, u.Global, u.Returned, errors.As(u.Err, &failed)))
}

func TestMeter(t *testing.T) {
	ctx, m := t.Context(), new(tally)
	svc, err := service.New(service.Config{Region: "us-east-1", Store: store.Memory(), Clock: clock.Real{}, Meter: m})
	if err != nil {
		t.Fatal(err)
	}
	c := dynamodb.NewFromConfig(wiretest.Config(t, wiretest.Serve{"dynamodb": svc}))
	music(t, c)
	m.told = nil
	put(t, c, "music", item{"artist": s("C"), "song": s("new"), "year": n(1), "genre": s("rock"), "text": s(string(make([]byte, 2000)))})
	get(t, c, "music", item{"artist": s("C"), "song": s("new")})
	must[*dynamodb.QueryOutput](t)(c.Query(ctx, &dynamodb.QueryInput{TableName: ptr("music"), IndexName: ptr("by-genre"), KeyConditionExpression: ptr("genre = :g"), ExpressionAttributeValues: item{":g": s("pop")}}))
	_, _ = c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: ptr("music"), Key: item{"artist": s("C"), "song": s("new")}, ConditionExpression: ptr("attribute_exists(nope)")})
	must[*dynamodb.TransactGetItemsOutput](t)(c.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: ptr("music"), Key: item{"artist": s("C"), "song": s("new")}}}}}))
	want := []string{
		"music PutItem read 0 write 3 global map[by-genre:{0 1}] returned 0 failed false", // the table's two units and the local index's one
		"music GetItem read 0.5 write 0 global map[] returned 0 failed false",
		"music Query read 0 write 0 global map[by-genre:{0.5 0}] returned 10 failed false",
		"music DeleteItem read 0 write 0 global map[] returned 0 failed true",
		"music TransactGetItems read 2 write 0 global map[] returned 0 failed false",
	}
	if !slices.Equal(m.told, want) {
		t.Errorf("%s", diff(want, m.told))
	}
}
