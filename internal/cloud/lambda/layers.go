package lambda

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
)

// layerName is a layer's version, as an ARN names it.
type layerName struct {
	region, name string
	number       int64
}

// parseLayerARN understands arn:aws:lambda:region:account:layer:name:version.
func parseLayerARN(arn string) (layerName, error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 8 || parts[5] != "layer" {
		return layerName{}, invalid("Invalid layer version ARN: %s", arn)
	}
	number, err := strconv.ParseInt(parts[7], 10, 64)
	if err != nil {
		return layerName{}, invalid("Invalid layer version ARN: %s", arn)
	}
	return layerName{parts[3], parts[6], number}, nil
}

// layerOf takes a layer's name from the name itself or its ARN.
func layerOf(text *string) string {
	if parts := strings.Split(aws.ToString(text), ":"); len(parts) >= 7 && parts[5] == "layer" {
		return parts[6]
	}
	return aws.ToString(text)
}

func (s *Service) layerARN(layer string) string {
	return "arn:aws:lambda:" + s.cfg.Region + ":" + call.Account + ":layer:" + layer
}

func (s *Service) layerVersionARN(l layerVersion) string {
	return s.layerARN(l.Layer) + ":" + strconv.FormatInt(l.Number, 10)
}

// PublishLayerVersion makes a layer's next version. Numbers are not used again.
func (s *Service) PublishLayerVersion(ctx context.Context, in *lambda.PublishLayerVersionInput) (*lambda.PublishLayerVersionOutput, error) {
	if in.Content == nil {
		return nil, invalid("Please provide a source for layer content.")
	}
	l := layerVersion{Layer: layerOf(in.LayerName), Description: aws.ToString(in.Description), License: aws.ToString(in.LicenseInfo), Created: s.cfg.Clock.Now()}
	for _, r := range in.CompatibleRuntimes {
		l.Runtimes = append(l.Runtimes, string(r))
	}
	for _, a := range in.CompatibleArchitectures {
		l.Architectures = append(l.Architectures, string(a))
	}
	var err error
	l.Hash, l.Size, err = s.keepCode(ctx, source{in.Content.ZipFile, in.Content.S3Bucket, in.Content.S3Key, in.Content.S3ObjectVersion}, false)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		last, _ := s.tables.layerCounts.Get(tx, l.Layer)
		l.Number = last + 1
		s.tables.layerCounts.Put(tx, l.Layer, l.Number)
		s.tables.layers.Put(tx, layerKey(l.Layer, l.Number), l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	g := s.describeLayer(l)
	return &lambda.PublishLayerVersionOutput{CompatibleArchitectures: g.CompatibleArchitectures, CompatibleRuntimes: g.CompatibleRuntimes, Content: g.Content,
		CreatedDate: g.CreatedDate, Description: g.Description, LayerArn: g.LayerArn, LayerVersionArn: g.LayerVersionArn, LicenseInfo: g.LicenseInfo, Version: g.Version}, nil
}

func (s *Service) describeLayer(l layerVersion) *lambda.GetLayerVersionOutput {
	item := s.layerItem(l)
	return &lambda.GetLayerVersionOutput{
		CompatibleArchitectures: item.CompatibleArchitectures, CompatibleRuntimes: item.CompatibleRuntimes, CreatedDate: item.CreatedDate,
		Description: item.Description, LayerArn: aws.String(s.layerARN(l.Layer)), LayerVersionArn: item.LayerVersionArn, LicenseInfo: item.LicenseInfo, Version: l.Number,
		Content: &types.LayerVersionContentOutput{CodeSha256: aws.String(sha256Base64(l.Hash)), CodeSize: l.Size, Location: s.location(l.Hash).Location},
	}
}

func (s *Service) layerItem(l layerVersion) types.LayerVersionsListItem {
	item := types.LayerVersionsListItem{
		CompatibleArchitectures: []types.Architecture{}, CompatibleRuntimes: []types.Runtime{}, CreatedDate: isoTime(l.Created), Description: &l.Description,
		LayerVersionArn: aws.String(s.layerVersionARN(l)), Version: l.Number,
	}
	if l.License != "" {
		item.LicenseInfo = &l.License
	}
	for _, r := range l.Runtimes {
		item.CompatibleRuntimes = append(item.CompatibleRuntimes, types.Runtime(r))
	}
	for _, a := range l.Architectures {
		item.CompatibleArchitectures = append(item.CompatibleArchitectures, types.Architecture(a))
	}
	return item
}

func isoTime(t time.Time) *string { return aws.String(t.UTC().Format("2006-01-02T15:04:05.000+0000")) }

func (s *Service) layer(layer string, number int64) (l layerVersion, err error) {
	if number < 1 {
		return l, invalid("Layer Version Cannot be less than 1")
	}
	s.cfg.Store.View(func(tx *store.Tx) {
		var ok bool
		if l, ok = s.tables.layers.Get(tx, layerKey(layer, number)); !ok {
			err = notFound("The resource you requested does not exist.")
		}
	})
	return l, err
}

// GetLayerVersion describes a layer's version.
func (s *Service) GetLayerVersion(_ context.Context, in *lambda.GetLayerVersionInput) (*lambda.GetLayerVersionOutput, error) {
	l, err := s.layer(layerOf(in.LayerName), *in.VersionNumber)
	if err != nil {
		return nil, err
	}
	return s.describeLayer(l), nil
}

// GetLayerVersionByArn describes the layer's version that an ARN names.
func (s *Service) GetLayerVersionByArn(_ context.Context, in *lambda.GetLayerVersionByArnInput) (*lambda.GetLayerVersionByArnOutput, error) {
	n, err := parseLayerARN(*in.Arn)
	if err != nil {
		return nil, err
	}
	l, err := s.layer(n.name, n.number)
	if err != nil {
		return nil, err
	}
	g := s.describeLayer(l)
	return &lambda.GetLayerVersionByArnOutput{CompatibleArchitectures: g.CompatibleArchitectures, CompatibleRuntimes: g.CompatibleRuntimes, Content: g.Content,
		CreatedDate: g.CreatedDate, Description: g.Description, LayerArn: g.LayerArn, LayerVersionArn: g.LayerVersionArn, LicenseInfo: g.LicenseInfo, Version: g.Version}, nil
}

// DeleteLayerVersion removes a layer's version; functions that use it keep it.
func (s *Service) DeleteLayerVersion(ctx context.Context, in *lambda.DeleteLayerVersionInput) (*lambda.DeleteLayerVersionOutput, error) {
	if *in.VersionNumber < 1 {
		return nil, invalid("Layer Version Cannot be less than 1")
	}
	layer := layerOf(in.LayerName)
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		s.tables.layers.Delete(tx, layerKey(layer, *in.VersionNumber))
		s.tables.policies.Delete(tx, layerPolicyKey(layer, *in.VersionNumber))
		return nil
	})
	return &lambda.DeleteLayerVersionOutput{}, err
}

