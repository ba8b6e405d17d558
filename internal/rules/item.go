package rules

import (
	"slices"
	"strings"
	"sync"

	"evo/internal/cfn"
	"evo/internal/rules/value"
	"evo/internal/source"
)

// AccountID and AccountType stand for the account, where a rule judges it as a whole.
const (
	AccountID   = "AWS::::Account"
	AccountType = "AWS::::Account"
)

// Item is one resource's configuration, in CloudFormation's shape: as a template wants it, or as a live resource has it (AWS
// Config: a configuration item). Properties may hold intrinsic functions where a value is not known yet. An absent property
// is a setting that is off, or the service's default.
type Item struct {
	ID         string // logical id; of a live resource without one, its physical id
	Type       string
	Properties *cfn.Node
	Metadata   *cfn.Node
	Span       source.Span // of its logical id

	// What is known of a live resource, or of one whose name is fixed. Empty where it is not.
	Name, ARN, PhysicalID string

	// Supplementary holds facts that CloudFormation's properties cannot express; nil if nobody looked. The rules read:
	// MFADelete (boolean), KeyState, DriftStatus (strings), AvailabilityZones, BackupPlans, ReplicationRegions (lists),
	// RecoveryPointAgeHours (number), BackupConforms (boolean: the plan copies and keeps as the rule's parameters ask),
	// RotationEnabled (boolean), WebAclArn (string), Policy (a function's resource policy, instead of Permissions), PolicyIsPublic
	// (boolean: what S3 says of a bucket's policy), Grants (of a bucket's ACL to others than its owner: a list of Grantee, one of the
	// groups AllUsers, AuthenticatedUsers and LogDelivery, or an account, and Permission).
	Supplementary *cfn.Node

	// Condition is the resource's condition if it is not known whether it holds.
	Condition string

	attached []*Item // what else in the Set configures it: its policy, permissions, scaling…
}

// Facts are what rules ask about an account, by name: AccountMaxReadCapacityUnits, AccountMaxWriteCapacityUnits,
// ProvisionedReadCapacityUnits, ProvisionedWriteCapacityUnits (of tables outside the Set), BlockPublicAcls,
// IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets (the account's own Block Public Access), AccountId. A missing fact is
// not known.
type Facts = *cfn.Node

// Set is the resources of one source, a template or a live stack, and what is known around them. It is never changed once
// made, and may be judged from several goroutines.
type Set struct {
	Items      []*Item
	Account    Facts
	Region     string
	Parameters *cfn.Node // the template's Parameters section; nil of a live stack

	byID  map[string]*Item
	names func() *names // made when first asked for
	loose []*Item       // what configures something that is not known
}

// NewSet makes a Set of items, whose IDs differ, and takes the items over. It finds out which belongs to which.
func NewSet(items []*Item, account Facts, region string) *Set {
	s := &Set{Items: items, Account: account, Region: region, byID: make(map[string]*Item, len(items))}
	for _, it := range items {
		it.attached = nil
		s.byID[it.ID] = it
	}
	s.names = sync.OnceValue(func() *names { return namesOf(items) })
	for _, it := range items {
		s.attach(it)
	}
	return s
}

// Item returns the item with that ID, or nil.
func (s *Set) Item(id string) *Item { return s.byID[id] }

// An attachment is a type whose resources configure another resource, which a property of theirs names.
type attachment struct {
	property string
	targets  []string
}

var lambdaTargets = []string{"AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::Lambda::Version"}

var attachments = map[string][]attachment{
	"AWS::S3::BucketPolicy":                       {{"Bucket", []string{"AWS::S3::Bucket"}}},
	"AWS::SQS::QueuePolicy":                       {{"Queues", []string{"AWS::SQS::Queue"}}},
	"AWS::SQS::QueueInlinePolicy":                 {{"Queue", []string{"AWS::SQS::Queue"}}},
	"AWS::SNS::TopicPolicy":                       {{"Topics", []string{"AWS::SNS::Topic"}}},
	"AWS::SNS::TopicInlinePolicy":                 {{"TopicArn", []string{"AWS::SNS::Topic"}}},
	"AWS::Lambda::Permission":                     {{"FunctionName", lambdaTargets}},
	"AWS::Lambda::Alias":                          {{"FunctionName", lambdaTargets[:1]}},
	"AWS::Lambda::Version":                        {{"FunctionName", lambdaTargets[:1]}},
	"AWS::Lambda::Url":                            {{"TargetFunctionArn", lambdaTargets}},
	"AWS::ApplicationAutoScaling::ScalableTarget": {{"ResourceId", []string{"AWS::DynamoDB::Table"}}},
	"AWS::ApplicationAutoScaling::ScalingPolicy": {{"ResourceId", []string{"AWS::DynamoDB::Table"}},
		{"ScalingTargetId", []string{"AWS::ApplicationAutoScaling::ScalableTarget"}}},
	"AWS::Events::EventBusPolicy":           {{"EventBusName", []string{"AWS::Events::EventBus"}}},
	"AWS::WAFv2::WebACLAssociation":         {{"ResourceArn", []string{"AWS::ApiGateway::Stage"}}},
	"AWS::SecretsManager::RotationSchedule": {{"SecretId", []string{"AWS::SecretsManager::Secret"}}},
	"AWS::IAM::Policy": {{"Users", []string{"AWS::IAM::User"}}, {"Roles", []string{"AWS::IAM::Role"}},
		{"Groups", []string{"AWS::IAM::Group"}}},
	"AWS::IAM::ManagedPolicy":      {{"Users", []string{"AWS::IAM::User"}}},
	"AWS::IAM::UserPolicy":         {{"UserName", []string{"AWS::IAM::User"}}},
	"AWS::IAM::RolePolicy":         {{"RoleName", []string{"AWS::IAM::Role"}}},
	"AWS::IAM::GroupPolicy":        {{"GroupName", []string{"AWS::IAM::Group"}}},
	"AWS::Backup::BackupSelection": {{"BackupSelection.Resources", []string{"AWS::DynamoDB::Table", "AWS::S3::Bucket"}}},
}

