package inventory

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cfn"
)

// An accountRead is one read of the account: which rule asks for it, which facts it gives, and which permissions it takes, on everything.
type accountRead struct {
	rule    string
	gives   []string
	actions []string
	read    func(ctx context.Context, r *Reader, items []*Item) (*cfn.Node, error)
}

// The account's own Block Public Access is not read: its client alone would make the hook larger than it may be.
var accountReads = []accountRead{
	{"dynamodb-throughput-limit-check", []string{"AccountMaxReadCapacityUnits", "AccountMaxWriteCapacityUnits"},
		[]string{"dynamodb:DescribeLimits"}, readCapacityLimits},
	{"dynamodb-throughput-limit-check", []string{"ProvisionedReadCapacityUnits", "ProvisionedWriteCapacityUnits"},
		[]string{"dynamodb:ListTables", "dynamodb:DescribeTable"}, readCapacityElsewhere},
}

// Account reads what the rules that a suite asks for want to know of a stack's account, as rules.Facts has it. What cannot be read is
// [Unknown].
func (r *Reader) Account(ctx context.Context, s *Stack, asks func(rule string) bool) *cfn.Node {
	facts := cfn.Obj(cfn.P("AccountId", cfn.Str(s.Account)))
	for _, a := range accountReads {
		if !asks(a.rule) {
			continue
		}
		own, cancel := context.WithTimeout(ctx, orDefault(r.Timeout, defaultTimeout))
		found, err := a.read(own, r, s.Items)
		cancel()
		for _, name := range a.gives {
			fact := found.Get(name)
			if err != nil {
				fact = Unknown(why(err))
			}
			facts.Set(name, fact)
		}
	}
	return facts
}

// AccountActions lists the permissions that [Reader.Account] takes.
func AccountActions(asks func(rule string) bool) []Statement {
	var actions []string
	for _, a := range accountReads {
		if asks(a.rule) {
			actions = append(actions, a.actions...)
		}
	}
	if len(actions) == 0 {
		return nil
	}
	slices.Sort(actions)
	return []Statement{{actions, []*cfn.Node{cfn.Str("*")}}}
}

func readCapacityLimits(ctx context.Context, r *Reader, _ []*Item) (*cfn.Node, error) {
	out, err := r.dynamodb.DescribeLimits(ctx, &dynamodb.DescribeLimitsInput{})
	if err != nil {
		return nil, err
	}
	if out.AccountMaxReadCapacityUnits == nil || out.AccountMaxWriteCapacityUnits == nil {
		return nil, errors.New("DynamoDB does not tell its quotas")
	}
	return cfn.Obj(cfn.P("AccountMaxReadCapacityUnits", cfn.Integer(*out.AccountMaxReadCapacityUnits)),
		cfn.P("AccountMaxWriteCapacityUnits", cfn.Integer(*out.AccountMaxWriteCapacityUnits))), nil
}

// readCapacityElsewhere adds up what the account's other tables provision.
func readCapacityElsewhere(ctx context.Context, r *Reader, items []*Item) (*cfn.Node, error) {
	var reads, writes int64
	pages := dynamodb.NewListTablesPaginator(r.dynamodb, &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range page.TableNames {
			if slices.ContainsFunc(items, func(it *Item) bool { return it.Type == tableType && it.PhysicalID == name }) {
				continue
			}
			out, err := r.dynamodb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
			if isAbsent(err) {
				continue // deleted since
			}
			if err != nil {
				return nil, err
			}
			provisioned := []*types.ProvisionedThroughputDescription{out.Table.ProvisionedThroughput}
			for _, index := range out.Table.GlobalSecondaryIndexes {
				provisioned = append(provisioned, index.ProvisionedThroughput)
			}
			for _, p := range provisioned {
				if p != nil { // zeros of a table on demand
					reads, writes = reads+aws.ToInt64(p.ReadCapacityUnits), writes+aws.ToInt64(p.WriteCapacityUnits)
				}
			}
		}
	}
	return cfn.Obj(cfn.P("ProvisionedReadCapacityUnits", cfn.Integer(reads)), cfn.P("ProvisionedWriteCapacityUnits", cfn.Integer(writes))), nil
}
