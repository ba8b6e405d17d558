package fitness

import (
	"encoding/json"

	"evo/internal/fitness/exact"
)

// Entry is what an AWS Config rule means to fitness.
type Entry struct {
	Rule           string
	Characteristic string
	Severity       exact.Decimal
	Type           string // the resource type that it judges
	OptIn          string // why it is not in the default suite; empty if it is
	Title          string
}

// Why a rule is not in the default suite.
const (
	stricter = "stricter than a rule of the default suite: both would count one defect twice"
	same     = "the same defect as a rule of the default suite"
	depends  = "right for some resources only: ask for it where it is"
	needs    = "needs a parameter that only you know"
	account  = "judges the account or live data, not the architecture"
)

const (
	bucket = "AWS::S3::Bucket"
	table  = "AWS::DynamoDB::Table"
	lambda = "AWS::Lambda::Function"
	rest   = "AWS::ApiGateway::Stage"
	http   = "AWS::ApiGatewayV2::Stage"
	queue  = "AWS::SQS::Queue"
	topic  = "AWS::SNS::Topic"
	group  = "AWS::Logs::LogGroup"
)

// Catalogue is the table of the rules that matter to serverless applications. Severities follow one question: what does it
// cost when this goes wrong? Critical: strangers read or write. High: data is lost for good, or readable on the way. Medium: an
// outage that somebody mends. Low: it is harder to see or to trace.
//
// Each defect counts once: of several rules about one setting the plainest is in the default suite, and the stricter or
// narrower ones are opt-in (`functions: {s3-default-encryption-kms: {}}` in fitness.yaml asks for one).
var Catalogue = []Entry{
	// Buckets
	{"s3-bucket-public-read-prohibited", Security, Critical, bucket, "", "strangers cannot read the bucket"},
	{"s3-bucket-public-write-prohibited", Security, Critical, bucket, "", "strangers cannot write to the bucket"},
	{"s3-bucket-level-public-access-prohibited", Security, Critical, bucket, same, "the bucket blocks public access"},
	{"s3-bucket-acl-prohibited", Security, Medium, bucket, same, "no access by ACL"},
	{"s3-bucket-policy-grantee-check", Security, High, bucket, needs, "the policy grants only to the given principals"},
	{"s3-bucket-policy-not-more-permissive", Security, High, bucket, needs, "the policy allows no more than a control policy"},
	{"s3-bucket-blacklisted-actions-prohibited", Security, High, bucket, needs, "no listed action for other accounts"},
	{"s3-bucket-server-side-encryption-enabled", Security, High, bucket, "", "objects are encrypted at rest"},
	{"s3-default-encryption-kms", Security, Medium, bucket, stricter, "objects are encrypted with a KMS key"},
	{"s3-bucket-ssl-requests-only", Security, High, bucket, "", "the bucket accepts only HTTPS"},
	{"s3-bucket-logging-enabled", Security, Low, bucket, "", "access to the bucket is logged"},
	{"s3-bucket-versioning-enabled", Reliability, Medium, bucket, "", "overwritten and deleted objects can be had back"},
	{"s3-bucket-replication-enabled", Reliability, Low, bucket, "", "objects have a copy in another bucket"},
	{"s3-bucket-default-lock-enabled", Reliability, Medium, bucket, depends, "objects cannot be deleted for a time"},
	{"s3-bucket-mfa-delete-enabled", Reliability, Low, bucket, account, "versions are deleted with a second factor only"},
	{"s3-resources-protected-by-backup-plan", Reliability, Medium, bucket, account, "a backup plan covers the bucket"},
	{"s3-version-lifecycle-policy-check", CostOf, Low, bucket, "", "old versions expire"},
	{"s3-lifecycle-policy-check", CostOf, Low, bucket, stricter, "objects have a lifecycle"},
	{"s3-event-notifications-enabled", Operability, Low, bucket, depends, "changes are announced"},
	{"s3-account-level-public-access-blocks-periodic", Security, Critical, "AWS::::Account", account, "the account blocks public access"},

	// Tables
	{"dynamodb-table-encryption-enabled", Security, High, table, "", "the table is encrypted with a key that can be watched"},
	{"dynamodb-table-encrypted-kms", Security, Medium, table, stricter, "the table is encrypted with a KMS key"},
	{"dynamodb-autoscaling-enabled", Scalability, High, table, "", "the table's capacity follows its load"},
	{"dynamodb-throughput-limit-check", Scalability, Medium, table, account, "provisioned throughput stays below the account's limit"},
	{"dynamodb-pitr-enabled", Reliability, High, table, "", "the table can be put back to any moment"},
	{"dynamodb-table-deletion-protection-enabled", Reliability, Medium, table, "", "the table cannot be deleted by mistake"},
	{"dynamodb-in-backup-plan", Reliability, Medium, table, account, "the table is in a backup plan"},
	{"dynamodb-resources-protected-by-backup-plan", Reliability, Medium, table, account, "a backup plan covers the table"},
	{"dynamodb-last-backup-recovery-point-created", Reliability, Medium, table, account, "there is a recent backup"},
	{"dax-encryption-enabled", Security, High, "AWS::DAX::Cluster", "", "the cache is encrypted"},

	// Functions
	{"lambda-function-public-access-prohibited", Security, Critical, lambda, "", "strangers cannot call the function"},
	{"lambda-function-settings-check", Security, High, lambda, "", "AWS supports the function's runtime"},
	{"lambda-concurrency-check", Scalability, Medium, lambda, depends, "the function cannot use up the account's concurrency"},
	{"lambda-dlq-check", Reliability, Medium, lambda, depends, "events that failed are kept"},
	{"lambda-inside-vpc", Security, Medium, lambda, depends, "the function is in a VPC"},
	{"lambda-vpc-multi-az-check", Reliability, Medium, lambda, account, "the function's subnets span zones"},
	{"lambda-function-xray-enabled", Operability, Low, lambda, "", "calls are traced"},
	{"lambda-function-log-format-json", Operability, Low, lambda, "", "logs have a structure"},
	{"lambda-function-application-log-level-check", Operability, Low, lambda, needs, "the application logs at your level"},
	{"lambda-function-system-log-level-check", Operability, Low, lambda, needs, "the runtime logs at your level"},
	{"codedeploy-lambda-allatonce-traffic-shift-disabled", Deployability, High, "AWS::CodeDeploy::DeploymentGroup", "", "traffic shifts gradually"},
	{"codedeploy-auto-rollback-monitor-enabled", Deployability, High, "AWS::CodeDeploy::DeploymentGroup", "", "an alarm rolls a bad release back"},
	{"cloudformation-stack-drift-detection-check", Deployability, Medium, "AWS::CloudFormation::Stack", account, "the stack is as its template says"},

	// APIs
	{"api-gwv2-access-logs-enabled", Operability, Medium, http, "", "calls are logged"},
	{"api-gw-execution-logging-enabled", Operability, Medium, rest, "", "failing calls are logged"},
	{"api-gw-xray-enabled", Operability, Low, rest, "", "calls are traced"},
	{"api-gwv2-authorization-type-configured", Security, High, "AWS::ApiGatewayV2::Route", depends, "callers are known"},
	{"api-gw-associated-with-waf", Security, Medium, rest, depends, "a firewall stands before the API"},
	{"api-gw-ssl-enabled", Security, Low, rest, depends, "the back end can tell that API Gateway calls"},
	{"api-gw-cache-enabled-and-encrypted", Performance, Low, rest, depends, "answers are cached, and the cache is encrypted"},
	{"api-gw-endpoint-type-check", Security, Low, "AWS::ApiGateway::RestApi", needs, "the API is reached as you say"},
	{"appsync-logging-enabled", Operability, Medium, "AWS::AppSync::GraphQLApi", "", "failing queries are logged"},

	// Queues, topics, events, workflows
	{"sqs-queue-no-public-access", Security, Critical, queue, "", "strangers cannot use the queue"},
	{"sqs-queue-policy-full-access-check", Security, Medium, queue, "", "nobody may do everything with the queue"},
	{"sqs-queue-dlq-check", Reliability, Medium, queue, depends, "messages that failed are kept"},
	{"sns-topic-no-public-access", Security, Critical, topic, "", "strangers cannot use the topic"},
	{"sns-encrypted-kms", Security, Medium, topic, "", "the topic is encrypted"},
	{"sns-topic-message-delivery-notification-enabled", Operability, Low, topic, depends, "deliveries are logged"},
	{"custom-eventbus-policy-attached", Security, Medium, "AWS::Events::EventBus", depends, "the bus says who may use it"},
	{"step-functions-state-machine-logging-enabled", Operability, Medium, "AWS::StepFunctions::StateMachine", "", "failing executions are logged"},

	// Logs, alarms, keys, permissions, secrets
	{"cw-loggroup-retention-period-check", Operability, Low, group, "", "logs are kept long enough, and not for ever by accident"},
	{"cloudwatch-log-group-encrypted", Security, Low, group, depends, "logs are encrypted with your key"},
	{"cloudwatch-alarm-action-check", Operability, Medium, "AWS::CloudWatch::Alarm", "", "the alarm tells somebody"},
	{"cloudwatch-alarm-action-enabled-check", Operability, Medium, "AWS::CloudWatch::Alarm", same, "the alarm's actions are switched on"},
	{"cloudwatch-alarm-settings-check", Operability, Low, "AWS::CloudWatch::Alarm", needs, "alarms of a metric are as you say"},
	{"cmk-backing-key-rotation-enabled", Security, Medium, "AWS::KMS::Key", "", "the key is rotated"},
	{"kms-cmk-not-scheduled-for-deletion", Reliability, Critical, "AWS::KMS::Key", account, "the key stays"},
	{"kms-key-policy-no-public-access", Security, Critical, "AWS::KMS::Key", "", "strangers cannot use the key"},
	{"iam-policy-no-statements-with-admin-access", Security, Critical, "AWS::IAM::ManagedPolicy", "", "no policy allows everything"},
	{"iam-policy-no-statements-with-full-access", Security, High, "AWS::IAM::ManagedPolicy", "", "no policy allows all of a service"},
	{"iam-no-inline-policy-check", Security, Low, "AWS::IAM::Role", depends, "permissions stand in policies of their own"},
	{"iam-user-no-policies-check", Security, Low, "AWS::IAM::User", "", "users get permissions by group"},
	{"iam-customer-policy-blocked-kms-actions", Security, Medium, "AWS::IAM::ManagedPolicy", needs, "no listed KMS action on all keys"},
	{"iam-inline-policy-blocked-kms-actions", Security, Medium, "AWS::IAM::Role", needs, "no listed KMS action on all keys, inline"},
	{"secretsmanager-rotation-enabled-check", Security, Medium, "AWS::SecretsManager::Secret", "", "the secret is rotated"},
}

// Function is the entry as a fitness function.
func (e Entry) Function() Function {
	f := Function{ID: e.Rule, Characteristic: e.Characteristic, Severity: e.Severity, Breadth: Atomic, Target: Static, Cadence: Triggered,
		Invocation: Automated, Definition: "rule " + e.Rule, Title: e.Title}
	if given := Parameters(e.Rule); given != nil {
		text, err := json.Marshal(given)
		if err != nil {
			panic(err) // strings always encode
		}
		f.Definition += ", parameters " + string(text)
	}
	return f
}

// Lookup finds a rule's entry.
func Lookup(rule string) (Entry, bool) {
	for _, e := range Catalogue {
		if e.Rule == rule {
			return e, true
		}
	}
	return Entry{}, false
}
