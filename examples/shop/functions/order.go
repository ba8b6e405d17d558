package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// line is one product in a cart or an order.
type line struct {
	Product string `json:"product"`
	Count   int    `json:"count"`
}

// order is a cart that was paid for.
type order struct {
	ID    string `json:"id"`
	Lines []line `json:"lines"`
	Cents int    `json:"cents"`
}

// maxCount bounds one line, so that a slip of the finger is no fortune.
const maxCount = 99

func tables() (*dynamodb.Client, error) {
	cfg, err := awsConfig()
	if err != nil {
		return nil, err
	}
	return dynamodb.NewFromConfig(cfg), nil
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func text(item map[string]types.AttributeValue, name string) string {
	s, _ := item[name].(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// Cart reads a customer's cart, or adds a product to it.
func Cart(ctx context.Context, req request) (response, error) {
	db, err := tables()
	if err != nil {
		return response{}, err
	}
	customer := req.PathParameters["customer"]
	lines, err := readCart(ctx, db, customer)
	if err != nil {
		return response{}, err
	}
	if req.HTTPMethod == "GET" {
		return reply(200, lines)
	}
	var add line
	if err := json.Unmarshal([]byte(req.Body), &add); err != nil {
		return refuse(400, "the body is not a product and a count: %v", err)
	}
	if _, ok := product(add.Product); !ok {
		return refuse(404, "there is no product %q", add.Product)
	}
	if add.Count < 1 || add.Count > maxCount {
		return refuse(400, "a count is from 1 to %d", maxCount)
	}
	lines = append(lines, add)
	if err := writeCart(ctx, db, customer, lines); err != nil {
		return response{}, err
	}
	return reply(200, lines)
}

func readCart(ctx context.Context, db *dynamodb.Client, customer string) ([]line, error) {
	out, err := db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(os.Getenv("CARTS")), Key: map[string]types.AttributeValue{"customer": str(customer)}})
	if err != nil {
		return nil, fmt.Errorf("read the cart: %w", err)
	}
	lines := []line{}
	if content := text(out.Item, "lines"); content != "" {
		if err := json.Unmarshal([]byte(content), &lines); err != nil {
			return nil, fmt.Errorf("read the cart: %w", err)
		}
	}
	return lines, nil
}

func writeCart(ctx context.Context, db *dynamodb.Client, customer string, lines []line) error {
	content, err := json.Marshal(lines)
	if err != nil {
		return err
	}
	_, err = db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(os.Getenv("CARTS")),
		Item: map[string]types.AttributeValue{"customer": str(customer), "lines": str(string(content))}})
	if err != nil {
		return fmt.Errorf("write the cart: %w", err)
	}
	return nil
}

// Checkout makes an order of a customer's cart, which is empty afterwards.
func Checkout(ctx context.Context, req request) (response, error) {
	db, err := tables()
	if err != nil {
		return response{}, err
	}
	customer := req.PathParameters["customer"]
	lines, err := readCart(ctx, db, customer)
	if err != nil {
		return response{}, err
	}
	if len(lines) == 0 {
		return refuse(409, "the cart of %s is empty", customer)
	}
	o := order{ID: fmt.Sprintf("%d", time.Now().UnixNano()), Lines: lines}
	for _, l := range lines {
		p, _ := product(l.Product)
		o.Cents += p.Cents * l.Count
	}
	if err := place(ctx, db, customer, o); err != nil {
		var cancelled *types.TransactionCanceledException
		if errors.As(err, &cancelled) {
			return refuse(409, "somebody else has just checked this cart out")
		}
		return response{}, err
	}
	count("Sales", float64(o.Cents)/100, "None")
	return reply(201, o)
}

// place writes the order and deletes the cart, both or neither.
func place(ctx context.Context, db *dynamodb.Client, customer string, o order) error {
	content, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: aws.String(os.Getenv("ORDERS")),
			Item: map[string]types.AttributeValue{"customer": str(customer), "order": str(o.ID), "content": str(string(content))}}},
		{Delete: &types.Delete{TableName: aws.String(os.Getenv("CARTS")),
			Key:                 map[string]types.AttributeValue{"customer": str(customer)},
			ConditionExpression: aws.String("attribute_exists(customer)")}},
	}})
	if err != nil {
		return fmt.Errorf("place the order: %w", err)
	}
	return nil
}

// Orders reads a customer's orders, the newest first.
func Orders(ctx context.Context, req request) (response, error) {
	db, err := tables()
	if err != nil {
		return response{}, err
	}
	out, err := db.Query(ctx, &dynamodb.QueryInput{
		TableName:                 aws.String(os.Getenv("ORDERS")),
		KeyConditionExpression:    aws.String("customer = :c"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":c": str(req.PathParameters["customer"])},
		ScanIndexForward:          aws.Bool(false),
		Limit:                     aws.Int32(20),
	})
	if err != nil {
		return response{}, fmt.Errorf("read the orders: %w", err)
	}
	all := []json.RawMessage{}
	for _, item := range out.Items {
		all = append(all, json.RawMessage(text(item, "content")))
	}
	return reply(200, all)
}
