package dynamodb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/call"
)

const (
	maxLocal      = 5
	maxGlobal     = 20
	maxIncluded   = 100 // non-key attributes of all indexes together
	maxIndexParts = 4
)

// absent is the error for what DynamoDB can and this one cannot.
func absent(what string) error {
	return &call.Error{Status: 501, Code: "NotImplemented", Message: "The embedded cloud's DynamoDB does not support " + what + " yet"}
}

// attributesOf checks AttributeDefinitions.
func attributesOf(defined []types.AttributeDefinition) ([]attribute, error) {
	var list []attribute
	for _, d := range defined {
		a := attribute{deref(d.AttributeName), string(d.AttributeType)}
		if slices.ContainsFunc(list, func(b attribute) bool { return a.Name == b.Name }) {
			return nil, invalid("Cannot have two attributes with the same name")
		}
		list = append(list, a)
	}
	return list, nil
}

func namesOf(attributes []attribute) []string {
	names := make([]string, len(attributes))
	for i, a := range attributes {
		names[i] = a.Name
	}
	return names
}

// keyOf checks a KeySchema, in which at most so many attributes may be of either type.
func keyOf(schema []types.KeySchemaElement, parts int) (keyNames, error) {
	var k keyNames
	for i, e := range schema {
		name := deref(e.AttributeName)
		if slices.Contains(k.all(), name) {
			return k, invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
		}
		switch {
		case i == 0 && e.KeyType != types.KeyTypeHash:
			return k, invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
		case e.KeyType == types.KeyTypeHash && len(k.Range) == 0 && len(k.Hash) < parts:
			k.Hash = append(k.Hash, name)
		case i == 1 && e.KeyType != types.KeyTypeRange:
			return k, invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
		case e.KeyType == types.KeyTypeRange && len(k.Range) < parts:
			k.Range = append(k.Range, name)
		default:
			return k, invalid("Invalid KeySchema: too many key attributes, or a HASH after a RANGE key type")
		}
	}
	if len(k.Hash) == 0 {
		return k, invalidParameter("KeySchema must have a HASH key")
	}
	return k, nil
}

// defined demands that the key's attributes have types.
func (k keyNames) defined(attributes []attribute) error {
	for _, name := range k.all() {
		if !slices.Contains(namesOf(attributes), name) {
			return invalidParameter("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]",
				strings.Join(k.all(), ", "), strings.Join(namesOf(attributes), ", "))
		}
	}
	return nil
}

