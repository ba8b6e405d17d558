package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const table = "bench"

// partitions of the table, and items in each.
const partitions, items = 100, 10

// item is one of about 200 bytes.
func item(partition, i int) map[string]types.AttributeValue {
	it := itemKey(partition, i)
	it["name"] = &types.AttributeValueMemberS{Value: "Somebody Somewhere"}
	it["age"] = &types.AttributeValueMemberN{Value: fmt.Sprint(i)}
	it["text"] = &types.AttributeValueMemberS{Value: strings.Repeat("x", 140)}
	return it
}

func itemKey(partition, i int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: fmt.Sprint("customer#", partition)},
		"sk": &types.AttributeValueMemberS{Value: fmt.Sprintf("order#%04d", i)},
	}
}

func (b *bench) dynamodb(ctx context.Context) error {
	servers, err := b.keepers(ctx, foreignTables)
	if err != nil {
		return err
	}
	defer closeAll(servers)
	clients := map[*process]*dynamodb.Client{}
	for _, p := range servers {
		clients[p] = dynamodb.NewFromConfig(p.config(), func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true })
		if err := fill(ctx, clients[p]); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	rows := []row{
		{name: "PutItem", work: func(p *process) work {
			return func(ctx context.Context, w, i int) error {
				_, err := clients[p].PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: item((i+w*7)%partitions, i%items)})
				return err
			}
		}},
		{name: "GetItem", work: func(p *process) work {
			return func(ctx context.Context, w, i int) error {
				_, err := clients[p].GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(table), Key: itemKey((i+w*7)%partitions, i%items)})
				return err
			}
		}},
		{name: "Query, 10 items", work: func(p *process) work {
			return func(ctx context.Context, w, i int) error {
				_, err := clients[p].Query(ctx, &dynamodb.QueryInput{TableName: aws.String(table), KeyConditionExpression: aws.String("pk = :p"),
					ExpressionAttributeValues: map[string]types.AttributeValue{":p": itemKey((i+w*7)%partitions, 0)["pk"]}})
				return err
			}
		}},
	}
	for i := range rows {
		rows[i].servers, rows[i].workers = servers, []int{1, 16}
	}
	return b.measure(ctx, rows)
}

// fill makes the table and its items.
func fill(ctx context.Context, c *dynamodb.Client) error {
	_, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange}},
	})
	if err != nil {
		return err
	}
	// Others take their time with a table, as AWS does. The null server never tells of one.
	if table, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table)}); err == nil && table.Table != nil {
		if err := dynamodb.NewTableExistsWaiter(c, soon).Wait(ctx, &dynamodb.DescribeTableInput{TableName: table.Table.TableName}, time.Minute); err != nil {
			return err
		}
	}
	for partition := range partitions {
		for i := range items {
			if _, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: item(partition, i)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func soon(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 50 * time.Millisecond }
