package lambda

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
)

func (s *Service) describeAlias(a alias) types.AliasConfiguration {
	c := types.AliasConfiguration{AliasArn: aws.String(s.arn(name{a.Function, a.Name})), Name: &a.Name, Description: &a.Description,
		FunctionVersion: &a.Version, RevisionId: &a.Revision}
	if len(a.Weights) > 0 {
		c.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: maps.Clone(a.Weights)}
	}
	return c
}

// draw chooses the version of one invocation; r is uniform in [0,1).
func (a alias) draw(r float64) string {
	for v, weight := range a.Weights {
		if r < weight {
			return v
		}
	}
	return a.Version
}

// checkAlias refuses what an alias may not be.
func (s *Service) checkAlias(tx *store.Tx, a alias) error {
	main, ok := s.tables.versions.Get(tx, versionKey(a.Function, a.Version))
	if !ok || !isVersion(a.Version) {
		return s.functionNotFound(name{a.Function, a.Version})
	}
	if len(a.Weights) == 0 {
		return nil
	}
	if len(a.Weights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	if a.Version == latest {
		return &types.InvalidParameterValueException{Message: aws.String("$LATEST is not supported for an alias pointing to more than 1 version")}
	}
	for number, weight := range a.Weights {
		if err := s.checkWeight(tx, a, main, number, weight); err != nil {
			return err
		}
	}
	if _, ok := s.tables.provisioned.Get(tx, under(a.Function)+a.Name); ok {
		return invalid("Invalid alias configuration for Provisioned Concurrency")
	}
	return nil
}

func (s *Service) checkWeight(tx *store.Tx, a alias, main version, number string, weight float64) error {
	if !isNumber(number) || !(weight >= 0 && weight <= 1) { // not a number is neither
		return invalid("Value '{%s=%v}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: the key must be a version's number, and the value between 0.0 and 1.0", number, weight)
	}
	if number == a.Version {
		return invalid("Invalid function version %s. Function version %s is already included in routing configuration.", number, number)
	}
	other, ok := s.tables.versions.Get(tx, versionKey(a.Function, number))
	if !ok {
		return s.functionNotFound(name{a.Function, number})
	}
	if other.Role != main.Role {
		return invalid("Function versions %s and %s must have the same execution role to be used in one alias.", main.Number, other.Number)
	}
	if other.DeadLetter != main.DeadLetter {
		return invalid("Function versions %s and %s must have the same dead-letter queue configuration, or none, to be used in one alias.", main.Number, other.Number)
	}
	return nil
}

// CreateAlias points a name to a version.
func (s *Service) CreateAlias(ctx context.Context, in *lambda.CreateAliasInput) (*lambda.CreateAliasOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	a := alias{Function: n.function, Name: *in.Name, Description: aws.ToString(in.Description), Version: *in.FunctionVersion, Revision: id.UUID()}
	if in.RoutingConfig != nil {
		a.Weights = maps.Clone(in.RoutingConfig.AdditionalVersionWeights)
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := s.checkAlias(tx, a); err != nil {
			return err
		}
		if _, ok := s.tables.aliases.Get(tx, under(n.function)+a.Name); ok {
			return conflict("Alias already exists: %s", s.arn(name{n.function, a.Name}))
		}
		s.tables.aliases.Put(tx, under(n.function)+a.Name, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	c := s.describeAlias(a)
	return &lambda.CreateAliasOutput{AliasArn: c.AliasArn, Name: c.Name, Description: c.Description, FunctionVersion: c.FunctionVersion,
		RevisionId: c.RevisionId, RoutingConfig: c.RoutingConfig}, nil
}

// UpdateAlias points an alias elsewhere; the revision guards against changes that the caller has not seen.
func (s *Service) UpdateAlias(ctx context.Context, in *lambda.UpdateAliasInput) (*lambda.UpdateAliasOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	var a alias
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		var ok bool
		if a, ok = s.tables.aliases.Get(tx, under(n.function)+*in.Name); !ok {
			return notFound("Alias not found: %s", s.arn(name{n.function, *in.Name}))
		}
		if err := checkRevision(in.RevisionId, a.Revision, "GetFunction/GetAlias"); err != nil {
			return err
		}
		set(&a.Description, in.Description)
		set(&a.Version, in.FunctionVersion)
		if in.RoutingConfig != nil {
			a.Weights = maps.Clone(in.RoutingConfig.AdditionalVersionWeights)
		}
		a.Revision = id.UUID()
		if err := s.checkAlias(tx, a); err != nil {
			return err
		}
		s.tables.aliases.Put(tx, under(n.function)+a.Name, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	c := s.describeAlias(a)
	return &lambda.UpdateAliasOutput{AliasArn: c.AliasArn, Name: c.Name, Description: c.Description, FunctionVersion: c.FunctionVersion,
		RevisionId: c.RevisionId, RoutingConfig: c.RoutingConfig}, nil
}

// GetAlias describes an alias.
func (s *Service) GetAlias(_ context.Context, in *lambda.GetAliasInput) (*lambda.GetAliasOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	var a alias
	var ok bool
	s.cfg.Store.View(func(tx *store.Tx) { a, ok = s.tables.aliases.Get(tx, under(n.function)+*in.Name) })
	if !ok {
		return nil, s.aliasNotFound(name{n.function, *in.Name})
	}
	c := s.describeAlias(a)
	return &lambda.GetAliasOutput{AliasArn: c.AliasArn, Name: c.Name, Description: c.Description, FunctionVersion: c.FunctionVersion,
		RevisionId: c.RevisionId, RoutingConfig: c.RoutingConfig}, nil
}

// ListAliases lists a function's aliases, or those that have a certain version.
func (s *Service) ListAliases(_ context.Context, in *lambda.ListAliasesInput) (*lambda.ListAliasesOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListAliasesOutput{Aliases: []types.AliasConfiguration{}}
	out.NextMarker, err = list(s, n.function, s.tables.aliases, in.Marker, in.MaxItems, func(a alias) bool {
		_, weighted := a.Weights[aws.ToString(in.FunctionVersion)]
		return in.FunctionVersion == nil || *in.FunctionVersion == a.Version || weighted
	}, func(_ string, a alias) { out.Aliases = append(out.Aliases, s.describeAlias(a)) })
	return out, err
}

// DeleteAlias removes an alias; that there is none is no error.
func (s *Service) DeleteAlias(ctx context.Context, in *lambda.DeleteAliasInput) (*lambda.DeleteAliasOutput, error) {
	n, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := s.exists(tx, n.function); err != nil {
			return err
		}
		key := under(n.function) + *in.Name
		s.tables.aliases.Delete(tx, key)
		s.tables.provisioned.Delete(tx, key)
		s.tables.events.Delete(tx, key)
		s.tables.policies.Delete(tx, n.function+":"+*in.Name)
		return nil
	})
	return &lambda.DeleteAliasOutput{}, err
}
