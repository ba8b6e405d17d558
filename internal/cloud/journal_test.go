package cloud

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cloud/sandbox"
)

// The cloud's state is one log; what a service has not written there, the next process does not know. So a log that is cut
// after its n-th record is what kill -9 leaves between that write and the next, and one run, recorded, holds the outcome of a
// kill at every write of CloudFormation's, CodeDeploy's and Lambda's journals.

// release is an update of the shop, and how it should end.
type release struct {
	name    string
	prepare func(w *world)
	stack   types.StackStatus
	first   cdtypes.DeploymentStatus
	count   int // of deployments, the rollback among them
	alias   string
}

var releases = []release{
	{"succeeds", func(*world) {}, types.StackStatusUpdateComplete, cdtypes.DeploymentStatusSucceeded, 1, "2"},
	{"hook says no", func(w *world) {
		w.handle("CodeDeployHook_post", w.answer(cdtypes.LifecycleEventStatusFailed, time.Second))
	}, types.StackStatusUpdateRollbackComplete, cdtypes.DeploymentStatusFailed, 2, "1"},
	{"alarm", func(w *world) {
		w.handle("search", func(_ context.Context, fn *sandbox.Function, _ []byte) (any, error) {
			if fn.Env["RELEASE"] == "2" {
				return nil, errors.New("no results")
			}
			return "found", nil
		})
	}, types.StackStatusUpdateRollbackComplete, cdtypes.DeploymentStatusStopped, 2, "1"},
}

// recording is what a run has left: its state directory, and when the log had grown how far.
type recording struct {
	dir   string
	sizes []mark // of the log, over time
	asked int64  // the log's size when the update was asked for
	begun int64  // and when it had been accepted
	acks  []ack
}

type mark struct {
	at   time.Time
	size int64
}

// ack is something that a writer was told is done, and the log's size at that moment.
type ack struct {
	kind, name string
	size       int64
}

// TestKilledAtEveryWrite cuts the log of a run after each record of the journals in turn, starts a cloud over it, and wants
// the same end as if nothing had happened.
func TestKilledAtEveryWrite(t *testing.T) {
	for _, rel := range releases {
		t.Run(rel.name, func(t *testing.T) {
			rec := record(t, rel)
			cuts := rec.cuts(t)
			if len(cuts) < 30 {
				t.Fatalf("only %d writes were seen", len(cuts))
			}
			if os.Getenv("EVO_EVERY_WRITE") == "" {
				some := slices.DeleteFunc(slices.Clone(cuts), func(c int64) bool { return slices.Index(cuts, c)%sparse != 0 })
				t.Logf("%d of %d writes; EVO_EVERY_WRITE=1 takes all", len(some), len(cuts))
				cuts = some
			}
			next := make(chan int64)
			var workers sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				workers.Go(func() {
					for cut := range next {
						t.Run(fmt.Sprint(cut), func(t *testing.T) { rec.killTwice(t, rel, cut) })
					}
				})
			}
			for _, cut := range cuts {
				next <- cut
			}
			close(next)
			workers.Wait()
		})
	}
}

// sparse says which of the writes a plain `go test` takes: every so many-th. test/kill.sh takes all.
const sparse = 15

// memoryDir makes a folder in memory where the system has one: the disk's time is not what is tested.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "evo-test-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func logSize(dir string) int64 {
	info, err := os.Stat(filepath.Join(dir, "state.log"))
	if err != nil {
		return 0
	}
	return info.Size()
}

// record runs a release to its end, with writers beside it.
func record(t *testing.T, rel release) *recording {
	rec := &recording{dir: memoryDir(t)}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, rec.dir)
		w.start()
		defer w.close()
		w.hooks(rel)
		w.deploy(shop(1, "Linear10PercentEvery1Minute"), types.StackStatusCreateComplete)
		w.makeStores()
		ctx, cancel := context.WithCancel(w.ctx)
		var beside sync.WaitGroup
		defer beside.Wait()
		defer cancel()
		defer rec.watch(w)()
		beside.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				rec.write(w, fmt.Sprintf("n%03d", n))
				time.Sleep(13 * time.Second)
			}
		})
		_, stop := w.customers()
		defer stop()
		rec.asked = logSize(rec.dir)
		w.begin(shop(2, "Linear10PercentEvery1Minute"))
		rec.begun = logSize(rec.dir)
		w.want(rel.stack, time.Hour)
		rel.check(w)
	})
	return rec
}

