package cloud

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	cstypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// What does it cost who makes many resources that AWS Config records them? One run makes 3000 buckets in a row; afterwards AWS
// Config knows them all.
func BenchmarkManyBuckets(b *testing.B) {
	for _, recording := range []bool{false, true} {
		b.Run(fmt.Sprintf("recording=%t", recording), func(b *testing.B) {
			const buckets = 3000
			for b.Loop() {
				b.StopTimer()
				server := &Server{Addr: "-", StateDir: b.TempDir(), CacheDir: b.TempDir(), runner: &functions{}, random: seeded(1)}
				if err := server.Start(b.Context()); err != nil {
					b.Fatal(err)
				}
				cfg := server.Config("us-east-1")
				config, objects := configservice.NewFromConfig(cfg), s3.NewFromConfig(cfg)
				if !recording {
					_, err := config.StopConfigurationRecorder(b.Context(), &configservice.StopConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")})
					if err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				for i := range buckets {
					if _, err := objects.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: aws.String(fmt.Sprint("bucket-", i))}); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				out, err := config.ListDiscoveredResources(b.Context(), &configservice.ListDiscoveredResourcesInput{ResourceType: cstypes.ResourceTypeBucket, Limit: 1})
				if err != nil || recording != (len(out.ResourceIdentifiers) == 1) {
					b.Fatalf("%d resources, error %v", len(out.ResourceIdentifiers), err)
				}
				if err := server.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*buckets), "µs/bucket")
		})
	}
}
