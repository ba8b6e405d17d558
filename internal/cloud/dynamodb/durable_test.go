package dynamodb_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/clock"
	service "evo/internal/cloud/dynamodb"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

// contents is all that can be read of a table: itself and its indexes, and its description.
func contents(t *testing.T, svc *service.Service, name string, indexes ...string) string {
	t.Helper()
	d, err := svc.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%s %v %d items %d bytes\n", *d.Table.TableId, *d.Table.CreationDateTime, *d.Table.ItemCount, *d.Table.TableSizeBytes)
	for _, g := range d.Table.GlobalSecondaryIndexes {
		all += fmt.Sprintf("%s %d items %d bytes\n", *g.IndexName, *g.ItemCount, *g.IndexSizeBytes)
	}
	for _, index := range append([]string{""}, indexes...) {
		in := &dynamodb.ScanInput{TableName: &name}
		if index != "" {
			in.IndexName = &index
		}
		out, err := svc.Scan(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		all += fmt.Sprintln(index, shown(out.Items))
	}
	return all
}

// copyFiles makes the image of a state directory that a crash at this moment would leave.
func copyFiles(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(to, "lock"))
	return to
}

func TestWhatWasAcknowledgedSurvivesACrash(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	db := must[*store.DB](t)(store.Open(dir, store.Options{}))
	defer db.Close()
	svc := newService(t, db, clock.Real{})
	_, err := svc.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: ptr("tab"), AttributeDefinitions: attributes("pk:S g:S"), KeySchema: schema("pk", ""), BillingMode: types.BillingModePayPerRequest,
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: ptr("by-g"), KeySchema: schema("g", ""), Projection: keysOnly()}}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		switch it := (item{"pk": s(fmt.Sprint(i % 15)), "g": s(fmt.Sprint(i % 4)), "n": n(i)}); i % 5 {
		case 3:
			_, err = svc.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: ptr("tab"), Key: item{"pk": s(fmt.Sprint(i / 3))}})
		case 4:
			_, err = svc.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{transactPut(it, nil), transactPut(item{"pk": s("t")}, nil)}})
		default:
			_, err = svc.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("tab"), Item: it})
		}
		if err != nil {
			t.Fatal(err)
		}
		if i%8 != 0 {
			continue
		}
		after := must[*store.DB](t)(store.Open(copyFiles(t, dir), store.Options{}))
		if got, want := contents(t, newService(t, after, clock.Real{}), "tab", "by-g"), contents(t, svc, "tab", "by-g"); got != want {
			t.Errorf("after a crash at %d:\n%swant\n%s", i, got, want)
		}
		if err := after.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestExpiredItemsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		svc := newService(t, store.Memory(), clock.Real{})
		c := dynamodb.NewFromConfig(wiretest.Config(t, wiretest.Serve{"dynamodb": svc}))
		if err := svc.Start(ctx); err != nil {
			t.Fatal(err)
		}
		create(t, c, &dynamodb.CreateTableInput{TableName: ptr("tab"), AttributeDefinitions: attributes("pk:S g:S"), KeySchema: schema("pk", ""),
			GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: ptr("by-g"), KeySchema: schema("g", ""), Projection: all()}}})
		in := func(d time.Duration) value { return n(time.Now().Add(d).Unix()) }
		put(t, c, "tab", item{"pk": s("soon"), "g": s("x"), "until": in(10 * time.Minute)})
		put(t, c, "tab", item{"pk": s("later"), "g": s("x"), "until": in(time.Hour)})
		put(t, c, "tab", item{"pk": s("text"), "until": s("0")})
		put(t, c, "tab", item{"pk": s("ancient"), "until": n(1)})
		put(t, c, "tab", item{"pk": s("never")})
		ttl := func(on bool) error {
			_, err := c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: ptr("tab"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: ptr("until"), Enabled: &on}})
			return err
		}
		if err := ttl(true); err != nil {
			t.Fatal(err)
		}
		if got := told(ttl(true)); got != "ValidationException: TimeToLive is already enabled" {
			t.Error(got)
		}
		if d := must[*dynamodb.DescribeTimeToLiveOutput](t)(c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: ptr("tab")})).TimeToLiveDescription; d.TimeToLiveStatus != "ENABLED" || *d.AttributeName != "until" {
			t.Errorf("%+v", d)
		}
		for _, step := range []struct {
			wait  time.Duration
			items int
		}{{9 * time.Minute, 5}, {3 * time.Minute, 4}, {time.Hour, 3}} {
			time.Sleep(step.wait)
			synctest.Wait()
			out := must[*dynamodb.ScanOutput](t)(c.Scan(ctx, &dynamodb.ScanInput{TableName: ptr("tab")}))
			index := must[*dynamodb.ScanOutput](t)(c.Scan(ctx, &dynamodb.ScanInput{TableName: ptr("tab"), IndexName: ptr("by-g")}))
			if int(out.Count) != step.items || int(index.Count) != step.items-3 {
				t.Errorf("after %v: %v, %v", step.wait, shown(out.Items), shown(index.Items))
			}
		}
		if err := ttl(false); err != nil {
			t.Error(err)
		}
		if err := svc.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestUpdateTable(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	db := must[*store.DB](t)(store.Open(dir, store.Options{}))
	svc := newService(t, db, clock.Real{})
	c := dynamodb.NewFromConfig(wiretest.Config(t, wiretest.Serve{"dynamodb": svc}))
	simple(t, c, "tab")
	for i := range 20 {
		put(t, c, "tab", item{"pk": s(fmt.Sprint(i)), "g": s(fmt.Sprint(i % 3))})
	}
	put(t, c, "tab", item{"pk": s("wrong"), "g": n(1)})
	update := func(in dynamodb.UpdateTableInput) (*types.TableDescription, error) {
		in.TableName = ptr("tab")
		out, err := c.UpdateTable(ctx, &in)
		if err != nil {
			return nil, err
		}
		return out.TableDescription, nil
	}
	d := must[*types.TableDescription](t)(update(dynamodb.UpdateTableInput{AttributeDefinitions: attributes("g:S"), GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{
		{Create: &types.CreateGlobalSecondaryIndexAction{IndexName: ptr("by-g"), KeySchema: schema("g", ""), Projection: all()}}}}))
	if d.TableStatus != "UPDATING" || d.GlobalSecondaryIndexes[0].IndexStatus != "CREATING" {
		t.Errorf("%+v", d)
	}
	q := must[*dynamodb.QueryOutput](t)(c.Query(ctx, &dynamodb.QueryInput{TableName: ptr("tab"), IndexName: ptr("by-g"), KeyConditionExpression: ptr("g = :g"), ExpressionAttributeValues: item{":g": s("1")}}))
	if q.Count != 7 {
		t.Errorf("a new index has %d items", q.Count)
	}
	put(t, c, "tab", item{"pk": s("more"), "g": s("1")})
	before := contents(t, svc, "tab", "by-g")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = must[*store.DB](t)(store.Open(dir, store.Options{}))
	defer db.Close()
	svc = newService(t, db, clock.Real{})
	c = dynamodb.NewFromConfig(wiretest.Config(t, wiretest.Serve{"dynamodb": svc}))
	if got := contents(t, svc, "tab", "by-g"); got != before {
		t.Errorf("after a restart:\n%swant\n%s", got, before)
	}
	d = must[*types.TableDescription](t)(update(dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: ptr("by-g")}}}}))
	if d.GlobalSecondaryIndexes[0].IndexStatus != "DELETING" {
		t.Errorf("%+v", d)
	}
	_, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: ptr("tab"), IndexName: ptr("by-g")})
	if told(err) != "ValidationException: The table does not have the specified index: by-g" {
		t.Error(told(err))
	}
	put(t, c, "tab", item{"pk": s("x"), "g": n(1)}) // no index minds any more
	protect := must[*types.TableDescription](t)(update(dynamodb.UpdateTableInput{DeletionProtectionEnabled: ptr(true), BillingMode: "PROVISIONED",
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: ptr(int64(1)), WriteCapacityUnits: ptr(int64(2))},
		SSESpecification:      &types.SSESpecification{Enabled: ptr(true)}, StreamSpecification: &types.StreamSpecification{StreamEnabled: ptr(true), StreamViewType: "NEW_IMAGE"}}))
	if !*protect.DeletionProtectionEnabled || protect.BillingModeSummary.BillingMode != "PROVISIONED" || protect.SSEDescription.Status != "ENABLED" || protect.LatestStreamArn == nil {
		t.Errorf("%+v", protect)
	}
	if _, err = c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: ptr("tab")}); told(err) != "ValidationException: Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first." {
		t.Error(told(err))
	}
}

