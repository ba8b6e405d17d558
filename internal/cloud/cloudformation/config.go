package cloudformation

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// AWSConfig is what rules, packs of them and recorders need of AWS Config.
type AWSConfig interface {
	PutConfigRule(context.Context, *configservice.PutConfigRuleInput) (*configservice.PutConfigRuleOutput, error)
	DescribeConfigRules(context.Context, *configservice.DescribeConfigRulesInput) (*configservice.DescribeConfigRulesOutput, error)
	DeleteConfigRule(context.Context, *configservice.DeleteConfigRuleInput) (*configservice.DeleteConfigRuleOutput, error)
	PutConformancePack(context.Context, *configservice.PutConformancePackInput) (*configservice.PutConformancePackOutput, error)
	DeleteConformancePack(context.Context, *configservice.DeleteConformancePackInput) (*configservice.DeleteConformancePackOutput, error)
	PutConfigurationRecorder(context.Context, *configservice.PutConfigurationRecorderInput) (*configservice.PutConfigurationRecorderOutput, error)
	StartConfigurationRecorder(context.Context, *configservice.StartConfigurationRecorderInput) (*configservice.StartConfigurationRecorderOutput, error)
	StopConfigurationRecorder(context.Context, *configservice.StopConfigurationRecorderInput) (*configservice.StopConfigurationRecorderOutput, error)
	DeleteConfigurationRecorder(context.Context, *configservice.DeleteConfigurationRecorderInput) (*configservice.DeleteConfigurationRecorderOutput, error)
	DescribeConfigurationRecorders(context.Context, *configservice.DescribeConfigurationRecordersInput) (*configservice.DescribeConfigurationRecordersOutput, error)
	PutDeliveryChannel(context.Context, *configservice.PutDeliveryChannelInput) (*configservice.PutDeliveryChannelOutput, error)
	DeleteDeliveryChannel(context.Context, *configservice.DeleteDeliveryChannelInput) (*configservice.DeleteDeliveryChannelOutput, error)
	DescribeDeliveryChannels(context.Context, *configservice.DescribeDeliveryChannelsInput) (*configservice.DescribeDeliveryChannelsOutput, error)
}

type configHandlers struct{ AWSConfig }

func (s *Service) configHandlers() map[string]Handler {
	if s.cfg.Services.AWSConfig == nil {
		return nil
	}
	h := configHandlers{s.cfg.Services.AWSConfig}
	return map[string]Handler{
		"AWS::Config::ConfigRule":            {Create: h.putRule, Update: h.putRule, Delete: h.deleteRule},
		"AWS::Config::ConformancePack":       {Create: h.putPack, Update: h.putPack, Delete: h.deletePack},
		"AWS::Config::ConfigurationRecorder": {Create: h.putRecorder, Update: h.putRecorder, Delete: h.deleteRecorder},
		"AWS::Config::DeliveryChannel":       {Create: h.putChannel, Update: h.putChannel, Delete: h.deleteChannel},
	}
}

func (h configHandlers) putRule(ctx context.Context, r *Request) (Result, error) {
	result := Result{Physical: r.Physical}
	rule := &types.ConfigRule{}
	if err := fill(rule, r.Properties, nil); err != nil {
		return result, err
	}
	name := r.named("ConfigRuleName", 128)
	rule.ConfigRuleName = aws.String(name)
	result.Physical = name
	in := &configservice.PutConfigRuleInput{ConfigRule: rule}
	for k, v := range r.Tags() {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	if _, err := h.PutConfigRule(ctx, in); err != nil {
		return result, err
	}
	rules, err := h.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{name}})
	if err != nil {
		return result, err
	}
	made := rules.ConfigRules[0]
	result.Attributes = map[string]any{"Arn": aws.ToString(made.ConfigRuleArn), "ConfigRuleId": aws.ToString(made.ConfigRuleId),
		"Compliance.Type": string(types.ComplianceTypeInsufficientData)} // not evaluated yet
	return result, nil
}

func (h configHandlers) deleteRule(ctx context.Context, r *Request) error {
	_, err := h.DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: aws.String(r.Physical)})
	return err
}

func (h configHandlers) putPack(ctx context.Context, r *Request) (Result, error) {
	in := &configservice.PutConformancePackInput{}
	if err := fill(in, r.Properties, nil); err != nil {
		return Result{Physical: r.Physical}, err
	}
	name := r.named("ConformancePackName", 128)
	in.ConformancePackName = aws.String(name)
	out, err := h.PutConformancePack(ctx, in)
	if err != nil {
		return Result{Physical: name}, err
	}
	return Result{Physical: name, Attributes: map[string]any{"ConformancePackArn": aws.ToString(out.ConformancePackArn)}}, nil
}

func (h configHandlers) deletePack(ctx context.Context, r *Request) error {
	_, err := h.DeleteConformancePack(ctx, &configservice.DeleteConformancePackInput{ConformancePackName: aws.String(r.Physical)})
	return err
}

// putRecorder makes a recorder, which starts as soon as there is a delivery channel.
func (h configHandlers) putRecorder(ctx context.Context, r *Request) (Result, error) {
	recorder := &types.ConfigurationRecorder{}
	if err := fill(recorder, r.Properties, nil); err != nil {
		return Result{Physical: r.Physical}, err
	}
	name := r.named("Name", 256)
	recorder.Name = aws.String(name)
	if _, err := h.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: recorder}); err != nil {
		return Result{Physical: name}, err
	}
	return Result{Physical: name}, h.startRecorder(ctx)
}

// startRecorder starts the recorder, if both it and a delivery channel are there.
func (h configHandlers) startRecorder(ctx context.Context) error {
	channels, err := h.DescribeDeliveryChannels(ctx, &configservice.DescribeDeliveryChannelsInput{})
	if err != nil || len(channels.DeliveryChannels) == 0 {
		return err
	}
	recorders, err := h.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
	if err != nil {
		return err
	}
	for _, r := range recorders.ConfigurationRecorders {
		if _, err := h.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: r.Name}); err != nil {
			return err
		}
	}
	return nil
}

func (h configHandlers) deleteRecorder(ctx context.Context, r *Request) error {
	_, err := h.DeleteConfigurationRecorder(ctx, &configservice.DeleteConfigurationRecorderInput{ConfigurationRecorderName: aws.String(r.Physical)})
	return err
}

func (h configHandlers) putChannel(ctx context.Context, r *Request) (Result, error) {
	channel := &types.DeliveryChannel{}
	if err := fill(channel, r.Properties, nil); err != nil {
		return Result{Physical: r.Physical}, err
	}
	name := r.named("Name", 256)
	channel.Name = aws.String(name)
	if _, err := h.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: channel}); err != nil {
		return Result{Physical: name}, err
	}
	return Result{Physical: name}, h.startRecorder(ctx)
}

// deleteChannel stops the recorder first: it cannot be without one.
func (h configHandlers) deleteChannel(ctx context.Context, r *Request) error {
	recorders, err := h.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
	if err != nil {
		return err
	}
	for _, recorder := range recorders.ConfigurationRecorders {
		if _, err := h.StopConfigurationRecorder(ctx, &configservice.StopConfigurationRecorderInput{ConfigurationRecorderName: recorder.Name}); err != nil {
			return err
		}
	}
	_, err = h.DeleteDeliveryChannel(ctx, &configservice.DeleteDeliveryChannelInput{DeliveryChannelName: aws.String(r.Physical)})
	return err
}