// checkSchema demands that a table's keys, indexes and attributes fit each other.
func (t *table) checkSchema() error {
	used := t.Key.all()
	if err := t.Key.defined(t.Attributes); err != nil {
		return err
	}
	var names []string
	local, global, included := 0, 0, 0
	for _, ix := range t.Indexes {
		if err := ix.Key.defined(t.Attributes); err != nil {
			return err
		}
		if slices.Contains(names, ix.Name) {
			return invalidParameter("Duplicate index name: %s", ix.Name)
		}
		names = append(names, ix.Name)
		if ix.Global {
			global++
		} else {
			local++
			if err := t.checkLocal(ix); err != nil {
				return err
			}
		}
		included += len(ix.Include)
		used = append(used, ix.Key.all()...)
	}
	switch {
	case local > maxLocal:
		return invalidParameter("Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocal)
	case global > maxGlobal:
		return invalidParameter("GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobal)
	case included > maxIncluded:
		return invalidParameter("The total number of non-key attributes of all secondary indexes exceeds the per-table limit of %d", maxIncluded)
	}
	return t.checkUsed(used)
}

func (t *table) checkUsed(used []string) error {
	for _, a := range t.Attributes {
		if slices.Contains(used, a.Name) {
			continue
		}
		if len(t.Indexes) == 0 {
			return invalidParameter("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
		}
		slices.Sort(used)
		return invalidParameter("Some AttributeDefinitions are not used. AttributeDefinitions: [%s], keys used: [%s]",
			strings.Join(namesOf(t.Attributes), ", "), strings.Join(slices.Compact(used), ", "))
	}
	return nil
}

func (t *table) checkLocal(ix *index) error {
	switch {
	case len(t.Key.Range) == 0:
		return invalidParameter("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	case len(ix.Key.Range) == 0:
		return invalidParameter("Index KeySchema does not have a range key for index: %s", ix.Name)
	case ix.Key.Hash[0] != t.Key.Hash[0]:
		return invalidParameter("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s",
			ix.Name, ix.Key.Hash[0], t.Key.Hash[0])
	}
	return nil
}

// indexOf checks what local and global indexes have in common.
func indexOf(name *string, schema []types.KeySchemaElement, parts int, p *types.Projection) (*index, error) {
	ix := &index{Name: deref(name)}
	err := checkName("IndexName", ix.Name)
	if err != nil {
		return nil, err
	}
	if ix.Key, err = keyOf(schema, parts); err != nil {
		return nil, err
	}
	if p == nil || p.ProjectionType == "" {
		return nil, invalidParameter("Unknown ProjectionType: null")
	}
	ix.Projection, ix.Include = string(p.ProjectionType), p.NonKeyAttributes
	switch {
	case p.ProjectionType != types.ProjectionTypeInclude && p.NonKeyAttributes != nil:
		return nil, invalidParameter("ProjectionType is %s, but NonKeyAttributes is specified", p.ProjectionType)
	case p.ProjectionType == types.ProjectionTypeInclude && len(p.NonKeyAttributes) == 0:
		return nil, invalidParameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	}
	return ix, nil
}

// capacityOf checks provisioned throughput against the billing mode; what words errors.
func capacityOf(p *types.ProvisionedThroughput, onDemand bool, what string) (throughput, error) {
	switch {
	case onDemand && p != nil && what == "":
		return throughput{}, invalidParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case onDemand && p != nil:
		return throughput{}, invalidParameter("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", what)
	case onDemand:
		return throughput{}, nil
	case p == nil && what == "":
		return throughput{}, invalidParameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	case p == nil:
		return throughput{}, invalidParameter("ProvisionedThroughput must be specified for index: %s", what)
	}
	return throughput{Read: deref(p.ReadCapacityUnits), Write: deref(p.WriteCapacityUnits)}, nil
}

func limitsOf(l *types.OnDemandThroughput) *limits {
	if l == nil {
		return nil
	}
	unlimited := func(p *int64) int64 {
		if p == nil {
			return -1
		}
		return *p
	}
	return &limits{unlimited(l.MaxReadRequestUnits), unlimited(l.MaxWriteRequestUnits)}
}

func warmOf(w *types.WarmThroughput) *warm {
	if w == nil {
		return nil
	}
	return &warm{deref(w.ReadUnitsPerSecond), deref(w.WriteUnitsPerSecond)}
}

func (s *Service) globalOf(onDemand bool, name *string, schema []types.KeySchemaElement, p *types.Projection, capacity *types.ProvisionedThroughput,
	limit *types.OnDemandThroughput, w *types.WarmThroughput) (*index, error) {
	ix, err := indexOf(name, schema, maxIndexParts, p)
	if err != nil {
		return nil, err
	}
	ix.Global, ix.Limits, ix.Warm = true, limitsOf(limit), warmOf(w)
	ix.Provisioned, err = capacityOf(capacity, onDemand, ix.Name)
	return ix, err
}

// encryptionOf returns the encryption that is asked for; nil is DynamoDB's own key, which is always used.
func (s *Service) encryptionOf(spec *types.SSESpecification) (*encryption, error) {
	if spec == nil {
		return nil, nil
	}
	if !deref(spec.Enabled) {
		if spec.KMSMasterKeyId != nil || spec.SSEType != "" {
			return nil, invalidParameter("SSEType and KMSMasterKeyId can only be specified when SSE is enabled")
		}
		return nil, nil
	}
	prefix := fmt.Sprintf("arn:aws:kms:%s:%s:", s.region, call.Account)
	switch id := deref(spec.KMSMasterKeyId); {
	case id == "" || id == "alias/aws/dynamodb":
		return &encryption{prefix + "key/" + managedKey}, nil
	case strings.HasPrefix(id, "arn:"):
		return &encryption{id}, nil
	case strings.HasPrefix(id, "alias/"):
		return &encryption{prefix + id}, nil
	default:
		return &encryption{prefix + "key/" + id}, nil
	}
}

// managedKey is the id of the key that AWS manages for DynamoDB, alias/aws/dynamodb.
const managedKey = "d1a0db00-0000-4000-8000-00000000da7a"
