package kill

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const bucket, table, versioned, namespace = "images", "orders", "versioned", "Shop"

// writers write whenever the cloud is there, and note what it has acknowledged.
type writers struct {
	db      *dynamodb.Client
	objects *s3.Client
	metrics *cloudwatch.Client
	lambda  *lambda.Client
	pause   sync.RWMutex // held for writing while what there is, is compared
	running sync.WaitGroup
	stop    context.CancelFunc

	mu       sync.Mutex
	items    map[string]int      // each key's newest acknowledged value
	sums     map[string][32]byte // of objects
	versions map[string]string   // to their descriptions
	counted  map[string]float64  // by metric: how much was acknowledged
	tried    map[string]float64  // and how much may have been taken
}

func newWriters(cfg aws.Config) *writers {
	return &writers{db: dynamodb.NewFromConfig(cfg), objects: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		metrics: cloudwatch.NewFromConfig(cfg), lambda: lambda.NewFromConfig(cfg),
		items: map[string]int{}, sums: map[string][32]byte{}, versions: map[string]string{}, counted: map[string]float64{}, tried: map[string]float64{}}
}

// start makes what is written to, and lets each writer run.
func (w *writers) start(ctx context.Context) error {
	_, err := w.db.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: aws.String(table), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddbtypes.KeyTypeHash}}})
	if err == nil {
		_, err = w.objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	}
	if err != nil {
		return err
	}
	ctx, w.stop = context.WithCancel(ctx)
	w.write(ctx, 20*time.Millisecond, w.item)
	w.write(ctx, 30*time.Millisecond, w.object)
	w.write(ctx, 20*time.Millisecond, w.metric)
	w.write(ctx, 150*time.Millisecond, w.version)
	return nil
}

// write calls f again and again, and more rarely while it fails: the cloud is away.
func (w *writers) write(ctx context.Context, every time.Duration, f func(ctx context.Context, n int) error) {
	w.running.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			w.pause.RLock()
			err := f(ctx, n)
			w.pause.RUnlock()
			if err != nil {
				time.Sleep(50 * time.Millisecond)
			}
			time.Sleep(every)
		}
	})
}

func (w *writers) close() {
	w.stop()
	w.running.Wait()
}

func (w *writers) note(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// item gives one of some keys a greater value.
func (w *writers) item(ctx context.Context, n int) error {
	key := fmt.Sprint("k", n%50)
	_, err := w.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: map[string]ddbtypes.AttributeValue{
		"id": &ddbtypes.AttributeValueMemberS{Value: key}, "n": &ddbtypes.AttributeValueMemberN{Value: fmt.Sprint(n)}}})
	if err == nil {
		w.note(func() { w.items[key] = n })
	}
	return err
}

func (w *writers) object(ctx context.Context, n int) error {
	key := fmt.Sprint("o", n)
	body := make([]byte, 1+rand.IntN(32<<10))
	for i := range body {
		body[i] = byte(rand.Uint32())
	}
	_, err := w.objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader(body)})
	if err == nil {
		w.note(func() { w.sums[key] = sha256.Sum256(body) })
	}
	return err
}

func (w *writers) metric(ctx context.Context, n int) error {
	name := fmt.Sprint("m", n%5)
	w.note(func() { w.tried[name]++ })
	_, err := w.metrics.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String(namespace), MetricData: []cwtypes.MetricDatum{{MetricName: &name, Value: aws.Float64(1)}}})
	if err == nil {
		w.note(func() { w.counted[name]++ })
	}
	return err
}

func (w *writers) version(ctx context.Context, n int) error {
	description := fmt.Sprint("v", n)
	fn := &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String(versioned), Description: &description}
	if _, err := w.lambda.UpdateFunctionConfiguration(ctx, fn); err != nil {
		return err
	}
	out, err := w.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: fn.FunctionName})
	if err == nil {
		w.note(func() { w.versions[*out.Version] = description })
	}
	return err
}

// compare holds what is there against what was acknowledged; whole reads objects' bytes too.
func (w *writers) compare(ctx context.Context, whole bool) error {
	w.pause.Lock()
	defer w.pause.Unlock()
	return errors.Join(w.compareItems(ctx), w.compareObjects(ctx, whole), w.compareMetrics(ctx), w.compareVersions(ctx))
}

func (w *writers) compareItems(ctx context.Context) error {
	out, err := w.db.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(table), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return err
	}
	have := map[string]int{}
	for _, item := range out.Items {
		n := 0
		fmt.Sscan(item["n"].(*ddbtypes.AttributeValueMemberN).Value, &n)
		have[item["id"].(*ddbtypes.AttributeValueMemberS).Value] = n
	}
	var errs []error
	for key, n := range w.items {
		if got, ok := have[key]; !ok || got < n {
			errs = append(errs, fmt.Errorf("item %s is %d (%t), %d was acknowledged", key, got, ok, n))
		}
	}
	return errors.Join(errs...)
}

func (w *writers) compareObjects(ctx context.Context, whole bool) error {
	have := map[string]bool{}
	pages := s3.NewListObjectsV2Paginator(w.objects, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			have[*o.Key] = true
		}
	}
	var errs []error
	for key, sum := range w.sums {
		if !have[key] {
			errs = append(errs, fmt.Errorf("object %s was acknowledged, and is lost", key))
		} else if whole {
			errs = append(errs, w.compareBytes(ctx, key, sum))
		}
	}
	return errors.Join(errs...)
}

func (w *writers) compareBytes(ctx context.Context, key string, sum [32]byte) error {
	out, err := w.objects.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
	if err != nil {
		return fmt.Errorf("object %s: %w", key, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err == nil && sha256.Sum256(body) != sum {
		err = errors.New("its bytes are others")
	}
	if err != nil {
		return fmt.Errorf("object %s: %w", key, err)
	}
	return nil
}

// compareMetrics sums what was counted over all days that the cloud's clock, which runs fast, may have seen.
func (w *writers) compareMetrics(ctx context.Context) error {
	var errs []error
	for name, counted := range w.counted {
		out, err := w.metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{Namespace: aws.String(namespace), MetricName: &name,
			StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().AddDate(0, 0, 10)), Period: aws.Int32(3600), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum}})
		if err != nil {
			return err
		}
		sum := 0.0
		for _, p := range out.Datapoints {
			sum += *p.Sum
		}
		if sum < counted || sum > w.tried[name] {
			errs = append(errs, fmt.Errorf("metric %s sums up to %v; %v was acknowledged, %v tried", name, sum, counted, w.tried[name]))
		}
	}
	return errors.Join(errs...)
}

func (w *writers) compareVersions(ctx context.Context) error {
	have := map[string]string{}
	pages := lambda.NewListVersionsByFunctionPaginator(w.lambda, &lambda.ListVersionsByFunctionInput{FunctionName: aws.String(versioned)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, v := range page.Versions {
			have[*v.Version] = aws.ToString(v.Description)
		}
	}
	var errs []error
	for number, description := range w.versions {
		if have[number] != description {
			errs = append(errs, fmt.Errorf("version %s is %q, and was acknowledged as %q", number, have[number], description))
		}
	}
	return errors.Join(errs...)
}
