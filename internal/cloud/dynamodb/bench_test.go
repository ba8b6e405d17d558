package dynamodb_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/clock"
	service "evo/internal/cloud/dynamodb"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

// sized is an item of about 200 bytes.
func sized(i int) item {
	return item{"pk": s(fmt.Sprint("user#", i)), "name": s("Somebody Somewhere"), "age": n(i % 90), "tags": ss("a", "b"), "text": s(strings.Repeat("x", 120))}
}

func benchService(b *testing.B, indexes ...types.GlobalSecondaryIndex) *service.Service {
	db := must[*store.DB](b)(store.Open(b.TempDir(), store.Options{}))
	b.Cleanup(func() { _ = db.Close() })
	svc := newService(b, db, clock.Real{})
	in := &dynamodb.CreateTableInput{TableName: ptr("tab"), AttributeDefinitions: attributes("pk:S"), KeySchema: schema("pk", ""), BillingMode: types.BillingModePayPerRequest}
	if indexes != nil {
		in.GlobalSecondaryIndexes, in.AttributeDefinitions = indexes, attributes("pk:S name:S age:N")
	}
	must[*dynamodb.CreateTableOutput](b)(svc.CreateTable(b.Context(), in))
	for i := range 10_000 {
		must[*dynamodb.PutItemOutput](b)(svc.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: ptr("tab"), Item: sized(i)}))
	}
	return svc
}

func BenchmarkPutItem(b *testing.B) {
	svc := benchService(b)
	items := make([]item, 1000)
	for i := range items {
		items[i] = sized(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := svc.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: ptr("tab"), Item: items[i%1000]}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutItemWithIndex(b *testing.B) {
	svc := benchService(b, types.GlobalSecondaryIndex{IndexName: ptr("by-name"), KeySchema: schema("name", "age"), Projection: all()})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		it := sized(i % 1000)
		it["age"] = n(i % 77)
		if _, err := svc.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: ptr("tab"), Item: it}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUpdateItem(b *testing.B) {
	svc := benchService(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := svc.UpdateItem(b.Context(), &dynamodb.UpdateItemInput{TableName: ptr("tab"), Key: item{"pk": s(fmt.Sprint("user#", i%1000))},
			UpdateExpression: ptr("SET age = age + :one"), ConditionExpression: ptr("attribute_exists(pk)"), ExpressionAttributeValues: item{":one": n(1)}})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetItem(b *testing.B) {
	svc := benchService(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := svc.GetItem(b.Context(), &dynamodb.GetItemInput{TableName: ptr("tab"), Key: item{"pk": s("user#77")}}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScanPage(b *testing.B) {
	svc := benchService(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := svc.Scan(b.Context(), &dynamodb.ScanInput{TableName: ptr("tab"), FilterExpression: ptr("age > :a"), ExpressionAttributeValues: item{":a": n(80)}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOverHTTP has client and server in one process: about half of the time is the client's.
func BenchmarkOverHTTP(b *testing.B) {
	svc := benchService(b)
	server := httptest.NewServer(wiretest.Handler(b, wiretest.Serve{"dynamodb": svc}))
	defer server.Close()
	cfg := wiretest.Config(b, wiretest.Serve{"dynamodb": svc})
	cfg.HTTPClient = server.Client()
	c := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.BaseEndpoint = aws.String(server.URL) })
	b.Run("PutItem", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			put(b, c, "tab", sized(i%1000))
		}
	})
	b.Run("GetItem", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			get(b, c, "tab", item{"pk": s("user#77")})
		}
	})
}
