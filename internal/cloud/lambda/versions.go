package lambda

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
)

// PublishVersion makes an immutable copy of $LATEST, unless the last copy is still the same.
func (s *Service) PublishVersion(ctx context.Context, in *lambda.PublishVersionInput) (*lambda.PublishVersionOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	var made version
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		v, err := s.resolve(tx, n)
		if err != nil {
			return err
		}
		if err := checkRevision(in.RevisionId, v.Revision, "GetFunction/GetAlias"); err != nil {
			return err
		}
		if have := sha256Base64(v.CodeHash); aws.ToString(in.CodeSha256) != "" && *in.CodeSha256 != have {
			return invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", *in.CodeSha256, have)
		}
		made = s.publish(tx, v, in.Description)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer[lambda.PublishVersionOutput](s.describe(made, made.Number)), nil
}

// publish copies v, which is $LATEST, or returns the copy that was made of the same.
func (s *Service) publish(tx *store.Tx, v version, description *string) version {
	f, _ := s.tables.functions.Get(tx, v.Function)
	print := v.fingerprint()
	if last, ok := s.tables.versions.Get(tx, versionKey(v.Function, strconv.Itoa(f.LastVersion))); ok && f.LastVersion > 0 && last.Of == print {
		return last
	}
	f.LastVersion++
	s.tables.functions.Put(tx, f.Name, f)
	v.Number, v.Of, v.Revision, v.Modified = strconv.Itoa(f.LastVersion), print, id.UUID(), s.cfg.Clock.Now()
	if aws.ToString(description) != "" {
		v.Description = *description
	}
	s.tables.versions.Put(tx, versionKey(v.Function, v.Number), v)
	return v
}

// ListVersionsByFunction lists $LATEST and the published versions, the oldest first.
func (s *Service) ListVersionsByFunction(_ context.Context, in *lambda.ListVersionsByFunctionInput) (*lambda.ListVersionsByFunctionOutput, error) {
	n, err := s.parse(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListVersionsByFunctionOutput{Versions: []types.FunctionConfiguration{}}
	out.NextMarker, err = list(s, n.function, s.tables.versions, in.Marker, in.MaxItems, nil, func(_ string, v version) {
		out.Versions = append(out.Versions, listed(s.describe(v, v.Number)))
	})
	return out, err
}

func (s *Service) exists(tx *store.Tx, fn string) error {
	if _, ok := s.tables.functions.Get(tx, fn); !ok {
		return s.functionNotFound(name{function: fn})
	}
	return nil
}
