package configservice

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cfn"
	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
)

// pack is a conformance pack: rules that a template declares, and that live and die together.
type pack struct {
	Detail  types.ConformancePackDetail
	Updated time.Time
	Rules   []string // names, as the template has them, each with the pack's suffix
}

func (p pack) name() string { return *p.Detail.ConformancePackName }

const configRuleType = "AWS::Config::ConfigRule"

func noPack(name string) error {
	return &types.NoSuchConformancePackException{Message: new("The conformance pack '" + name + "' does not exist")}
}

func badTemplate(err error) error {
	return &types.ConformancePackTemplateValidationException{Message: new(err.Error())}
}

// PutConformancePack makes the rules of a template, or changes them.
func (s *Service) PutConformancePack(ctx context.Context, in *configservice.PutConformancePackInput) (*configservice.PutConformancePackOutput, error) {
	body, err := s.packTemplate(ctx, in)
	if err != nil {
		return nil, err
	}
	declared, err := s.packRules(body, in.ConformancePackInputParameters)
	if err != nil {
		return nil, badTemplate(err)
	}
	for _, r := range declared {
		if err := s.check(ctx, r); err != nil {
			return nil, badTemplate(fmt.Errorf("rule %s: %w", aws.ToString(r.ConfigRuleName), err))
		}
	}
	name := aws.ToString(in.ConformancePackName)
	var arn string
	err = s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		p, ok := s.packs.Get(tx, name)
		if !ok {
			packID := "conformance-pack-" + id.Letters(rand.Reader, id.Lower, 9)
			p.Detail = types.ConformancePackDetail{ConformancePackId: &packID, ConformancePackName: &name,
				ConformancePackArn: new("arn:aws:config:" + s.Region + ":" + call.Account + ":conformance-pack/" + name + "/" + packID)}
		}
		arn = *p.Detail.ConformancePackArn
		p.Detail.ConformancePackInputParameters, p.Detail.DeliveryS3Bucket = in.ConformancePackInputParameters, in.DeliveryS3Bucket
		p.Detail.DeliveryS3KeyPrefix, p.Detail.LastUpdateRequestedTime = in.DeliveryS3KeyPrefix, new(s.Clock.Now())
		p.Updated = s.Clock.Now()
		return s.putPack(tx, p, declared)
	})
	if err != nil {
		return nil, err
	}
	s.soon()
	return &configservice.PutConformancePackOutput{ConformancePackArn: &arn}, nil
}

// putPack makes the pack's rules those that are declared.
func (s *Service) putPack(tx *store.Tx, p pack, declared []types.ConfigRule) error {
	before := p.Rules
	p.Rules = nil
	for _, r := range declared {
		r.ConfigRuleName = new(*r.ConfigRuleName + "-" + *p.Detail.ConformancePackId)
		r.CreatedBy = new("config-conforms.amazonaws.com")
		if err := s.putRule(tx, r, nil, *p.Detail.ConformancePackName); err != nil {
			return err
		}
		p.Rules = append(p.Rules, *r.ConfigRuleName)
	}
	for _, name := range before {
		if !slices.Contains(p.Rules, name) {
			s.rules.Delete(tx, name)
			s.forgetEvaluations(tx, name)
		}
	}
	s.packs.Put(tx, *p.Detail.ConformancePackName, p)
	return nil
}

// packTemplate returns the template's text, wherever it is.
func (s *Service) packTemplate(ctx context.Context, in *configservice.PutConformancePackInput) (string, error) {
	uri := aws.ToString(in.TemplateS3Uri)
	switch {
	case in.TemplateSSMDocumentDetails != nil:
		return "", invalidValue("Templates in Systems Manager documents are not there in the embedded cloud.")
	case in.TemplateBody != nil && uri != "" || in.TemplateBody == nil && uri == "":
		return "", invalidValue("Exactly one of TemplateBody and TemplateS3Uri must be provided.")
	case in.TemplateBody != nil:
		return *in.TemplateBody, nil
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	if !ok || s.Objects == nil || !strings.HasPrefix(uri, "s3://") {
		return "", invalidValue("The TemplateS3Uri %s is invalid.", uri)
	}
	out, err := s.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", badTemplate(fmt.Errorf("read %s: %w", uri, err))
	}
	defer out.Body.Close()
	body, err := io.ReadAll(io.LimitReader(out.Body, 1<<20))
	return string(body), err
}

