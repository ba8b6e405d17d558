package s3

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// PutBucketNotificationConfiguration implements the S3 operation. Nothing is notified yet: only a configuration that names no
// destination is taken.
func (s *Service) PutBucketNotificationConfiguration(_ context.Context, in *s3.PutBucketNotificationConfigurationInput) (*s3.PutBucketNotificationConfigurationOutput, error) {
	if _, err := s.view(in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	if in.NotificationConfiguration == nil {
		return nil, malformedXML()
	}
	if err := checkNotification(in.NotificationConfiguration); err != nil {
		return nil, err
	}
	return &s3.PutBucketNotificationConfigurationOutput{}, nil
}

func checkNotification(c *types.NotificationConfiguration) error {
	var filters []*types.NotificationConfigurationFilter
	destination := ""
	for _, l := range c.LambdaFunctionConfigurations {
		filters, destination = append(filters, l.Filter), "the function "+aws.ToString(l.LambdaFunctionArn)
	}
	for _, q := range c.QueueConfigurations {
		filters, destination = append(filters, q.Filter), "the queue "+aws.ToString(q.QueueArn)
	}
	for _, t := range c.TopicConfigurations {
		filters, destination = append(filters, t.Filter), "the topic "+aws.ToString(t.TopicArn)
	}
	if c.EventBridgeConfiguration != nil {
		destination = "Amazon EventBridge"
	}
	for _, f := range filters {
		if err := checkNotificationFilter(f); err != nil {
			return err
		}
	}
	if destination != "" {
		return failure(501, "NotImplemented", "evo does not send S3 event notifications yet; the configuration names "+destination)
	}
	return nil
}

func checkNotificationFilter(f *types.NotificationConfigurationFilter) error {
	if f == nil || f.Key == nil {
		return nil
	}
	for _, r := range f.Key.FilterRules {
		if r.Name == "" || r.Value == nil {
			return malformedXML()
		}
		if !slices.Contains([]string{"prefix", "suffix", "Prefix", "Suffix"}, string(r.Name)) {
			return invalidArgument("FilterRule.Name", string(r.Name), "filter rule name must be either prefix or suffix")
		}
	}
	return nil
}

// GetBucketNotificationConfiguration implements the S3 operation.
func (s *Service) GetBucketNotificationConfiguration(_ context.Context, in *s3.GetBucketNotificationConfigurationInput) (*s3.GetBucketNotificationConfigurationOutput, error) {
	if _, err := s.view(in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	return &s3.GetBucketNotificationConfigurationOutput{}, nil
}
