package rules_test

import (
	"testing"

	"evo/internal/rules"
)

// TestRulesWithoutCases holds the managed rules that the conformance cases do not touch in AWS Config's reading against resources
// of each kind. The resource that is judged is X.
func TestRulesWithoutCases(t *testing.T) {
	for _, c := range []struct {
		rule, parameters, typ, properties, others string
		want                                      rules.Compliance
	}{
		{"lambda-concurrency-check", "{ConcurrencyLimitLow: 5, ConcurrencyLimitHigh: 9}", "Lambda::Function", "ReservedConcurrentExecutions: 5", "", pass},
		{"lambda-concurrency-check", "{ConcurrencyLimitLow: 5, ConcurrencyLimitHigh: 9}", "Lambda::Function", "ReservedConcurrentExecutions: 10", "", fail},
		{"lambda-concurrency-check", "{}", "Lambda::Function", "", "", fail},
		{"lambda-dlq-check", "{dlqArns: 'a, b'}", "Lambda::Function", "DeadLetterConfig: {TargetArn: b}", "", pass},
		{"lambda-dlq-check", "{dlqArns: 'a, b'}", "Lambda::Function", "DeadLetterConfig: {TargetArn: c}", "", fail},
		{"lambda-dlq-check", "{dlqArns: 'a, b'}", "Lambda::Function", "DeadLetterConfig: {TargetArn: !Ref Q}", "", open},
		{"lambda-inside-vpc", "{subnetIds: 's-1,s-2'}", "Lambda::Function", "VpcConfig: {SubnetIds: [s-1, s-3]}", "", fail},
		{"lambda-inside-vpc", "{}", "Lambda::Function", "VpcConfig: {SubnetIds: []}", "", fail},
		{"lambda-vpc-multi-az-check", "{}", "Lambda::Function", "VpcConfig: {SubnetIds: [!Ref A, !Ref B]}", " A: {Type: 'AWS::EC2::Subnet', Properties: {AvailabilityZone: a}}\n B: {Type: 'AWS::EC2::Subnet', Properties: {AvailabilityZone: b}}", pass},
		{"lambda-vpc-multi-az-check", "{availabilityZones: 3}", "Lambda::Function", "VpcConfig: {SubnetIds: [!Ref A, !Ref B]}", " A: {Type: 'AWS::EC2::Subnet', Properties: {AvailabilityZone: a}}\n B: {Type: 'AWS::EC2::Subnet', Properties: {AvailabilityZone: b}}", fail},
		{"lambda-vpc-multi-az-check", "{}", "Lambda::Function", "VpcConfig: {SubnetIds: [s-1]}", "", open},
		{"lambda-function-log-format-json", "{}", "Lambda::Function", "LoggingConfig: {LogFormat: JSON}", "", pass},
		{"lambda-function-application-log-level-check", "{logLevel: 'WARN,ERROR'}", "Lambda::Function", "LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: ERROR}", "", pass},
		{"lambda-function-application-log-level-check", "{logLevel: 'WARN,ERROR'}", "Lambda::Function", "LoggingConfig: {LogFormat: JSON}", "", fail},
		{"lambda-function-system-log-level-check", "{logLevel: INFO}", "Lambda::Function", "LoggingConfig: {LogFormat: JSON}", "", pass},
		{"lambda-function-system-log-level-check", "{logLevel: INFO}", "Lambda::Function", "LoggingConfig: {LogFormat: Text}", "", fail},
		{"codedeploy-lambda-allatonce-traffic-shift-disabled", "{}", "CodeDeploy::DeploymentGroup", "DeploymentConfigName: CodeDeployDefault.LambdaLinear10PercentEvery1Minute", "", pass},
		{"codedeploy-lambda-allatonce-traffic-shift-disabled", "{}", "CodeDeploy::DeploymentGroup", "DeploymentConfigName: CodeDeployDefault.OneAtATime", "", skip},
		{"codedeploy-lambda-allatonce-traffic-shift-disabled", "{}", "CodeDeploy::DeploymentGroup", "ApplicationName: !Ref App", " App: {Type: 'AWS::CodeDeploy::Application', Properties: {ComputePlatform: Lambda}}", fail},
		{"codedeploy-auto-rollback-monitor-enabled", "{}", "CodeDeploy::DeploymentGroup", "AutoRollbackConfiguration: {Enabled: true}, AlarmConfiguration: {Enabled: true, Alarms: [{Name: a}]}", "", pass},
		{"codedeploy-auto-rollback-monitor-enabled", "{}", "CodeDeploy::DeploymentGroup", "AutoRollbackConfiguration: {Enabled: true}, AlarmConfiguration: {Enabled: true}", "", fail},
		{"cloudformation-stack-drift-detection-check", "{}", "CloudFormation::Stack", "", "", open},
		{"api-gw-ssl-enabled", "{CertificateIDs: c}", "ApiGateway::Stage", "ClientCertificateId: c", "", pass},
		{"api-gw-endpoint-type-check", "{endpointConfigurationTypes: REGIONAL}", "ApiGateway::RestApi", "EndpointConfiguration: {Types: [REGIONAL]}", "", pass},
		{"api-gw-endpoint-type-check", "{endpointConfigurationTypes: REGIONAL}", "ApiGateway::RestApi", "", "", fail},
		{"api-gw-execution-logging-enabled", "{}", "ApiGateway::Stage", "MethodSettings: [{LoggingLevel: ERROR}, {LoggingLevel: INFO}]", "", pass},
		{"api-gw-execution-logging-enabled", "{loggingLevel: INFO}", "ApiGateway::Stage", "MethodSettings: [{LoggingLevel: ERROR}]", "", fail},
		{"api-gw-cache-enabled-and-encrypted", "{}", "ApiGateway::Stage", "MethodSettings: [{CachingEnabled: true, CacheDataEncrypted: true}]", "", pass},
		{"api-gwv2-authorization-type-configured", "{}", "ApiGatewayV2::Route", "AuthorizationType: NONE", "", fail},
		{"api-gwv2-authorization-type-configured", "{authorizationType: JWT}", "ApiGatewayV2::Route", "AuthorizationType: AWS_IAM", "", fail},
		{"api-gwv2-authorization-type-configured", "{}", "ApiGatewayV2::Route", "AuthorizationType: JWT", "", pass},
		{"appsync-logging-enabled", "{}", "AppSync::GraphQLApi", "LogConfig: {FieldLogLevel: ALL}", "", pass},
		{"appsync-logging-enabled", "{fieldLoggingLevel: ERROR}", "AppSync::GraphQLApi", "LogConfig: {FieldLogLevel: ALL}", "", fail},
		{"dynamodb-table-encrypted-kms", "{kmsKeyArns: k}", "DynamoDB::Table", "SSESpecification: {SSEEnabled: true, KMSMasterKeyId: k}", "", pass},
		{"dynamodb-table-encrypted-kms", "{kmsKeyArns: k}", "DynamoDB::Table", "SSESpecification: {SSEEnabled: true}", "", fail},
		{"dynamodb-in-backup-plan", "{}", "DynamoDB::Table", "", " S: {Type: 'AWS::Backup::BackupSelection', Properties: {BackupSelection: {Resources: [!GetAtt X.Arn]}}}", pass},
		{"dynamodb-in-backup-plan", "{}", "DynamoDB::Table", "", "", open},
		{"dynamodb-resources-protected-by-backup-plan", "{resourceId: other}", "DynamoDB::Table", "TableName: orders", "", skip},
		{"s3-bucket-level-public-access-prohibited", "{excludedPublicBuckets: site}", "S3::Bucket", "BucketName: site", "", pass},
		{"s3-default-encryption-kms", "{kmsKeyArns: k}", "S3::Bucket", "BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms', KMSMasterKeyID: other}}]}", "", fail},
		{"s3-bucket-acl-prohibited", "{}", "S3::Bucket", "AccessControl: BucketOwnerFullControl", "", fail},
		{"s3-bucket-acl-prohibited", "{}", "S3::Bucket", "AccessControl: LogDeliveryWrite", "", pass},
		{"s3-bucket-default-lock-enabled", "{mode: COMPLIANCE}", "S3::Bucket", "ObjectLockEnabled: true, ObjectLockConfiguration: {Rule: {DefaultRetention: {Mode: GOVERNANCE}}}", "", fail},
		{"s3-lifecycle-policy-check", "{targetTransitionDays: 30, targetTransitionStorageClass: GLACIER, targetExpirationDays: 90, targetPrefix: a}", "S3::Bucket", "LifecycleConfiguration: {Rules: [{Status: Disabled}, {Status: Enabled, Prefix: a, ExpirationInDays: 90, Transitions: [{TransitionInDays: 30, StorageClass: GLACIER}]}]}", "", pass},
		{"s3-lifecycle-policy-check", "{}", "S3::Bucket", "LifecycleConfiguration: {Rules: [{Status: Disabled}]}", "", fail},
		{"s3-lifecycle-policy-check", "{bucketNames: other}", "S3::Bucket", "BucketName: this", "", skip},
		{"s3-version-lifecycle-policy-check", "{}", "S3::Bucket", "VersioningConfiguration: {Status: Enabled}, LifecycleConfiguration: {Rules: [{Status: Enabled}]}", "", pass},
		{"s3-version-lifecycle-policy-check", "{}", "S3::Bucket", "VersioningConfiguration: {Status: Enabled}", "", fail},
		{"s3-event-notifications-enabled", "{}", "S3::Bucket", "NotificationConfiguration: {EventBridgeConfiguration: {}}", "", pass},
		{"s3-event-notifications-enabled", "{destinationArn: q, eventTypes: 's3:ObjectCreated:*'}", "S3::Bucket", "NotificationConfiguration: {QueueConfigurations: [{Queue: q, Event: 's3:ObjectCreated:*'}]}", "", pass},
		{"s3-event-notifications-enabled", "{eventTypes: 's3:ObjectRemoved:*'}", "S3::Bucket", "NotificationConfiguration: {QueueConfigurations: [{Queue: q, Event: 's3:ObjectCreated:*'}]}", "", fail},
		{"s3-bucket-policy-grantee-check", "{awsPrincipals: '111122223333'}", "S3::Bucket", "", policyOf("Principal: {AWS: '111122223333'}, Action: 's3:*'"), pass},
		{"s3-bucket-policy-grantee-check", "{awsPrincipals: '111122223333'}", "S3::Bucket", "", policyOf("Principal: {AWS: '444455556666'}, Action: 's3:*'"), fail},
		{"s3-bucket-policy-grantee-check", "{vpcIds: vpc-1}", "S3::Bucket", "", policyOf("Principal: '*', Action: 's3:*', Condition: {StringEquals: {'aws:SourceVpc': vpc-1}}"), pass},
		{"s3-bucket-policy-grantee-check", "{}", "S3::Bucket", "", "", pass},
		{"s3-bucket-blacklisted-actions-prohibited", "{blacklistedActionPattern: 's3:Put*'}", "S3::Bucket", "", policyOf("Principal: '*', Action: 's3:PutObject'"), fail},
		{"s3-bucket-blacklisted-actions-prohibited", "{blacklistedActionPattern: 's3:Put*'}", "S3::Bucket", "", policyOf("Principal: {AWS: !Sub 'arn:aws:iam::${AWS::AccountId}:root'}, Action: 's3:PutObject'"), pass},
		{"s3-bucket-blacklisted-actions-prohibited", "{blacklistedActionPattern: 's3:Put*'}", "S3::Bucket", "", policyOf("Principal: {AWS: '444455556666'}, Action: 's3:PutObject'"), open},
		{"sqs-queue-dlq-check", "{}", "SQS::Queue", "RedrivePolicy: {maxReceiveCount: 3}", "", pass},
		{"sqs-queue-no-public-access", "{}", "SQS::Queue", "", " P: {Type: 'AWS::SQS::QueuePolicy', Properties: {Queues: [!Ref X], PolicyDocument: {Statement: {Effect: Allow, Principal: '*', Action: 'sqs:SendMessage'}}}}", fail},
		{"sqs-queue-no-public-access", "{}", "SQS::Queue", "QueueName: q", " P: {Type: 'AWS::SQS::QueuePolicy', Properties: {Queues: ['https://sqs.eu-west-1.amazonaws.com/111122223333/q'], PolicyDocument: {Statement: {Effect: Allow, Principal: '*', Action: 'sqs:SendMessage', Condition: {ArnEquals: {'aws:SourceArn': 'arn:aws:sns:eu-west-1:1:t'}}}}}}", pass},
		{"sqs-queue-policy-full-access-check", "{}", "SQS::Queue", "", " P: {Type: 'AWS::SQS::QueuePolicy', Properties: {Queues: [!Ref X], PolicyDocument: {Statement: {Effect: Allow, Principal: {AWS: a}, Action: 'SQS:*'}}}}", fail},
		{"sns-topic-no-public-access", "{}", "SNS::Topic", "TopicName: t", " P: {Type: 'AWS::SNS::TopicPolicy', Properties: {Topics: ['arn:aws:sns:eu-west-1:1:t'], PolicyDocument: {Statement: {Effect: Allow, Principal: '*', Action: 'sns:Publish'}}}}", fail},
		{"sns-topic-message-delivery-notification-enabled", "{}", "SNS::Topic", "DeliveryStatusLogging: [{Protocol: sqs, FailureFeedbackRoleArn: r}]", "", pass},
		{"sns-topic-message-delivery-notification-enabled", "{}", "SNS::Topic", "DeliveryStatusLogging: [{Protocol: sqs}]", "", fail},
		{"custom-eventbus-policy-attached", "{}", "Events::EventBus", "Name: b", " P: {Type: 'AWS::Events::EventBusPolicy', Properties: {EventBusName: !Ref X}}", pass},
		{"custom-eventbus-policy-attached", "{}", "Events::EventBus", "Name: b", " P: {Type: 'AWS::Events::EventBusPolicy', Properties: {EventBusName: default}}", fail},
		{"step-functions-state-machine-logging-enabled", "{logLevel: ERROR}", "StepFunctions::StateMachine", "LoggingConfiguration: {Level: FATAL}", "", fail},
		{"step-functions-state-machine-logging-enabled", "{logLevel: ERROR}", "StepFunctions::StateMachine", "LoggingConfiguration: {Level: ALL}", "", pass},
		{"cloudwatch-log-group-encrypted", "{KmsKeyId: k}", "Logs::LogGroup", "KmsKeyId: other", "", fail},
		{"cw-loggroup-retention-period-check", "{}", "Logs::LogGroup", "", "", pass},
		{"cw-loggroup-retention-period-check", "{}", "Logs::LogGroup", "RetentionInDays: 90", "", fail},
		{"cw-loggroup-retention-period-check", "{MinRetentionTime: 90}", "Logs::LogGroup", "RetentionInDays: 90", "", pass},
		{"cw-loggroup-retention-period-check", "{LogGroupNames: '/aws/'}", "Logs::LogGroup", "LogGroupName: mine, RetentionInDays: 1", "", skip},
		{"cloudwatch-alarm-action-check", "{}", "CloudWatch::Alarm", "AlarmActions: [a], InsufficientDataActions: [a]", "", pass},
		{"cloudwatch-alarm-action-check", "{insufficientDataActionRequired: 'false', action1: b}", "CloudWatch::Alarm", "AlarmActions: [a]", "", fail},
		{"cloudwatch-alarm-action-enabled-check", "{}", "CloudWatch::Alarm", "ActionsEnabled: false", "", fail},
		{"cloudwatch-alarm-settings-check", "{metricName: Errors, threshold: 1, statistic: Sum}", "CloudWatch::Alarm", "MetricName: Errors, Threshold: 1.0, Period: 300, Statistic: Sum", "", pass},
		{"cloudwatch-alarm-settings-check", "{metricName: Errors}", "CloudWatch::Alarm", "MetricName: Errors, Period: 60", "", fail},
		{"cloudwatch-alarm-settings-check", "{metricName: Errors}", "CloudWatch::Alarm", "MetricName: Latency", "", skip},
		{"cmk-backing-key-rotation-enabled", "{}", "KMS::Key", "KeySpec: RSA_2048", "", skip},
		{"kms-key-policy-no-public-access", "{}", "KMS::Key", "KeyPolicy: {Statement: [{Effect: Allow, Principal: '*', Action: 'kms:*', Resource: '*'}]}", "", fail},
		{"kms-key-policy-no-public-access", "{}", "KMS::Key", "KeyPolicy: {Statement: [{Effect: Allow, Principal: {AWS: '*'}, Action: 'kms:*', Condition: {StringEquals: {'kms:CallerAccount': !Ref AWS::AccountId}}}]}", "", pass},
		{"iam-policy-no-statements-with-admin-access", "{excludePermissionBoundaryPolicy: 'true'}", "IAM::ManagedPolicy", "PolicyDocument: {Statement: {Effect: Allow, Action: '*', Resource: ['*']}}", " R: {Type: 'AWS::IAM::Role', Properties: {PermissionsBoundary: !Ref X}}", skip},
		{"iam-policy-no-statements-with-admin-access", "{}", "IAM::Role", "Policies: [{PolicyDocument: {Statement: {Effect: Allow, Action: '*', Resource: '*'}}}]", "", fail},
		{"iam-no-inline-policy-check", "{}", "IAM::Role", "", " P: {Type: 'AWS::IAM::Policy', Properties: {Roles: [!Ref X]}}", fail},
		{"iam-user-no-policies-check", "{}", "IAM::User", "Groups: [g]", "", pass},
		{"iam-user-no-policies-check", "{}", "IAM::User", "UserName: u", " P: {Type: 'AWS::IAM::ManagedPolicy', Properties: {Users: [u]}}", fail},
		{"iam-customer-policy-blocked-kms-actions", "{blockedActionsPatterns: 'kms:Decrypt'}", "IAM::ManagedPolicy", "PolicyDocument: {Statement: {Effect: Allow, Action: 'kms:*', Resource: 'arn:aws:kms:*:*:key/*'}}", "", fail},
		{"iam-customer-policy-blocked-kms-actions", "{blockedActionsPatterns: 'kms:Decrypt'}", "IAM::ManagedPolicy", "PolicyDocument: {Statement: {Effect: Allow, Action: 'kms:*', Resource: 'arn:aws:kms:eu-west-1:1:key/1'}}", "", pass},
		{"iam-inline-policy-blocked-kms-actions", "{blockedActionsPatterns: 'kms:Decrypt'}", "IAM::Role", "", "", skip},
		{"secretsmanager-rotation-enabled-check", "{maximumAllowedRotationFrequency: 10}", "SecretsManager::Secret", "", " R: {Type: 'AWS::SecretsManager::RotationSchedule', Properties: {SecretId: !Ref X, RotationRules: {ScheduleExpression: rate(36 hours)}}}", pass},
		{"secretsmanager-rotation-enabled-check", "{maximumAllowedRotationFrequency: 10}", "SecretsManager::Secret", "", " R: {Type: 'AWS::SecretsManager::RotationSchedule', Properties: {SecretId: !Ref X, RotationRules: {AutomaticallyAfterDays: 30}}}", fail},
		{"secretsmanager-rotation-enabled-check", "{}", "SecretsManager::Secret", "", "", fail},
	} {
		resources := " X: {Type: 'AWS::" + c.typ + "', Properties: {" + c.properties + "}}\n" + c.others
		one{name: c.properties + c.parameters, parameters: c.parameters, resources: resources, resource: "X", want: c.want}.run(t, c.rule)
	}
}

// policyOf is a policy of the bucket X with one statement that allows.
func policyOf(statement string) string {
	return " P: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: !Ref X, PolicyDocument: {Statement: [{Effect: Allow, Resource: '*', " + statement + "}]}}}"
}