// packRules reads the rules that a conformance pack's template declares.
func (s *Service) packRules(body string, given []types.ConformancePackInputParameter) ([]types.ConfigRule, error) {
	root, err := cfn.Parse("conformance pack", []byte(body))
	if err != nil {
		return nil, err
	}
	t, err := cfn.ReadTemplate(root)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, p := range given {
		values[aws.ToString(p.ParameterName)] = aws.ToString(p.ParameterValue)
	}
	parameters, err := t.ResolveParameters(values)
	if err != nil {
		return nil, err
	}
	e := cfn.NewEvaluator(t, cfn.Env{AccountID: call.Account, Partition: "aws", Region: s.Region, URLSuffix: "amazonaws.com", Parameters: parameters})
	var out []types.ConfigRule
	for _, r := range t.Resources {
		if active, known, err := e.Active(r.Condition); err != nil || known && !active {
			if err != nil {
				return nil, err
			}
			continue
		}
		if r.Type != configRuleType {
			return nil, fmt.Errorf("resource %s: the embedded cloud has only %s in conformance packs, not %s", r.ID, configRuleType, r.Type)
		}
		properties, err := e.Eval(r.Properties)
		if err != nil {
			return nil, err
		}
		rule, err := RuleOf(properties)
		if err != nil {
			return nil, fmt.Errorf("resource %s: %w", r.ID, err)
		}
		if rule.ConfigRuleName == nil {
			rule.ConfigRuleName = new(r.ID)
		}
		out = append(out, rule)
	}
	if len(out) == 0 {
		return nil, errors.New("the template declares no rules")
	}
	return out, nil
}

// RuleOf reads a rule from the properties of AWS::Config::ConfigRule.
func RuleOf(n *cfn.Node) (r types.ConfigRule, err error) {
	text := func(n *cfn.Node) *string {
		if s, ok := n.Scalar(); ok {
			return &s
		}
		return nil
	}
	r = types.ConfigRule{ConfigRuleName: text(n.Get("ConfigRuleName")), Description: text(n.Get("Description")),
		MaximumExecutionFrequency: types.MaximumExecutionFrequency(n.Get("MaximumExecutionFrequency").Str())}
	if p := n.Get("InputParameters"); p != nil {
		if r.InputParameters = text(p); r.InputParameters == nil {
			b, err := p.MarshalJSON()
			if err != nil {
				return r, fmt.Errorf("read InputParameters: %w", err)
			}
			r.InputParameters = new(string(b))
		}
	}
	if scope := n.Get("Scope"); scope != nil {
		r.Scope = &types.Scope{ComplianceResourceId: text(scope.Get("ComplianceResourceId")), TagKey: text(scope.Get("TagKey")), TagValue: text(scope.Get("TagValue"))}
		for _, t := range scope.Get("ComplianceResourceTypes").List() {
			r.Scope.ComplianceResourceTypes = append(r.Scope.ComplianceResourceTypes, t.Str())
		}
	}
	if source := n.Get("Source"); source != nil {
		r.Source = &types.Source{Owner: types.Owner(source.Get("Owner").Str()), SourceIdentifier: text(source.Get("SourceIdentifier"))}
		for _, d := range source.Get("SourceDetails").List() {
			r.Source.SourceDetails = append(r.Source.SourceDetails, types.SourceDetail{EventSource: types.EventSource(d.Get("EventSource").Str()),
				MessageType:               types.MessageType(d.Get("MessageType").Str()),
				MaximumExecutionFrequency: types.MaximumExecutionFrequency(d.Get("MaximumExecutionFrequency").Str())})
		}
	}
	return r, nil
}

// DeleteConformancePack removes a pack with its rules.
func (s *Service) DeleteConformancePack(ctx context.Context, in *configservice.DeleteConformancePackInput) (*configservice.DeleteConformancePackOutput, error) {
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		p, ok := s.packs.Get(tx, aws.ToString(in.ConformancePackName))
		if !ok {
			return noPack(aws.ToString(in.ConformancePackName))
		}
		for _, name := range p.Rules {
			s.rules.Delete(tx, name)
			s.forgetEvaluations(tx, name)
		}
		s.packs.Delete(tx, *in.ConformancePackName)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.soon()
	return &configservice.DeleteConformancePackOutput{}, nil
}