func (w *world) hooks(rel release) {
	w.handle("CodeDeployHook_pre", w.answer(cdtypes.LifecycleEventStatusSucceeded, 2*time.Second))
	w.handle("CodeDeployHook_post", w.answer(cdtypes.LifecycleEventStatusSucceeded, time.Second))
	rel.prepare(w)
}

// check holds the end of a release against what it should be.
func (rel release) check(w *world) {
	w.Helper()
	list := w.deployments("search")
	if len(list) != rel.count || list[len(list)-1].Status != rel.first || list[0].Status != cdtypes.DeploymentStatusSucceeded && rel.count > 1 {
		for _, d := range list {
			w.Errorf("deployment %s %s %+v", *d.DeploymentId, d.Status, d.ErrorInformation)
		}
	}
	if got := w.routing("search"); got != rel.alias {
		w.Errorf("search leads to %s, want %s", got, rel.alias)
	}
	if got := w.routing("checkout"); got != rel.alias {
		w.Errorf("checkout leads to %s, want %s", got, rel.alias)
	}
	out, err := w.lambda.ListVersionsByFunction(w.ctx, &lambda.ListVersionsByFunctionInput{FunctionName: aws.String("search")})
	if err != nil || len(out.Versions) != 3 {
		w.Errorf("%d versions of search, $LATEST among them, %v", len(out.Versions), err)
	}
}

// makeStores makes what the writers write to.
func (w *world) makeStores() {
	w.Helper()
	cfg := w.server.Config("us-east-1")
	db, objects := dynamodb.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	_, err := db.CreateTable(w.ctx, &dynamodb.CreateTableInput{TableName: aws.String("orders"), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddbtypes.KeyTypeHash}}})
	if err == nil {
		_, err = objects.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: aws.String("images")})
	}
	if err != nil {
		w.Fatal(err)
	}
}

// write puts an item, an object, a metric and a version, and notes what was acknowledged when.
func (rec *recording) write(w *world, name string) {
	cfg := w.server.Config("us-east-1")
	note := func(kind, name string, err error) {
		if err != nil {
			w.Errorf("%s %s: %v", kind, name, err)
			return
		}
		rec.acks = append(rec.acks, ack{kind, name, logSize(rec.dir)})
	}
	_, err := dynamodb.NewFromConfig(cfg).PutItem(w.ctx, &dynamodb.PutItemInput{TableName: aws.String("orders"),
		Item: map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: name}}})
	note("item", name, err)
	_, err = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("images"), Key: &name, Body: strings.NewReader(name)})
	note("object", name, err)
	_, err = w.metrics.PutMetricData(w.ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []cwtypes.MetricDatum{{MetricName: &name, Value: aws.Float64(1)}}})
	note("metric", name, err)
	fn := &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("CodeDeployHook_pre"), Environment: &lambdatypes.Environment{Variables: map[string]string{"NAME": name}}}
	if _, err := w.lambda.UpdateFunctionConfiguration(w.ctx, fn); err != nil {
		w.Errorf("update: %v", err)
	}
	v, err := w.lambda.PublishVersion(w.ctx, &lambda.PublishVersionInput{FunctionName: fn.FunctionName})
	if err == nil {
		name = *v.Version
	}
	note("version", name, err)
}

// journals are the tables' names whose writes are steps of a rollout.
var journals = []string{"us-east-1/cloudformation/", "us-east-1/codedeploy/", "us-east-1/lambda/"}

// cuts returns where the journals' records end that were written from the update's call on.
func (rec *recording) cuts(t *testing.T) (cuts []int64) {
	data, err := os.ReadFile(filepath.Join(rec.dir, "state.log"))
	if err != nil {
		t.Fatal(err)
	}
	const head = 12 // bytes before a record's payload; the first four are its length
	for at := bytes.IndexByte(data, '\n') + 1; at+head <= len(data); {
		end := at + head + int(binary.LittleEndian.Uint32(data[at:]))
		payload := data[at+head : end]
		if at = end; int64(end) >= rec.asked && slices.ContainsFunc(journals, func(j string) bool { return bytes.Contains(payload, []byte(j)) }) {
			cuts = append(cuts, int64(end))
		}
	}
	return cuts
}

