package cloudformation

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cfn"
)

// DynamoDB is what tables need of the service.
type DynamoDB interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error)
	UpdateTable(context.Context, *dynamodb.UpdateTableInput) (*dynamodb.UpdateTableOutput, error)
	DeleteTable(context.Context, *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error)
	UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error)
	UpdateContinuousBackups(context.Context, *dynamodb.UpdateContinuousBackupsInput) (*dynamodb.UpdateContinuousBackupsOutput, error)
	TagResource(context.Context, *dynamodb.TagResourceInput) (*dynamodb.TagResourceOutput, error)
	UntagResource(context.Context, *dynamodb.UntagResourceInput) (*dynamodb.UntagResourceOutput, error)
}

type tableHandlers struct{ DynamoDB }

func (s *Service) dynamoHandlers() map[string]Handler {
	if s.cfg.Services.DynamoDB == nil {
		return nil
	}
	h := tableHandlers{s.cfg.Services.DynamoDB}
	return map[string]Handler{"AWS::DynamoDB::Table": {Create: h.create, Update: h.update, Delete: h.delete, Replaces: otherLocalIndexes}}
}

// otherLocalIndexes tells that a table must be made anew: its local indexes are made with it.
func otherLocalIndexes(before, after *cfn.Node) bool {
	return !cfn.Same(before.Get("LocalSecondaryIndexes"), after.Get("LocalSecondaryIndexes"))
}

var tableNames = map[string]string{"SSESpecification.SSEEnabled": "Enabled", "ResourcePolicy": "-"}

func (h tableHandlers) create(ctx context.Context, r *Request) (Result, error) {
	in := &dynamodb.CreateTableInput{}
	if err := fill(in, r.Properties, tableNames); err != nil {
		return Result{}, err
	}
	name := r.Name("TableName", 255)
	in.TableName = aws.String(name)
	if in.StreamSpecification != nil {
		in.StreamSpecification.StreamEnabled = aws.Bool(true)
	}
	for k, v := range r.Tags() {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	if _, err := h.CreateTable(ctx, in); err != nil && !(r.Retry && exists(err)) {
		return Result{}, err
	}
	r.Physical = name
	if _, err := h.active(ctx, r); err != nil {
		return Result{Physical: name}, err
	}
	if err := h.extras(ctx, r); err != nil {
		return Result{Physical: name}, err
	}
	return h.describe(ctx, r)
}

// active waits until the table and its indexes are.
func (h tableHandlers) active(ctx context.Context, r *Request) (t *types.TableDescription, err error) {
	err = r.Await(ctx, func() (bool, error) {
		out, err := h.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(r.Physical)})
		if err != nil {
			return false, err
		}
		t = out.Table
		for _, i := range t.GlobalSecondaryIndexes {
			if i.IndexStatus != types.IndexStatusActive {
				return false, nil
			}
		}
		return t.TableStatus == types.TableStatusActive, nil
	})
	return t, err
}

func (h tableHandlers) describe(ctx context.Context, r *Request) (Result, error) {
	t, err := h.active(ctx, r)
	if err != nil {
		return Result{Physical: r.Physical}, err
	}
	result := Result{Physical: r.Physical, Attributes: map[string]any{"Arn": aws.ToString(t.TableArn)}}
	if t.LatestStreamArn != nil {
		result.Attributes["StreamArn"] = *t.LatestStreamArn
	}
	return result, nil
}

// extras sets what CreateTable does not take.
func (h tableHandlers) extras(ctx context.Context, r *Request) error {
	name := aws.String(r.Physical)
	ttl := r.Properties.Get("TimeToLiveSpecification")
	if before := r.Before.Get("TimeToLiveSpecification"); !cfn.Same(before, ttl) {
		spec, on := ttl, true
		if ttl == nil {
			spec, on = before, false
		} else {
			on, _ = ttl.Get("Enabled").Bool()
		}
		was, _ := before.Get("Enabled").Bool()
		if on || was {
			_, err := h.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: name,
				TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(spec.Get("AttributeName").Str()), Enabled: aws.Bool(on)}})
			if err != nil && !r.Retry {
				return err
			}
		}
	}
	recovery := r.Properties.At("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")
	if cfn.Same(recovery, r.Before.At("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")) {
		return nil
	}
	on, _ := recovery.Bool()
	_, err := h.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: name,
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(on)}})
	return err
}

func (h tableHandlers) update(ctx context.Context, r *Request) (Result, error) {
	result := Result{Physical: r.Physical, Attributes: r.Attributes}
	t, err := h.active(ctx, r)
	if err != nil {
		return result, err
	}
	if err := h.settings(ctx, r); err != nil {
		return result, err
	}
	if err := h.indexes(ctx, r, t); err != nil {
		return result, err
	}
	if err := h.extras(ctx, r); err != nil {
		return result, err
	}
	if err := h.retag(ctx, r, t.TableArn); err != nil {
		return result, err
	}
	return h.describe(ctx, r)
}