// askedPacks returns the packs of those names, which must exist, or all.
func (s *Service) askedPacks(names []string) (list []pack, err error) {
	s.Store.View(func(tx *store.Tx) {
		for _, n := range names {
			if _, ok := s.packs.Get(tx, n); !ok {
				err = noPack(n)
			}
		}
		for name, p := range s.packs.Ascend(tx, "") {
			if len(names) == 0 || slices.Contains(names, name) {
				list = append(list, p)
			}
		}
	})
	return list, err
}

// DescribeConformancePacks lists packs by name.
func (s *Service) DescribeConformancePacks(_ context.Context, in *configservice.DescribeConformancePacksInput) (*configservice.DescribeConformancePacksOutput, error) {
	list, err := s.askedPacks(in.ConformancePackNames)
	if err != nil {
		return nil, err
	}
	out := &configservice.DescribeConformancePacksOutput{ConformancePackDetails: []types.ConformancePackDetail{}}
	list, out.NextToken, err = paged(list, pack.name, in.NextToken, in.Limit, 20, 20)
	for _, p := range list {
		out.ConformancePackDetails = append(out.ConformancePackDetails, p.Detail)
	}
	return out, err
}

// DescribeConformancePackStatus tells that packs are complete: they are made at once.
func (s *Service) DescribeConformancePackStatus(_ context.Context, in *configservice.DescribeConformancePackStatusInput) (*configservice.DescribeConformancePackStatusOutput, error) {
	list, err := s.askedPacks(in.ConformancePackNames)
	if err != nil {
		return nil, err
	}
	out := &configservice.DescribeConformancePackStatusOutput{ConformancePackStatusDetails: []types.ConformancePackStatusDetail{}}
	list, out.NextToken, err = paged(list, pack.name, in.NextToken, in.Limit, 20, 20)
	for _, p := range list {
		d := p.Detail
		out.ConformancePackStatusDetails = append(out.ConformancePackStatusDetails, types.ConformancePackStatusDetail{ConformancePackArn: d.ConformancePackArn,
			ConformancePackId: d.ConformancePackId, ConformancePackName: d.ConformancePackName, ConformancePackState: types.ConformancePackStateCreateComplete,
			LastUpdateRequestedTime: d.LastUpdateRequestedTime, LastUpdateCompletedTime: new(p.Updated),
			StackArn: new("arn:aws:cloudformation:" + s.Region + ":" + call.Account + ":stack/awsconfigconforms-" + *d.ConformancePackName + "-" + *d.ConformancePackId)})
	}
	return out, err
}

// packWord is a compliance in conformance packs' words.
func packWord(c types.ComplianceType) types.ConformancePackComplianceType {
	switch c {
	case types.ComplianceTypeCompliant:
		return types.ConformancePackComplianceTypeCompliant
	case types.ComplianceTypeNonCompliant:
		return types.ConformancePackComplianceTypeNonCompliant
	}
	return types.ConformancePackComplianceTypeInsufficientData
}

// packTallies adds up the results of each of a pack's rules.
func (s *Service) packTallies(p pack) map[string]tally {
	out := map[string]tally{}
	s.Store.View(func(tx *store.Tx) {
		for _, name := range p.Rules {
			out[name] = s.tallyOf(tx, name)
		}
	})
	return out
}

// GetConformancePackComplianceSummary tells of each pack whether its rules are met.
func (s *Service) GetConformancePackComplianceSummary(_ context.Context, in *configservice.GetConformancePackComplianceSummaryInput) (*configservice.GetConformancePackComplianceSummaryOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	list, err := s.askedPacks(in.ConformancePackNames)
	if err != nil {
		return nil, err
	}
	out := &configservice.GetConformancePackComplianceSummaryOutput{ConformancePackComplianceSummaryList: []types.ConformancePackComplianceSummary{}}
	list, out.NextToken, err = paged(list, pack.name, in.NextToken, in.Limit, 20, 20)
	for _, p := range list {
		var all tally
		for _, t := range s.packTallies(p) {
			all.add(t.compliance().ComplianceType)
		}
		out.ConformancePackComplianceSummaryList = append(out.ConformancePackComplianceSummaryList, types.ConformancePackComplianceSummary{
			ConformancePackName: p.Detail.ConformancePackName, ConformancePackComplianceStatus: packWord(all.compliance().ComplianceType)})
	}
	return out, err
}

