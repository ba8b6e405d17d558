package s3

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// PutBucketWebsite implements the S3 operation. The configuration is recorded; evo serves no website endpoints.
func (s *Service) PutBucketWebsite(ctx context.Context, in *s3.PutBucketWebsiteInput) (*s3.PutBucketWebsiteOutput, error) {
	return edit[s3.PutBucketWebsiteOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		if err := checkWebsite(in.WebsiteConfiguration); err != nil {
			return err
		}
		b.Website = in.WebsiteConfiguration
		return nil
	})
}

func checkWebsite(w *types.WebsiteConfiguration) error {
	if w == nil {
		return malformedXML()
	}
	if r := w.RedirectAllRequestsTo; r != nil {
		if w.IndexDocument != nil || w.ErrorDocument != nil || w.RoutingRules != nil {
			return invalidArgument("RedirectAllRequestsTo", "not null", "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.")
		}
		if r.HostName == nil {
			return malformedXML()
		}
		return checkProtocol(r.Protocol)
	}
	if w.IndexDocument == nil {
		return invalidArgument("IndexDocument", "null", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty")
	}
	if suffix := aws.ToString(w.IndexDocument.Suffix); suffix == "" || strings.Contains(suffix, "/") {
		if suffix == "" {
			suffix = "null"
		}
		return invalidArgument("IndexDocument", suffix, "The IndexDocument Suffix is not well formed")
	}
	if w.ErrorDocument != nil && aws.ToString(w.ErrorDocument.Key) == "" {
		return malformedXML()
	}
	for _, r := range w.RoutingRules {
		if err := checkRoutingRule(r); err != nil {
			return err
		}
	}
	return nil
}

func checkRoutingRule(r types.RoutingRule) error {
	switch {
	case r.Redirect == nil:
		return malformedXML()
	case r.Condition != nil && r.Condition.HttpErrorCodeReturnedEquals == nil && r.Condition.KeyPrefixEquals == nil:
		return invalidRequest("Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.")
	case r.Redirect.ReplaceKeyPrefixWith != nil && r.Redirect.ReplaceKeyWith != nil:
		return invalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
	}
	return checkProtocol(r.Redirect.Protocol)
}

func checkProtocol(p types.Protocol) error {
	if p == "" || slices.Contains(p.Values(), p) {
		return nil
	}
	return invalidRequest("Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.")
}

// GetBucketWebsite implements the S3 operation.
func (s *Service) GetBucketWebsite(_ context.Context, in *s3.GetBucketWebsiteInput) (*s3.GetBucketWebsiteOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	w := b.Website
	if w == nil {
		return nil, failure(404, "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", "BucketName", b.Name)
	}
	return &s3.GetBucketWebsiteOutput{
		ErrorDocument: w.ErrorDocument, IndexDocument: w.IndexDocument, RedirectAllRequestsTo: w.RedirectAllRequestsTo, RoutingRules: w.RoutingRules,
	}, nil
}

// DeleteBucketWebsite implements the S3 operation.
func (s *Service) DeleteBucketWebsite(ctx context.Context, in *s3.DeleteBucketWebsiteInput) (*s3.DeleteBucketWebsiteOutput, error) {
	return edit[s3.DeleteBucketWebsiteOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		b.Website = nil
		return nil
	})
}
