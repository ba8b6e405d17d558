package configservice

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
)

// recorder is the region's configuration recorder: the one that somebody has put, or the one that is there from the start.
type recorder struct {
	Recorder         types.ConfigurationRecorder
	Recording        bool
	Started, Stopped time.Time `json:",omitzero"`
	Deleted          bool      `json:",omitempty"` // there is none
	Implicit         bool      `json:",omitempty"` // nobody has put it
}

const recorderKey = "recorder"

// recorder returns the region's; ok is false if it was deleted.
func (s *Service) recorder(tx *store.Tx) (r recorder, ok bool) {
	if r, ok := s.recorders.Get(tx, recorderKey); ok {
		return r, !r.Deleted
	}
	name := "default"
	return recorder{Recording: true, Implicit: true, Recorder: types.ConfigurationRecorder{Name: &name, Arn: new(s.recorderARN(name)),
		RoleARN:       new("arn:aws:iam::" + call.Account + ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"),
		RecordingMode: &types.RecordingMode{RecordingFrequency: types.RecordingFrequencyContinuous}, RecordingScope: types.RecordingScopePaid,
		RecordingGroup: &types.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true,
			RecordingStrategy: &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeAllSupportedResourceTypes}}}}, true
}

func (s *Service) recorderARN(name string) string {
	return "arn:aws:config:" + s.Region + ":" + call.Account + ":configuration-recorder/" + name
}

// records reports whether a type is recorded.
func (r recorder) records(kind string) bool {
	g := r.Recorder.RecordingGroup
	switch {
	case !r.Recording || r.Deleted:
		return false
	case g == nil || g.AllSupported:
		return true
	case g.ExclusionByResourceTypes != nil && len(g.ExclusionByResourceTypes.ResourceTypes) > 0:
		return !slices.Contains(g.ExclusionByResourceTypes.ResourceTypes, types.ResourceType(kind))
	}
	return slices.Contains(g.ResourceTypes, types.ResourceType(kind))
}

func checkGroup(g *types.RecordingGroup) error {
	if g == nil {
		return nil
	}
	excluded := g.ExclusionByResourceTypes != nil && len(g.ExclusionByResourceTypes.ResourceTypes) > 0
	switch {
	case g.AllSupported && (len(g.ResourceTypes) > 0 || excluded):
		return &types.InvalidRecordingGroupException{Message: new("The recording group provided is not valid: with allSupported no resource types can be given")}
	case !g.AllSupported && len(g.ResourceTypes) == 0 && !excluded:
		return &types.InvalidRecordingGroupException{Message: new("The recording group provided is not valid: it records nothing")}
	}
	return nil
}

// PutConfigurationRecorder makes the recorder, or changes it. A new one does not record until it is started.
func (s *Service) PutConfigurationRecorder(ctx context.Context, in *configservice.PutConfigurationRecorderInput) (*configservice.PutConfigurationRecorderOutput, error) {
	r := *in.ConfigurationRecorder
	if r.Name == nil {
		r.Name = new("default")
	}
	if r.RecordingGroup == nil {
		r.RecordingGroup = &types.RecordingGroup{AllSupported: true}
	}
	if err := checkGroup(r.RecordingGroup); err != nil {
		return nil, err
	}
	r.Arn, r.RecordingScope = new(s.recorderARN(*r.Name)), types.RecordingScopePaid
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		old, ok := s.recorder(tx)
		same := ok && *old.Recorder.Name == *r.Name
		if ok && !same && !old.Implicit {
			return &types.MaxNumberOfConfigurationRecordersExceededException{Message: new(fmt.Sprintf(
				"Failed to put configuration recorder '%s' because the maximum number of configuration recorders: 1 is reached.", *r.Name))}
		}
		next := recorder{Recorder: r}
		if same {
			next.Recording, next.Started, next.Stopped = old.Recording, old.Started, old.Stopped
		}
		s.recorders.Put(tx, recorderKey, next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.recordAnew()
	return &configservice.PutConfigurationRecorderOutput{}, nil
}

// recordAnew looks at all resources again.
func (s *Service) recordAnew() {
	for _, k := range s.kinds {
		s.changed(k, "")
	}
}

func noRecorder(name string) error {
	return &types.NoSuchConfigurationRecorderException{Message: new(fmt.Sprintf("Cannot find configuration recorder with the specified name '%s'.", name))}
}

// changeRecorder changes the recorder of that name.
func (s *Service) changeRecorder(ctx context.Context, name *string, f func(tx *store.Tx, r *recorder) error) error {
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		r, ok := s.recorder(tx)
		if !ok || *r.Recorder.Name != aws.ToString(name) {
			return noRecorder(aws.ToString(name))
		}
		if err := f(tx, &r); err != nil {
			return err
		}
		s.recorders.Put(tx, recorderKey, r)
		return nil
	})
	if err == nil {
		s.recordAnew()
	}
	return err
}

