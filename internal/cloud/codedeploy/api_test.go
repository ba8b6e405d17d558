package codedeploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

func TestApplications(t *testing.T) {
	bubble(t, func(w *world) {
		create := func(name string, platform types.ComputePlatform) error {
			_, err := w.cd.CreateApplication(w.ctx, &codedeploy.CreateApplicationInput{ApplicationName: &name, ComputePlatform: platform})
			return err
		}
		wantError[*types.ApplicationAlreadyExistsException](t, create("app", types.ComputePlatformLambda))
		wantError[*types.InvalidApplicationNameException](t, create("a/b", types.ComputePlatformLambda))
		w.must(nil, create("servers", ""))
		w.group("CodeDeployDefault.LambdaAllAtOnce")
		id := w.deploy()
		w.await(id)
		w.must(w.cd.UpdateApplication(w.ctx, &codedeploy.UpdateApplicationInput{ApplicationName: aws.String("app"), NewApplicationName: aws.String("shop")}))
		if got := *w.get(id).ApplicationName; got != "shop" {
			t.Errorf("the deployment belongs to %s", got)
		}
		_, err := w.cd.GetApplication(w.ctx, &codedeploy.GetApplicationInput{ApplicationName: aws.String("app")})
		wantError[*types.ApplicationDoesNotExistException](t, err)
		list, err := w.cd.ListApplications(w.ctx, &codedeploy.ListApplicationsInput{})
		if err != nil || fmt.Sprint(list.Applications) != "[servers shop]" {
			t.Errorf("%v, %v", list, err)
		}
		w.must(w.cd.DeleteApplication(w.ctx, &codedeploy.DeleteApplicationInput{ApplicationName: aws.String("shop")}))
		_, err = w.cd.ListDeploymentGroups(w.ctx, &codedeploy.ListDeploymentGroupsInput{ApplicationName: aws.String("shop")})
		wantError[*types.ApplicationDoesNotExistException](t, err)
		_, err = w.cd.CreateDeploymentGroup(w.ctx, &codedeploy.CreateDeploymentGroupInput{
			ApplicationName: aws.String("servers"), DeploymentGroupName: aws.String("g"), ServiceRoleArn: aws.String("arn:aws:iam::000000000000:role/r")})
		if err == nil || !strings.Contains(err.Error(), "only Lambda is there") {
			t.Errorf("a group of servers: %v", err)
		}
	})
}