// killTwice kills the cloud at the cut, and, where time is not short, kills once more the one that takes the release up.
func (rec *recording) killTwice(t *testing.T, rel release, cut int64) {
	second := rec.resume(t, rel, cut)
	if cuts := second.cuts(t); len(cuts) > 0 && (cut%3 == 0 || os.Getenv("EVO_EVERY_WRITE") == "") {
		again := cuts[int(cut)%len(cuts)]
		t.Logf("killed again at %d", again)
		second.resume(t, rel, again)
	}
}

// resume starts a cloud over the state as a kill at the cut has left it, some seconds later, and follows the release to its
// end. That run is recorded too.
func (rec *recording) resume(t *testing.T, rel release, cut int64) *recording {
	again := &recording{dir: memoryDir(t), asked: cut + 1, begun: cut,
		acks: slices.DeleteFunc(slices.Clone(rec.acks), func(a ack) bool { return a.size > cut })}
	if err := os.CopyFS(again.dir, os.DirFS(rec.dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(again.dir, "state.log"), cut); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(rec.at(cut)) + time.Duration(cut%20)*time.Second)
		w := newWorld(t, again.dir)
		w.hooks(rel)
		w.start()
		defer w.close()
		rec.wantAcknowledged(w, cut)
		if cut < rec.begun && w.status() == types.StackStatusCreateComplete { // never accepted
			if list := w.deployments("search"); w.routing("search") != "1" || len(list) > 0 {
				w.Errorf("search leads to %s by %d deployments", w.routing("search"), len(list))
			}
			again.asked = math.MaxInt64
			return
		}
		defer again.watch(w)()
		_, stop := w.customers()
		defer stop()
		w.want(rel.stack, time.Hour)
		rel.check(w)
	})
	return again
}

// at returns when the log had grown so far.
func (rec *recording) at(size int64) time.Time {
	n := slices.IndexFunc(rec.sizes, func(m mark) bool { return m.size >= size })
	if n < 0 {
		n = len(rec.sizes) - 1
	}
	return rec.sizes[n].at
}

// watch notes how the log grows, until the function that it returns is called.
func (rec *recording) watch(w *world) (stop func()) {
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; time.Sleep(500 * time.Millisecond) {
			rec.sizes = append(rec.sizes, mark{time.Now(), logSize(rec.dir)})
		}
	}()
	return func() { cancel(); <-done }
}

// wantAcknowledged looks for all that had been acknowledged when the log was as long as it is cut now.
func (rec *recording) wantAcknowledged(w *world, cut int64) {
	w.Helper()
	have, err := w.written()
	if err != nil {
		w.Fatal(err)
	}
	for _, a := range rec.acks {
		if a.size <= cut && !have[a.kind+" "+a.name] {
			w.Errorf("%s %s was acknowledged, and is lost; there are %v", a.kind, a.name, slices.Sorted(maps.Keys(have)))
		}
	}
}

// written lists what the writers have written.
func (w *world) written() (have map[string]bool, err error) {
	have = map[string]bool{}
	cfg := w.server.Config("us-east-1")
	items, err := dynamodb.NewFromConfig(cfg).Scan(w.ctx, &dynamodb.ScanInput{TableName: aws.String("orders")})
	if err != nil {
		return nil, err
	}
	for _, i := range items.Items {
		have["item "+i["id"].(*ddbtypes.AttributeValueMemberS).Value] = true
	}
	objects := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	list, err := objects.ListObjectsV2(w.ctx, &s3.ListObjectsV2Input{Bucket: aws.String("images")})
	if err != nil {
		return nil, err
	}
	for _, o := range list.Contents {
		have["object "+*o.Key] = *o.Size == int64(len(*o.Key))
	}
	metrics, err := w.metrics.ListMetrics(w.ctx, &cloudwatch.ListMetricsInput{Namespace: aws.String("Shop")})
	if err != nil {
		return nil, err
	}
	for _, m := range metrics.Metrics {
		have["metric "+*m.MetricName] = true
	}
	versions := lambda.NewListVersionsByFunctionPaginator(w.lambda, &lambda.ListVersionsByFunctionInput{FunctionName: aws.String("CodeDeployHook_pre")})
	for versions.HasMorePages() {
		page, err := versions.NextPage(w.ctx)
		if err != nil {
			return nil, err
		}
		for _, v := range page.Versions {
			have["version "+*v.Version] = true
		}
	}
	return have, nil
}