// through are types that stand for another resource: what is attached to an alias configures its function.
var through = map[string]attachment{
	"AWS::Lambda::Alias":                          attachments["AWS::Lambda::Alias"][0],
	"AWS::Lambda::Version":                        attachments["AWS::Lambda::Version"][0],
	"AWS::ApplicationAutoScaling::ScalableTarget": attachments["AWS::ApplicationAutoScaling::ScalableTarget"][0],
}

func (s *Set) attach(it *Item) {
	for _, a := range attachments[it.Type] {
		n := follow(it.Properties, a.property).node
		if n.IsNull() {
			continue
		}
		names := []*cfn.Node{n}
		if n.Is(cfn.List) {
			names = n.Items
		}
		for _, name := range names {
			target, known := s.owner(name, a.targets)
			switch {
			case target != nil && !slices.Contains(target.attached, it):
				target.attached = append(target.attached, it)
			case target == nil && !known:
				s.loose = append(s.loose, it)
			}
		}
	}
}

// owner finds the item that n names, and if that stands for another, the other.
func (s *Set) owner(n *cfn.Node, types []string) (found *Item, known bool) {
	found, known = s.target(n, types)
	if found == nil {
		return nil, known
	}
	if next, ok := through[found.Type]; ok {
		return s.target(found.Properties.Get(next.property), next.targets)
	}
	return found, known
}

// target finds the item that n names, by reference, name, ARN or URL. Known is false if it cannot be told whether n means one
// of the Set.
func (s *Set) target(n *cfn.Node, types []string) (found *Item, known bool) {
	if n == nil {
		return nil, true
	}
	text, ok := value.Of(n)
	if !ok {
		name, _, _ := n.Intrinsic()
		return nil, name == "Fn::ImportValue" // another stack's
	}
	known = true
	text.References(func(name, _ string) bool {
		it := s.byID[name]
		switch {
		case it != nil && slices.Contains(types, it.Type):
			found = it
		case it == nil && name != "AWS":
			known = false
		}
		return found == nil
	})
	if found != nil {
		return found, true
	}
	called, sure := s.names().find(text, types)
	return called, known && sure || called != nil
}

// A naming says how a type's resources are named: by which property, and where in an ARN, URL or longer name the name stands:
// after the marker, up to one of the ends. The marker lastPart is the last slash or colon.
type naming struct{ property, marker, ends string }

const lastPart = "/:"

var namings = map[string]naming{
	"AWS::S3::Bucket":                  {"BucketName", ":::", "/"},
	"AWS::Lambda::Function":            {"FunctionName", "function:", ":"},
	"AWS::DynamoDB::Table":             {"TableName", "table/", "/"},
	"AWS::SQS::Queue":                  {"QueueName", lastPart, ""},
	"AWS::SNS::Topic":                  {"TopicName", lastPart, ""},
	"AWS::Events::EventBus":            {"Name", "event-bus/", ""},
	"AWS::IAM::User":                   {"UserName", lastPart, ""},
	"AWS::IAM::Role":                   {"RoleName", lastPart, ""},
	"AWS::IAM::Group":                  {"GroupName", lastPart, ""},
	"AWS::SecretsManager::Secret":      {"Name", "secret:", ""},
	"AWS::ApiGateway::Stage":           {"StageName", "/stages/", ""},
	"AWS::Logs::LogGroup":              {"LogGroupName", "log-group:", ":"},
	"AWS::StepFunctions::StateMachine": {"StateMachineName", ":", ""},
}

// isCalled reports whether text names it, and whether that is sure.
func (it *Item) isCalled(text value.Text) (same, sure bool) {
	if it.ARN != "" && string(text) == it.ARN || it.PhysicalID != "" && string(text) == it.PhysicalID {
		return true, true
	}
	name, ok := it.name()
	if name == "" {
		return false, ok
	}
	if it.Type == "AWS::ApiGateway::Stage" && !it.isStageIn(text) {
		return false, true
	}
	if n, known := namings[it.Type]; known {
		text = value.Text(n.within(string(text)))
	}
	if text == name {
		return true, true
	}
	return false, ok && name.Literal()
}

// isStageIn reports whether text is of the stage's API: stages of different APIs may have the same name.
func (it *Item) isStageIn(text value.Text) bool {
	api, ok := value.Of(it.Properties.Get("RestApiId"))
	return ok && strings.Contains(string(text), "/restapis/"+string(api)+"/")
}

func (n naming) within(text string) string {
	if n.marker == lastPart {
		return text[strings.LastIndexAny(text, n.marker)+1:]
	}
	if i := strings.LastIndex(text, n.marker); i >= 0 {
		text = text[i+len(n.marker):]
	}
	if i := strings.IndexAny(text, n.ends); n.ends != "" && i >= 0 {
		text = text[:i]
	}
	return text
}

// name is the item's name as far as it is known; ok is false if there is one that cannot be read.
func (it *Item) name() (name value.Text, ok bool) {
	if it.Name != "" {
		return value.Text(it.Name), true
	}
	n := it.Properties.Get(namings[it.Type].property)
	if n.IsNull() || value.IsNoValue(n) {
		return "", true
	}
	return value.Of(n)
}