func TestGroups(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaAllAtOnce")
		update := func(change func(*codedeploy.UpdateDeploymentGroupInput)) error {
			in := &codedeploy.UpdateDeploymentGroupInput{ApplicationName: aws.String("app"), CurrentDeploymentGroupName: aws.String("g")}
			change(in)
			_, err := w.cd.UpdateDeploymentGroup(w.ctx, in)
			return err
		}
		alarms := func(names ...string) func(*codedeploy.UpdateDeploymentGroupInput) {
			return func(in *codedeploy.UpdateDeploymentGroupInput) {
				in.AlarmConfiguration = &types.AlarmConfiguration{Enabled: true}
				for _, n := range names {
					in.AlarmConfiguration.Alarms = append(in.AlarmConfiguration.Alarms, types.Alarm{Name: aws.String(n)})
				}
			}
		}
		wantError[*types.InvalidAlarmConfigException](t, update(alarms()))
		wantError[*types.InvalidAlarmConfigException](t, update(alarms("a", "a")))
		wantError[*types.AlarmsLimitExceededException](t, update(alarms(strings.Split("a b c d e f g h i j k", " ")...)))
		w.must(nil, update(alarms("a", "b")))
		wantError[*types.InvalidAutoRollbackConfigException](t, update(func(in *codedeploy.UpdateDeploymentGroupInput) {
			in.AutoRollbackConfiguration = &types.AutoRollbackConfiguration{Enabled: true}
		}))
		wantError[*types.InvalidRoleException](t, update(func(in *codedeploy.UpdateDeploymentGroupInput) { in.ServiceRoleArn = aws.String("me") }))
		wantError[*types.DeploymentConfigDoesNotExistException](t, update(func(in *codedeploy.UpdateDeploymentGroupInput) { in.DeploymentConfigName = aws.String("x") }))
		wantError[*types.InvalidDeploymentStyleException](t, update(func(in *codedeploy.UpdateDeploymentGroupInput) {
			in.DeploymentStyle = &types.DeploymentStyle{DeploymentType: types.DeploymentTypeInPlace}
		}))
		w.must(nil, update(func(in *codedeploy.UpdateDeploymentGroupInput) { in.NewDeploymentGroupName = aws.String("h") }))
		out, err := w.cd.BatchGetDeploymentGroups(w.ctx, &codedeploy.BatchGetDeploymentGroupsInput{ApplicationName: aws.String("app"), DeploymentGroupNames: []string{"g", "h"}})
		if err != nil || len(out.DeploymentGroupsInfo) != 1 || aws.ToString(out.ErrorMessage) != "No Deployment Group found for name: g" {
			t.Errorf("%+v, %v", out, err)
		}
		if got := len(out.DeploymentGroupsInfo[0].AlarmConfiguration.Alarms); got != 2 {
			t.Errorf("%d alarms: a refused update was half applied", got)
		}
		w.must(w.cd.DeleteDeploymentGroup(w.ctx, &codedeploy.DeleteDeploymentGroupInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("h")}))
		_, err = w.cd.GetDeploymentGroup(w.ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("h")})
		wantError[*types.DeploymentGroupDoesNotExistException](t, err)
	})
}