// askedRulesOf returns a pack's rules, or those of them that are asked for.
func (s *Service) packAndRules(name *string, asked []string) (pack, []string, error) {
	list, err := s.askedPacks([]string{aws.ToString(name)})
	if err != nil {
		return pack{}, nil, err
	}
	for _, n := range asked {
		if !slices.Contains(list[0].Rules, n) {
			return pack{}, nil, &types.NoSuchConfigRuleInConformancePackException{Message: new("The rule '" + n + "' is not in the conformance pack")}
		}
	}
	if len(asked) == 0 {
		asked = list[0].Rules
	}
	return list[0], asked, nil
}

// DescribeConformancePackCompliance tells of each rule of a pack whether it is met.
func (s *Service) DescribeConformancePackCompliance(_ context.Context, in *configservice.DescribeConformancePackComplianceInput) (*configservice.DescribeConformancePackComplianceOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	filters := in.Filters
	if filters == nil {
		filters = &types.ConformancePackComplianceFilters{}
	}
	p, asked, err := s.packAndRules(in.ConformancePackName, filters.ConfigRuleNames)
	if err != nil {
		return nil, err
	}
	all := []types.ConformancePackRuleCompliance{}
	tallies := s.packTallies(p)
	for _, name := range slices.Sorted(maps.Keys(tallies)) {
		word := packWord(tallies[name].compliance().ComplianceType)
		if slices.Contains(asked, name) && (filters.ComplianceType == "" || filters.ComplianceType == word) {
			all = append(all, types.ConformancePackRuleCompliance{ConfigRuleName: new(name), ComplianceType: word, Controls: []string{}})
		}
	}
	page, next, err := paged(all, func(r types.ConformancePackRuleCompliance) string { return *r.ConfigRuleName }, in.NextToken, in.Limit, 100, 1000)
	return &configservice.DescribeConformancePackComplianceOutput{ConformancePackName: in.ConformancePackName, ConformancePackRuleComplianceList: page, NextToken: next}, err
}

// GetConformancePackComplianceDetails lists the results of a pack's rules.
func (s *Service) GetConformancePackComplianceDetails(_ context.Context, in *configservice.GetConformancePackComplianceDetailsInput) (*configservice.GetConformancePackComplianceDetailsOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	filters := in.Filters
	if filters == nil {
		filters = &types.ConformancePackEvaluationFilters{}
	}
	_, asked, err := s.packAndRules(in.ConformancePackName, filters.ConfigRuleNames)
	if err != nil {
		return nil, err
	}
	all := []types.ConformancePackEvaluationResult{}
	for _, name := range asked {
		results := s.resultsNow(name)
		for _, place := range slices.Sorted(maps.Keys(results)) {
			r := results[place]
			switch word := packWord(r.Compliance); {
			case r.Compliance == types.ComplianceTypeNotApplicable:
			case filters.ComplianceType != "" && filters.ComplianceType != word,
				filters.ResourceType != nil && *filters.ResourceType != r.Type, len(filters.ResourceIds) > 0 && !slices.Contains(filters.ResourceIds, r.ID):
			default:
				d := r.describe()
				all = append(all, types.ConformancePackEvaluationResult{ComplianceType: word, ConfigRuleInvokedTime: d.ConfigRuleInvokedTime,
					EvaluationResultIdentifier: d.EvaluationResultIdentifier, ResultRecordedTime: d.ResultRecordedTime, Annotation: d.Annotation})
			}
		}
	}
	page, next, err := paged(all, func(r types.ConformancePackEvaluationResult) string {
		q := r.EvaluationResultIdentifier.EvaluationResultQualifier
		return *q.ConfigRuleName + " " + *q.ResourceType + " " + *q.ResourceId
	}, in.NextToken, in.Limit, 10, 100)
	return &configservice.GetConformancePackComplianceDetailsOutput{ConformancePackName: in.ConformancePackName, ConformancePackRuleEvaluationResults: page, NextToken: next}, err
}
