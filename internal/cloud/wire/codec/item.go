package codec

import (
	"encoding/base64"
	"reflect"
	"slices"
	"strconv"

	dynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/jsontext"
)

// DynamoDB's items are maps of unions: by reflection, each attribute costs several lookups and a copy, and most of what a Query
// took was the writing of its answer. So this one type of map is written without reflection, to the same bytes.

var itemType = reflect.TypeFor[map[string]dynamodb.AttributeValue]()

// appendItem writes an item, or the attributes of a map within one, by their names.
func appendItem(b []byte, item map[string]dynamodb.AttributeValue) []byte {
	var few [16]string // most items have no more attributes, and need no allocation then
	names := few[:0]
	for name := range item {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsontext.AppendString(b, name), ':')
		b = appendAttribute(b, item[name])
	}
	return append(b, '}')
}

func appendAttribute(b []byte, v dynamodb.AttributeValue) []byte {
	switch v := v.(type) {
	case *dynamodb.AttributeValueMemberS:
		b = jsontext.AppendString(append(b, `{"S":`...), v.Value)
	case *dynamodb.AttributeValueMemberN:
		b = jsontext.AppendString(append(b, `{"N":`...), v.Value)
	case *dynamodb.AttributeValueMemberB:
		b = appendBase64(append(b, `{"B":`...), v.Value)
	case *dynamodb.AttributeValueMemberBOOL:
		b = strconv.AppendBool(append(b, `{"BOOL":`...), v.Value)
	case *dynamodb.AttributeValueMemberNULL:
		b = strconv.AppendBool(append(b, `{"NULL":`...), v.Value)
	case *dynamodb.AttributeValueMemberM:
		b = appendItem(append(b, `{"M":`...), v.Value)
	case *dynamodb.AttributeValueMemberL:
		b = appendArray(append(b, `{"L":`...), v.Value, appendAttribute)
	case *dynamodb.AttributeValueMemberSS:
		b = appendArray(append(b, `{"SS":`...), v.Value, jsontext.AppendString)
	case *dynamodb.AttributeValueMemberNS:
		b = appendArray(append(b, `{"NS":`...), v.Value, jsontext.AppendString)
	case *dynamodb.AttributeValueMemberBS:
		b = appendArray(append(b, `{"BS":`...), v.Value, appendBase64)
	default:
		return append(b, "null"...)
	}
	return append(b, '}')
}

func appendArray[E any](b []byte, list []E, one func([]byte, E) []byte) []byte {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, e)
	}
	return append(b, ']')
}

func appendBase64(b, data []byte) []byte {
	b = base64.StdEncoding.AppendEncode(append(b, '"'), data)
	return append(b, '"')
}