func TestDeploymentConfigs(t *testing.T) {
	bubble(t, func(w *world) {
		create := func(name string, percent, minutes int32) error {
			_, err := w.cd.CreateDeploymentConfig(w.ctx, &codedeploy.CreateDeploymentConfigInput{
				DeploymentConfigName: &name, ComputePlatform: types.ComputePlatformLambda,
				TrafficRoutingConfig: &types.TrafficRoutingConfig{
					Type: types.TrafficRoutingTypeTimeBasedCanary, TimeBasedCanary: &types.TimeBasedCanary{CanaryPercentage: percent, CanaryInterval: minutes},
				},
			})
			return err
		}
		wantError[*types.InvalidTrafficRoutingConfigurationException](t, create("c", 100, 5))
		wantError[*types.InvalidTrafficRoutingConfigurationException](t, create("c", 10, 2881))
		wantError[*types.InvalidDeploymentConfigNameException](t, create("CodeDeployDefault.Mine", 10, 5))
		w.must(nil, create("mine", 50, 1))
		wantError[*types.DeploymentConfigAlreadyExistsException](t, create("mine", 50, 1))
		w.group("mine")
		remove := func(name string) error {
			_, err := w.cd.DeleteDeploymentConfig(w.ctx, &codedeploy.DeleteDeploymentConfigInput{DeploymentConfigName: &name})
			return err
		}
		wantError[*types.DeploymentConfigInUseException](t, remove("mine"))
		wantError[*types.InvalidOperationException](t, remove("CodeDeployDefault.LambdaAllAtOnce"))
		out, err := w.cd.ListDeploymentConfigs(w.ctx, &codedeploy.ListDeploymentConfigsInput{})
		if err != nil || len(out.DeploymentConfigsList) != 10 || !slices.Contains(out.DeploymentConfigsList, "CodeDeployDefault.LambdaLinear10PercentEvery1Minute") {
			t.Errorf("%v, %v", out, err)
		}
		got, err := w.cd.GetDeploymentConfig(w.ctx, &codedeploy.GetDeploymentConfigInput{DeploymentConfigName: aws.String("mine")})
		if err != nil || got.DeploymentConfigInfo.TrafficRoutingConfig.TimeBasedCanary.CanaryPercentage != 50 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestListDeployments(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaAllAtOnce")
		var ids []string
		for range 105 {
			w.lambda.mu.Lock()
			w.lambda.set("1", nil)
			w.lambda.mu.Unlock()
			ids = append(ids, w.deploy())
			w.await(ids[len(ids)-1])
		}
		slices.Reverse(ids)
		in := &codedeploy.ListDeploymentsInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g"), IncludeOnlyStatuses: []types.DeploymentStatus{types.DeploymentStatusSucceeded}}
		first, err := w.cd.ListDeployments(w.ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		in.NextToken = first.NextToken
		second, err := w.cd.ListDeployments(w.ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if got := append(first.Deployments, second.Deployments...); len(first.Deployments) != 100 || !slices.Equal(got, ids) || second.NextToken != nil {
			t.Errorf("%d and %d deployments", len(first.Deployments), len(second.Deployments))
		}
		_, err = w.cd.ListDeployments(w.ctx, &codedeploy.ListDeploymentsInput{NextToken: aws.String("x")})
		wantError[*types.InvalidNextTokenException](t, err)
		_, err = w.cd.ListDeployments(w.ctx, &codedeploy.ListDeploymentsInput{ApplicationName: aws.String("app")})
		wantError[*types.DeploymentGroupNameRequiredException](t, err)
		late := time.Now().Add(time.Hour)
		none, err := w.cd.ListDeployments(w.ctx, &codedeploy.ListDeploymentsInput{ExternalId: aws.String("x")})
		if err != nil || len(none.Deployments) != 0 {
			t.Errorf("by an external id: %v (%v)", none, err)
		}
		none, err = w.cd.ListDeployments(w.ctx, &codedeploy.ListDeploymentsInput{CreateTimeRange: &types.TimeRange{Start: &late}})
		if err != nil || len(none.Deployments) != 0 {
			t.Errorf("%v, %v", none, err)
		}
		batch, err := w.cd.BatchGetDeployments(w.ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: append([]string{"d-000000000"}, ids[:2]...)})
		if err != nil || len(batch.DeploymentsInfo) != 2 {
			t.Errorf("%v, %v", batch, err)
		}
		_, err = w.cd.BatchGetDeployments(w.ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: ids[:26]})
		wantError[*types.BatchLimitExceededException](t, err)
	})
}

func TestTargets(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaCanary10Percent5Minutes")
		id := w.deploy()
		synctest.Wait()
		list, err := w.cd.ListDeploymentTargets(w.ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: &id})
		if err != nil || len(list.TargetIds) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		get := func(target string) (*codedeploy.BatchGetDeploymentTargetsOutput, error) {
			return w.cd.BatchGetDeploymentTargets(w.ctx, &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: &id, TargetIds: []string{target}})
		}
		_, err = get("other")
		wantError[*types.DeploymentTargetDoesNotExistException](t, err)
		for _, want := range []float64{0.1, 1} {
			out, err := get(list.TargetIds[0])
			if err != nil {
				t.Fatal(err)
			}
			if got := out.DeploymentTargets[0].LambdaTarget.LambdaFunctionInfo.TargetVersionWeight; got != want {
				t.Errorf("weight %v, want %v", got, want)
			}
			w.await(id)
		}
		_, err = w.cd.ContinueDeployment(w.ctx, &codedeploy.ContinueDeploymentInput{DeploymentId: &id})
		wantError[*types.UnsupportedActionForDeploymentTypeException](t, err)
	})
}