func TestSettings(t *testing.T) {
	ctx, c := t.Context(), newClient(t)
	arn := create(t, c, &dynamodb.CreateTableInput{TableName: ptr("tab"), AttributeDefinitions: attributes("pk:S"), KeySchema: schema("pk", ""), Tags: []types.Tag{{Key: ptr("a"), Value: ptr("1")}}}).TableArn
	must[*dynamodb.TagResourceOutput](t)(c.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: ptr("b"), Value: ptr("2")}}}))
	must[*dynamodb.UntagResourceOutput](t)(c.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}}))
	tags := must[*dynamodb.ListTagsOfResourceOutput](t)(c.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})).Tags
	if len(tags) != 1 || *tags[0].Key != "b" || *tags[0].Value != "2" {
		t.Errorf("%+v", tags)
	}
	status := func(d *types.ContinuousBackupsDescription) string {
		return fmt.Sprintf("%s %s", d.ContinuousBackupsStatus, d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus)
	}
	if got := status(must[*dynamodb.DescribeContinuousBackupsOutput](t)(c.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: ptr("tab")})).ContinuousBackupsDescription); got != "ENABLED DISABLED" {
		t.Error(got)
	}
	up := must[*dynamodb.UpdateContinuousBackupsOutput](t)(c.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: ptr("tab"), PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: ptr(true)}}))
	if got := status(up.ContinuousBackupsDescription); got != "ENABLED ENABLED" || *up.ContinuousBackupsDescription.PointInTimeRecoveryDescription.RecoveryPeriodInDays != 35 {
		t.Error(got)
	}
	_, err := c.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: ptr("nope")})
	if told(err) != "TableNotFoundException: Table not found: nope" {
		t.Error(told(err))
	}
	for i := range 5 {
		simple(t, c, fmt.Sprint("list", i))
	}
	var names []string
	p := dynamodb.NewListTablesPaginator(c, &dynamodb.ListTablesInput{Limit: ptr(int32(2))})
	for p.HasMorePages() {
		names = append(names, must[*dynamodb.ListTablesOutput](t)(p.NextPage(ctx)).TableNames...)
	}
	if fmt.Sprint(names) != "[list0 list1 list2 list3 list4 tab]" {
		t.Error(names)
	}
	_, err = c.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: ptr("SELECT * FROM tab")})
	if err == nil {
		t.Error("PartiQL is not here, but no error says so")
	}
	t.Log(told(err))
}

func TestEncryption(t *testing.T) {
	ctx, c := t.Context(), newClient(t)
	create(t, c, &dynamodb.CreateTableInput{TableName: ptr("tab"), AttributeDefinitions: attributes("pk:S"), KeySchema: schema("pk", ""), SSESpecification: &types.SSESpecification{Enabled: ptr(true)}})
	d := must[*dynamodb.DescribeTableOutput](t)(c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: ptr("tab")})).Table.SSEDescription
	if d.Status != "ENABLED" || d.SSEType != "KMS" || d.KMSMasterKeyArn == nil {
		t.Errorf("%+v", d)
	}
	off := must[*dynamodb.UpdateTableOutput](t)(c.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: ptr("tab"), SSESpecification: &types.SSESpecification{Enabled: ptr(false)}})).TableDescription
	if off.SSEDescription.Status != "UPDATING" {
		t.Errorf("%+v", off.SSEDescription)
	}
	if d := must[*dynamodb.DescribeTableOutput](t)(c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: ptr("tab")})).Table.SSEDescription; d != nil {
		t.Errorf("%+v", d)
	}
}