// settings changes what UpdateTable takes in one call.
func (h tableHandlers) settings(ctx context.Context, r *Request) error {
	only := cfn.Obj()
	for _, name := range []string{"AttributeDefinitions", "BillingMode", "ProvisionedThroughput", "SSESpecification", "StreamSpecification",
		"DeletionProtectionEnabled", "TableClass", "OnDemandThroughput"} {
		if now := r.Properties.Get(name); now != nil && !cfn.Same(now, r.Before.Get(name)) && name != "AttributeDefinitions" {
			only.Set(name, now)
		}
	}
	in := &dynamodb.UpdateTableInput{TableName: aws.String(r.Physical)}
	if err := fill(in, only, tableNames); err != nil {
		return err
	}
	if in.StreamSpecification != nil {
		in.StreamSpecification.StreamEnabled = aws.Bool(true)
	} else if r.Before.Has("StreamSpecification") && !r.Properties.Has("StreamSpecification") {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(false)}
		only.Set("StreamSpecification", cfn.Obj())
	}
	if r.Before.Has("DeletionProtectionEnabled") && !r.Properties.Has("DeletionProtectionEnabled") {
		in.DeletionProtectionEnabled = aws.Bool(false)
		only.Set("DeletionProtectionEnabled", cfn.Boolean(false))
	}
	if len(only.Pairs) == 0 {
		return nil
	}
	if _, err := h.UpdateTable(ctx, in); err != nil {
		return err
	}
	_, err := h.active(ctx, r)
	return err
}

// indexes makes and drops global indexes, one call each, as the service takes them.
func (h tableHandlers) indexes(ctx context.Context, r *Request, t *types.TableDescription) error {
	have := map[string]bool{}
	for _, i := range t.GlobalSecondaryIndexes {
		have[aws.ToString(i.IndexName)] = true
	}
	want := map[string]*cfn.Node{}
	for _, n := range r.Properties.Get("GlobalSecondaryIndexes").List() {
		want[n.Get("IndexName").Str()] = n
	}
	before := map[string]*cfn.Node{}
	for _, n := range r.Before.Get("GlobalSecondaryIndexes").List() {
		before[n.Get("IndexName").Str()] = n
	}
	for _, i := range t.GlobalSecondaryIndexes {
		name := aws.ToString(i.IndexName)
		now := want[name]
		if now != nil && before[name] != nil && (!cfn.Same(now.Get("KeySchema"), before[name].Get("KeySchema")) || !cfn.Same(now.Get("Projection"), before[name].Get("Projection"))) {
			return fmt.Errorf("Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights Specification. You can create a new GSI with a different name.")
		}
		if now == nil {
			if err := h.updateIndex(ctx, r, types.GlobalSecondaryIndexUpdate{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: i.IndexName}}); err != nil {
				return err
			}
		}
	}
	for _, n := range r.Properties.Get("GlobalSecondaryIndexes").List() {
		name := n.Get("IndexName").Str()
		u := types.GlobalSecondaryIndexUpdate{}
		switch {
		case !have[name]:
			u.Create = &types.CreateGlobalSecondaryIndexAction{}
			if err := fill(u.Create, n, nil); err != nil {
				return err
			}
		case before[name] != nil && n.Has("ProvisionedThroughput") && !cfn.Same(n.Get("ProvisionedThroughput"), before[name].Get("ProvisionedThroughput")):
			u.Update = &types.UpdateGlobalSecondaryIndexAction{}
			if err := fill(u.Update, n, nil); err != nil {
				return err
			}
		default:
			continue
		}
		if err := h.updateIndex(ctx, r, u); err != nil {
			return err
		}
	}
	return nil
}

func (h tableHandlers) updateIndex(ctx context.Context, r *Request, u types.GlobalSecondaryIndexUpdate) error {
	in := &dynamodb.UpdateTableInput{TableName: aws.String(r.Physical), GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{u}}
	if u.Create != nil {
		if err := fill(in, cfn.Obj(cfn.P("AttributeDefinitions", r.Properties.Get("AttributeDefinitions"))), nil); err != nil {
			return err
		}
	}
	if _, err := h.UpdateTable(ctx, in); err != nil {
		return err
	}
	_, err := h.active(ctx, r)
	return err
}

func (h tableHandlers) retag(ctx context.Context, r *Request, arn *string) error {
	now := r.Tags()
	var gone []string
	for _, k := range tagKeys(r.Before) {
		if _, still := now[k]; !still {
			gone = append(gone, k)
		}
	}
	if len(gone) > 0 {
		if _, err := h.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: gone}); err != nil {
			return err
		}
	}
	in := &dynamodb.TagResourceInput{ResourceArn: arn}
	for k, v := range now {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	_, err := h.TagResource(ctx, in)
	return err
}

func (h tableHandlers) delete(ctx context.Context, r *Request) error {
	if _, err := h.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(r.Physical)}); err != nil && !(r.Retry && exists(err)) {
		return err
	}
	return r.Await(ctx, func() (bool, error) {
		_, err := h.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(r.Physical)})
		if missing(err) {
			return true, nil
		}
		return false, err
	})
}