// StartConfigurationRecorder begins to record.
func (s *Service) StartConfigurationRecorder(ctx context.Context, in *configservice.StartConfigurationRecorderInput) (*configservice.StartConfigurationRecorderOutput, error) {
	err := s.changeRecorder(ctx, in.ConfigurationRecorderName, func(tx *store.Tx, r *recorder) error {
		if s.channels.Len(tx) == 0 && !r.Implicit {
			return &types.NoAvailableDeliveryChannelException{Message: new("Delivery channel is not available to start configuration recorder.")}
		}
		if !r.Recording {
			r.Recording, r.Started = true, s.Clock.Now()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &configservice.StartConfigurationRecorderOutput{}, nil
}

// StopConfigurationRecorder ends recording, and with it the evaluations after changes. What was changed before is recorded.
func (s *Service) StopConfigurationRecorder(ctx context.Context, in *configservice.StopConfigurationRecorderInput) (*configservice.StopConfigurationRecorderOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	err := s.changeRecorder(ctx, in.ConfigurationRecorderName, func(_ *store.Tx, r *recorder) error {
		r.Recording, r.Stopped = false, s.Clock.Now()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &configservice.StopConfigurationRecorderOutput{}, nil
}

// DeleteConfigurationRecorder removes the recorder. What it has recorded stays.
func (s *Service) DeleteConfigurationRecorder(ctx context.Context, in *configservice.DeleteConfigurationRecorderInput) (*configservice.DeleteConfigurationRecorderOutput, error) {
	err := s.changeRecorder(ctx, in.ConfigurationRecorderName, func(_ *store.Tx, r *recorder) error {
		*r = recorder{Deleted: true}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &configservice.DeleteConfigurationRecorderOutput{}, nil
}

// asked returns the recorder if it is among those asked for.
func (s *Service) asked(names []string, arn *string) (r recorder, ok bool, err error) {
	s.Store.View(func(tx *store.Tx) { r, ok = s.recorder(tx) })
	for _, n := range names {
		if !ok || n != *r.Recorder.Name {
			return r, ok, noRecorder(n)
		}
	}
	if arn != nil && (!ok || *arn != *r.Recorder.Arn) {
		return r, ok, noRecorder(*arn)
	}
	return r, ok, nil
}

// DescribeConfigurationRecorders lists the recorder.
func (s *Service) DescribeConfigurationRecorders(_ context.Context, in *configservice.DescribeConfigurationRecordersInput) (*configservice.DescribeConfigurationRecordersOutput, error) {
	r, ok, err := s.asked(in.ConfigurationRecorderNames, in.Arn)
	out := &configservice.DescribeConfigurationRecordersOutput{ConfigurationRecorders: []types.ConfigurationRecorder{}}
	if ok {
		out.ConfigurationRecorders = append(out.ConfigurationRecorders, r.Recorder)
	}
	return out, err
}

// ListConfigurationRecorders lists the recorder in short.
func (s *Service) ListConfigurationRecorders(_ context.Context, in *configservice.ListConfigurationRecordersInput) (*configservice.ListConfigurationRecordersOutput, error) {
	out := &configservice.ListConfigurationRecordersOutput{ConfigurationRecorderSummaries: []types.ConfigurationRecorderSummary{}}
	r, ok, err := s.asked(nil, nil)
	if ok {
		out.ConfigurationRecorderSummaries = append(out.ConfigurationRecorderSummaries, types.ConfigurationRecorderSummary{Arn: r.Recorder.Arn, Name: r.Recorder.Name,
			RecordingScope: r.Recorder.RecordingScope})
	}
	return out, err
}

// DescribeConfigurationRecorderStatus tells whether the recorder records.
func (s *Service) DescribeConfigurationRecorderStatus(_ context.Context, in *configservice.DescribeConfigurationRecorderStatusInput) (*configservice.DescribeConfigurationRecorderStatusOutput, error) {
	r, ok, err := s.asked(in.ConfigurationRecorderNames, in.Arn)
	out := &configservice.DescribeConfigurationRecorderStatusOutput{ConfigurationRecordersStatus: []types.ConfigurationRecorderStatus{}}
	if !ok {
		return out, err
	}
	st := types.ConfigurationRecorderStatus{Name: r.Recorder.Name, Arn: r.Recorder.Arn, Recording: r.Recording, LastStatus: types.RecorderStatusPending}
	if r.Recording {
		st.LastStatus = types.RecorderStatusSuccess
	}
	for _, t := range []struct {
		at time.Time
		to **time.Time
	}{{r.Started, &st.LastStartTime}, {r.Stopped, &st.LastStopTime}} {
		if !t.at.IsZero() {
			*t.to = &t.at
			st.LastStatusChangeTime = &t.at
		}
	}
	if st.LastStartTime != nil && st.LastStopTime != nil && st.LastStartTime.After(*st.LastStopTime) {
		st.LastStatusChangeTime = st.LastStartTime
	}
	out.ConfigurationRecordersStatus = append(out.ConfigurationRecordersStatus, st)
	return out, err
}

// PutDeliveryChannel keeps a delivery channel. Nothing is delivered to it.
func (s *Service) PutDeliveryChannel(ctx context.Context, in *configservice.PutDeliveryChannelInput) (*configservice.PutDeliveryChannelOutput, error) {
	c := *in.DeliveryChannel
	if c.Name == nil {
		c.Name = new("default")
	}
	if err := s.checkBucket(ctx, aws.ToString(c.S3BucketName)); err != nil {
		return nil, err
	}
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, ok := s.recorder(tx); !ok {
			return &types.NoAvailableConfigurationRecorderException{Message: new("Configuration recorder is not available to put delivery channel.")}
		}
		if _, same := s.channels.Get(tx, *c.Name); !same && s.channels.Len(tx) > 0 {
			return &types.MaxNumberOfDeliveryChannelsExceededException{Message: new(fmt.Sprintf(
				"Failed to put delivery channel '%s' because the maximum number of delivery channels: 1 is reached.", *c.Name))}
		}
		s.channels.Put(tx, *c.Name, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &configservice.PutDeliveryChannelOutput{}, nil
}

func (s *Service) checkBucket(ctx context.Context, name string) error {
	if name == "" {
		return &types.NoSuchBucketException{Message: new("Cannot find a S3 bucket with an empty bucket name.")}
	}
	if s.Objects == nil {
		return nil
	}
	if _, err := s.Objects.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name}); err != nil {
		return &types.NoSuchBucketException{Message: new("Cannot find a S3 bucket with the specified bucket name '" + name + "'.")}
	}
	return nil
}

func noChannel(name string) error {
	return &types.NoSuchDeliveryChannelException{Message: new(fmt.Sprintf("Cannot find delivery channel with specified name '%s'.", name))}
}

// DeleteDeliveryChannel forgets a delivery channel, unless a recorder that somebody has put needs it.
func (s *Service) DeleteDeliveryChannel(ctx context.Context, in *configservice.DeleteDeliveryChannelInput) (*configservice.DeleteDeliveryChannelOutput, error) {
	name := aws.ToString(in.DeliveryChannelName)
	err := s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if r, ok := s.recorder(tx); ok && r.Recording && !r.Implicit {
			return &types.LastDeliveryChannelDeleteFailedException{Message: new(fmt.Sprintf(
				"Failed to delete last specified delivery channel with name '%s', because there is a running configuration recorder.", name))}
		}
		if !s.channels.Delete(tx, name) {
			return noChannel(name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &configservice.DeleteDeliveryChannelOutput{}, nil
}

// DescribeDeliveryChannels lists the delivery channel.
func (s *Service) DescribeDeliveryChannels(_ context.Context, in *configservice.DescribeDeliveryChannelsInput) (*configservice.DescribeDeliveryChannelsOutput, error) {
	out := &configservice.DescribeDeliveryChannelsOutput{DeliveryChannels: []types.DeliveryChannel{}}
	var err error
	s.Store.View(func(tx *store.Tx) {
		for _, n := range in.DeliveryChannelNames {
			if _, ok := s.channels.Get(tx, n); !ok {
				err = noChannel(n)
			}
		}
		for _, c := range s.channels.Ascend(tx, "") {
			out.DeliveryChannels = append(out.DeliveryChannels, c)
		}
	})
	return out, err
}

// DescribeDeliveryChannelStatus lists the delivery channel; nothing has been delivered.
func (s *Service) DescribeDeliveryChannelStatus(ctx context.Context, in *configservice.DescribeDeliveryChannelStatusInput) (*configservice.DescribeDeliveryChannelStatusOutput, error) {
	channels, err := s.DescribeDeliveryChannels(ctx, &configservice.DescribeDeliveryChannelsInput{DeliveryChannelNames: in.DeliveryChannelNames})
	if err != nil {
		return nil, err
	}
	out := &configservice.DescribeDeliveryChannelStatusOutput{DeliveryChannelsStatus: []types.DeliveryChannelStatus{}}
	for _, c := range channels.DeliveryChannels {
		out.DeliveryChannelsStatus = append(out.DeliveryChannelsStatus, types.DeliveryChannelStatus{Name: c.Name})
	}
	return out, nil
}
