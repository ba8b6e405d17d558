package inventory

import (
	"regexp"
	"strings"
	"sync"

	"evo/internal/cfn"
)

// anything stands for values that a service chooses itself.
const anything = "*"

// defaults are the values that services fill in where a template asks for nothing, by type and property; places in lists are
// left out of the path. A value is written as CloudFormation's text of it, several with | between them; of a structure, that of
// each member.
var defaults = map[string]map[string]string{
	bucketType: {
		"AccessControl": "Private",
		"BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault.SSEAlgorithm": "AES256",
		"BucketEncryption.ServerSideEncryptionConfiguration.BlockedEncryptionTypes.EncryptionType":      anything,
		"OwnershipControls.Rules.ObjectOwnership":                                                       "BucketOwnerEnforced",
		"PublicAccessBlockConfiguration.BlockPublicAcls":                                                "true",
		"PublicAccessBlockConfiguration.BlockPublicPolicy":                                              "true",
		"PublicAccessBlockConfiguration.IgnorePublicAcls":                                               "true",
		"PublicAccessBlockConfiguration.RestrictPublicBuckets":                                          "true",
		"VersioningConfiguration.Status":                                                                "Suspended",
		"LifecycleConfiguration.Rules.Id":                                                               anything,
		"LifecycleConfiguration.TransitionDefaultMinimumObjectSize":                                     "all_storage_classes_128K",
		"LoggingConfiguration.DestinationBucketName":                                                    anything,
		"LoggingConfiguration.TargetObjectKeyFormat":                                                    anything,
		"ReplicationConfiguration.Rules.Id":                                                             anything,
		"ReplicationConfiguration.Rules.Priority":                                                       "0",
		"ReplicationConfiguration.Rules.DeleteMarkerReplication.Status":                                 "Disabled",
		"ObjectLockConfiguration.ObjectLockEnabled":                                                     "Enabled",
	},
	tableType: {
		"BillingMode": "PROVISIONED", "TableClass": "STANDARD", "SSESpecification.SSEType": "KMS", "SSESpecification.KMSMasterKeyId": anything,
		"PointInTimeRecoverySpecification.RecoveryPeriodInDays": "35",
		"OnDemandThroughput.MaxReadRequestUnits":                "-1", "OnDemandThroughput.MaxWriteRequestUnits": "-1",
	},
	scalableTargetType: {},
	functionType: {
		"Architectures": "x86_64", "EphemeralStorage.Size": "512", "LoggingConfig.LogFormat": "Text", "LoggingConfig.LogGroup": anything,
		"LoggingConfig.ApplicationLogLevel": "INFO", "LoggingConfig.SystemLogLevel": "INFO",
		"MemorySize": "128", "Timeout": "3", "PackageType": "Zip", "SnapStart.ApplyOn": "None", "TracingConfig.Mode": "PassThrough",
	},
	urlType:     {"InvokeMode": "BUFFERED"},
	restAPIType: {"Name": anything, "Description": anything, "ApiKeySourceType": "HEADER", "EndpointConfiguration.Types": "EDGE", "BinaryMediaTypes": anything, "EndpointConfiguration.IpAddressType": "ipv4", "SecurityPolicy": anything},
	restStageType: {
		"CacheClusterSize": "0.5", "DeploymentId": anything,
		"MethodSettings.CacheTtlInSeconds": "300", "MethodSettings.LoggingLevel": "OFF", "MethodSettings.ThrottlingBurstLimit": "-1|0|5000",
		"MethodSettings.ThrottlingRateLimit": "-1|0|10000",
	},
	httpAPIType: {"Name": anything, "Description": anything, "Version": anything, "ProtocolType": "HTTP", "CorsConfiguration": anything,
		"RouteSelectionExpression": anything, "ApiKeySelectionExpression": anything, "Tags": anything},
	httpStageType: {"DeploymentId": anything, "DefaultRouteSettings.ThrottlingBurstLimit": anything, "DefaultRouteSettings.ThrottlingRateLimit": anything},
	httpRouteType: {"AuthorizationType": "NONE"},
	alarmType: {"ActionsEnabled": "true", "TreatMissingData": "missing", "DatapointsToAlarm": anything, "EvaluateLowSampleCountPercentile": "evaluate",
		"Metrics.ReturnData": "true"},
	compositeAlarmType:  {"ActionsEnabled": "true"},
	logGroupType:        {"LogGroupClass": "STANDARD"},
	roleType:            {"MaxSessionDuration": "3600", "Path": "/"},
	deploymentGroupType: {"DeploymentConfigName": anything, "AlarmConfiguration.IgnorePollAlarmFailure": "false"},
	scalingPolicyType:   {"TargetTrackingScalingPolicyConfiguration.ScaleInCooldown": "0", "TargetTrackingScalingPolicyConfiguration.ScaleOutCooldown": "0"},
}

var place = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\.[0-9]+\b`) })

// filledIn reports whether a value that nobody asked for is what the service fills in.
func (c *comparison) filledIn(path string, live *cfn.Node) bool {
	return filled(defaults[c.item.Type], place().ReplaceAllString(path, ""), live)
}

func filled(defaults map[string]string, path string, live *cfn.Node) bool {
	if value, ok := defaults[path]; ok {
		if value == anything {
			return true
		}
		for _, v := range strings.Split(value, "|") {
			if same(cfn.Str(v), live) {
				return true
			}
		}
		return false
	}
	switch {
	case live.Is(cfn.Map):
		for _, p := range live.Pairs {
			if !off(p.Value) && !filled(defaults, path+"."+p.Key, p.Value) {
				return false
			}
		}
		return len(live.Pairs) > 0
	case live.Is(cfn.List):
		for _, n := range live.Items {
			if !filled(defaults, path, n) {
				return false
			}
		}
		return len(live.Items) > 0
	}
	return false
}

// isDefault reports whether a value that was asked for is what stands there anyway.
func (c *comparison) isDefault(path string, desired *cfn.Node) bool { return c.filledIn(path, desired) }