func (l layerVersion) fits(runtime types.Runtime, arch types.Architecture) bool {
	return (runtime == "" || slices.Contains(l.Runtimes, string(runtime))) && (arch == "" || slices.Contains(l.Architectures, string(arch)))
}

// ListLayerVersions lists a layer's versions, the newest first.
func (s *Service) ListLayerVersions(_ context.Context, in *lambda.ListLayerVersionsInput) (*lambda.ListLayerVersionsOutput, error) {
	var found []layerVersion
	s.cfg.Store.View(func(tx *store.Tx) {
		for _, l := range s.tables.layers.Prefix(tx, under(layerOf(in.LayerName))) {
			if l.fits(in.CompatibleRuntime, in.CompatibleArchitecture) {
				found = append(found, l)
			}
		}
	})
	slices.Reverse(found)
	found, next, err := cut(found, func(l layerVersion) string { return layerKey(l.Layer, l.Number) }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListLayerVersionsOutput{LayerVersions: []types.LayerVersionsListItem{}, NextMarker: next}
	for _, l := range found {
		out.LayerVersions = append(out.LayerVersions, s.layerItem(l))
	}
	return out, nil
}

// ListLayers lists the layers with their newest version that fits.
func (s *Service) ListLayers(_ context.Context, in *lambda.ListLayersInput) (*lambda.ListLayersOutput, error) {
	newest := map[string]layerVersion{}
	var names []string
	s.cfg.Store.View(func(tx *store.Tx) {
		for _, l := range s.tables.layers.Ascend(tx, "") {
			if !l.fits(in.CompatibleRuntime, in.CompatibleArchitecture) {
				continue
			}
			if _, ok := newest[l.Layer]; !ok {
				names = append(names, l.Layer)
			}
			newest[l.Layer] = l
		}
	})
	names, next, err := cut(names, func(n string) string { return n }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListLayersOutput{Layers: []types.LayersListItem{}, NextMarker: next}
	for _, n := range names {
		item := s.layerItem(newest[n])
		out.Layers = append(out.Layers, types.LayersListItem{LayerName: aws.String(n), LayerArn: aws.String(s.layerARN(n)), LatestMatchingVersion: &item})
	}
	return out, nil
}

func layerPolicyKey(layer string, number int64) string {
	return "layer:" + layer + ":" + strconv.FormatInt(number, 10)
}

// permitted checks that the layer's version of a permission is there.
func (s *Service) permitted(tx *store.Tx, layer string, number int64) (string, error) {
	if _, ok := s.tables.layers.Get(tx, layerKey(layer, number)); !ok {
		return "", notFound("Layer version %s does not exist.", s.layerVersionARN(layerVersion{Layer: layer, Number: number}))
	}
	return layerPolicyKey(layer, number), nil
}

// AddLayerVersionPermission adds a statement to the policy of a layer's version.
func (s *Service) AddLayerVersionPermission(ctx context.Context, in *lambda.AddLayerVersionPermissionInput) (*lambda.AddLayerVersionPermissionOutput, error) {
	layer := layerOf(in.LayerName)
	who, err := principal(*in.Principal)
	if err != nil {
		return nil, err
	}
	doc := policyStatement{Sid: *in.StatementId, Effect: "Allow", Principal: who, Action: *in.Action, Resource: s.layerVersionARN(layerVersion{Layer: layer, Number: *in.VersionNumber})}
	if in.OrganizationId != nil {
		doc.Condition = &condition{StringEquals: &stringEquals{Org: *in.OrganizationId}}
	}
	st, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	out := &lambda.AddLayerVersionPermissionOutput{Statement: aws.String(string(st))}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		key, err := s.permitted(tx, layer, *in.VersionNumber)
		if err != nil {
			return err
		}
		if err := s.addStatement(tx, key, statement{*in.StatementId, string(st)}, in.RevisionId, "GetLayerPolicy"); err != nil {
			return err
		}
		p, _ := s.tables.policies.Get(tx, key)
		out.RevisionId = &p.Revision
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// RemoveLayerVersionPermission removes a statement from the policy of a layer's version.
func (s *Service) RemoveLayerVersionPermission(ctx context.Context, in *lambda.RemoveLayerVersionPermissionInput) (*lambda.RemoveLayerVersionPermissionOutput, error) {
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		key, err := s.permitted(tx, layerOf(in.LayerName), *in.VersionNumber)
		if err != nil {
			return err
		}
		return s.removeStatement(tx, key, *in.StatementId, in.RevisionId, "GetLayerPolicy")
	})
	return &lambda.RemoveLayerVersionPermissionOutput{}, err
}

// GetLayerVersionPolicy shows the policy of a layer's version.
func (s *Service) GetLayerVersionPolicy(_ context.Context, in *lambda.GetLayerVersionPolicyInput) (*lambda.GetLayerVersionPolicyOutput, error) {
	p, err := s.policy(layerPolicyKey(layerOf(in.LayerName), *in.VersionNumber))
	if err != nil {
		return nil, err
	}
	return &lambda.GetLayerVersionPolicyOutput{Policy: p.document(), RevisionId: &p.Revision}, nil
}