func TestRevisions(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaAllAtOnce")
		bad := spec()
		bad.AppSpecContent.Sha256 = aws.String("00")
		create := func(r *types.RevisionLocation) error {
			_, err := w.cd.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g"), Revision: r})
			return err
		}
		wantError[*types.InvalidRevisionException](t, create(bad))
		wantError[*types.RevisionRequiredException](t, create(nil))
		wantError[*types.InvalidRevisionException](t, create(&types.RevisionLocation{RevisionType: types.RevisionLocationTypeString, String_: &types.RawString{Content: aws.String("a: [")}}))
		get := func() (*codedeploy.GetApplicationRevisionOutput, error) {
			return w.cd.GetApplicationRevision(w.ctx, &codedeploy.GetApplicationRevisionInput{ApplicationName: aws.String("app"), Revision: spec()})
		}
		_, err := get()
		wantError[*types.RevisionDoesNotExistException](t, err)
		w.must(w.cd.RegisterApplicationRevision(w.ctx, &codedeploy.RegisterApplicationRevisionInput{ApplicationName: aws.String("app"), Revision: spec(), Description: aws.String("two")}))
		w.await(w.deploy())
		out, err := get()
		if err != nil || *out.RevisionInfo.Description != "two" || fmt.Sprint(out.RevisionInfo.DeploymentGroups) != "[g]" || out.RevisionInfo.LastUsedTime == nil {
			t.Errorf("%+v, %v", out, err)
		}
		list, err := w.cd.ListApplicationRevisions(w.ctx, &codedeploy.ListApplicationRevisionsInput{ApplicationName: aws.String("app"), Deployed: types.ListStateFilterActionInclude})
		if err != nil || len(list.Revisions) != 1 {
			t.Errorf("%v, %v", list, err)
		}
		back := spec()
		back.AppSpecContent.Content = aws.String(strings.NewReplacer(`"1"`, `"2"`, `"2"`, `"1"`).Replace(*back.AppSpecContent.Content))
		made, err := w.cd.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g"), Revision: back})
		if err != nil {
			t.Fatal(err)
		}
		w.await(*made.DeploymentId)
		if out, err = get(); err != nil || len(out.RevisionInfo.DeploymentGroups) != 0 {
			t.Errorf("a revision that is no group's target any more: %+v, %v", out.RevisionInfo, err)
		}
	})
}

// A deployment that outlives its group is rolled back, and is none of the business of a new group with the old one's name.
func TestGroupIsMadeAgain(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaCanary10Percent5Minutes")
		id := w.deploy()
		time.Sleep(time.Minute) // of the bubble's: traffic shifts
		w.must(w.cd.DeleteDeploymentGroup(w.ctx, &codedeploy.DeleteDeploymentGroupInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g")}))
		w.group("CodeDeployDefault.LambdaAllAtOnce")
		w.must(w.cd.StopDeployment(w.ctx, &codedeploy.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: aws.Bool(true)}))
		if d := w.await(id); d.RollbackInfo == nil || d.RollbackInfo.RollbackDeploymentId == nil {
			t.Fatalf("not rolled back: %+v", d)
		}
		out, err := w.cd.GetDeploymentGroup(w.ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g")})
		if err != nil || out.DeploymentGroupInfo.LastAttemptedDeployment != nil {
			t.Errorf("the new group has attempted %+v, %v", out.DeploymentGroupInfo.LastAttemptedDeployment, err)
		}
		if d := w.await(w.deploy()); d.Status != types.DeploymentStatusSucceeded {
			t.Errorf("the new group's deployment: %s %+v", d.Status, d.ErrorInformation)
		}
	})
}

func TestTags(t *testing.T) {
	bubble(t, func(w *world) {
		w.group("CodeDeployDefault.LambdaAllAtOnce")
		arn := aws.String("arn:aws:codedeploy:us-east-1:000000000000:deploymentgroup:app/g")
		w.must(w.cd.TagResource(w.ctx, &codedeploy.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}, {Key: aws.String("a"), Value: aws.String("1")}}}))
		w.must(w.cd.UntagResource(w.ctx, &codedeploy.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"b"}}))
		out, err := w.cd.ListTagsForResource(w.ctx, &codedeploy.ListTagsForResourceInput{ResourceArn: arn})
		if err != nil || len(out.Tags) != 1 || *out.Tags[0].Key != "a" {
			t.Errorf("%v, %v", out, err)
		}
		_, err = w.cd.ListTagsForResource(w.ctx, &codedeploy.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:s3:::b")})
		wantError[*types.InvalidArnException](t, err)
	})
}
