package shape_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gateway "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	dynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	lambda "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	s3 "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/shape"
)

// full is a structure in which everything is set.
func full[T any]() *T {
	out := new(T)
	fill(reflect.ValueOf(out).Elem(), 0)
	return out
}

func fill(v reflect.Value, depth int) {
	switch {
	case depth > 12 || !v.CanSet():
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), depth+1)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	case v.Kind() == reflect.Map:
		element := reflect.New(v.Type().Elem()).Elem()
		fill(element, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("a/b").Convert(v.Type().Key()), element)
	case v.Kind() == reflect.String:
		v.SetString("x")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(7)
	case v.CanFloat():
		v.SetFloat(7)
	}
}

// foreign are the paths in n that the published type does not have.
func foreign(typ *spec.Type, as *spec.Shape, n *cfn.Node, path string) (out []string) {
	switch members := typ.Members(as); {
	case n.Is(cfn.List) && as.Element != nil:
		for _, it := range n.List() {
			out = append(out, foreign(typ, as.Element, it, path)...)
		}
	case members != nil:
		for _, p := range n.Entries() {
			m, ok := members[p.Key]
			if !ok {
				out = append(out, path+"."+p.Key)
				continue
			}
			out = append(out, foreign(typ, m.Type, p.Value, path+"."+p.Key)...)
		}
	}
	return out
}

// Whatever services say, what is made of it has the published type's form; and of each property that counts something is made.
func TestForm(t *testing.T) {
	table := full[dynamodb.TableDescription]()
	table.SSEDescription.Status = dynamodb.SSEStatusEnabled
	function, stage, site := full[lambda.FunctionConfiguration](), full[gateway.Stage](), full[s3.WebsiteConfiguration]()
	bucket := func(name string, n *cfn.Node) *cfn.Node { return cfn.Obj(cfn.P(name, n)) }
	for _, c := range []struct {
		typ  string
		got  *cfn.Node
		want []string // paths that must be there
	}{
		{"AWS::S3::Bucket", bucket("BucketEncryption", shape.Encryption(full[s3.ServerSideEncryptionConfiguration]())),
			[]string{"BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.KMSMasterKeyID"}},
		{"AWS::S3::Bucket", bucket("LoggingConfiguration", shape.Logging(full[s3.LoggingEnabled]())),
			[]string{"LoggingConfiguration.DestinationBucketName", "LoggingConfiguration.LogFilePrefix"}},
		{"AWS::S3::Bucket", bucket("ReplicationConfiguration", shape.Replication(full[s3.ReplicationConfiguration]())),
			[]string{"ReplicationConfiguration.Rules.0.Status", "ReplicationConfiguration.Rules.0.Filter.TagFilter.Key"}},
		{"AWS::S3::Bucket", bucket("LifecycleConfiguration", shape.Lifecycle([]s3.LifecycleRule{*full[s3.LifecycleRule]()})),
			[]string{"LifecycleConfiguration.Rules.0.ExpirationInDays", "LifecycleConfiguration.Rules.0.Transitions.0.TransitionInDays", "LifecycleConfiguration.Rules.0.TagFilters.0.Key"}},
		{"AWS::S3::Bucket", bucket("CorsConfiguration", shape.CORS([]s3.CORSRule{*full[s3.CORSRule]()})),
			[]string{"CorsConfiguration.CorsRules.0.ExposedHeaders", "CorsConfiguration.CorsRules.0.MaxAge"}},
		{"AWS::S3::Bucket", bucket("WebsiteConfiguration", shape.Website(*site)),
			[]string{"WebsiteConfiguration.IndexDocument", "WebsiteConfiguration.RoutingRules.0.RedirectRule.HostName"}},
		{"AWS::DynamoDB::Table", shape.Table(table), []string{"SSESpecification.KMSMasterKeyId", "BillingMode", "TableClass", "GlobalSecondaryIndexes.0.Projection"}},
		{"AWS::DynamoDB::Table", bucket("PointInTimeRecoverySpecification", shape.Recovery(full[dynamodb.ContinuousBackupsDescription]())), nil},
		{"AWS::Lambda::Function", shape.Function(function, function.Layers, function.ImageConfigResponse),
			[]string{"Layers.0", "ImageConfig.EntryPoint", "Environment.Variables", "VpcConfig.SubnetIds", "Timeout"}},
		{"AWS::ApiGateway::Stage", shape.RestStage(stage, stage.MethodSettings), []string{"MethodSettings.0.ResourcePath", "AccessLogSetting.DestinationArn", "CacheClusterSize"}},
	} {
		typ, ok := spec.Lookup(c.typ)
		if !ok {
			t.Fatalf("no type %s", c.typ)
		}
		for _, p := range c.got.Entries() {
			property, ok := typ.Properties[p.Key]
			if !ok {
				t.Errorf("%s has no property %s", c.typ, p.Key)
				continue
			}
			for _, path := range foreign(typ, property.Type, p.Value, p.Key) {
				t.Errorf("%s has no %s", c.typ, path)
			}
		}
		for _, path := range c.want {
			if at(c.got, strings.Split(path, ".")) == nil {
				t.Errorf("%s: %s is missing in %v", c.typ, path, c.got.Keys())
			}
		}
	}
}

func at(n *cfn.Node, path []string) *cfn.Node {
	for _, key := range path {
		if key == "0" && len(n.List()) > 0 {
			n = n.List()[0]
			continue
		}
		n = n.Get(key)
	}
	return n
}

// What is not set is not there, and a table says what it has by default.
func TestUnset(t *testing.T) {
	for name, n := range map[string]*cfn.Node{
		"function": shape.Function(lambda.FunctionConfiguration{}, nil, nil, "Runtime", "Layers", "ImageConfig", "Environment"),
		"ttl":      shape.TimeToLive(&dynamodb.TimeToLiveDescription{}), "none": shape.Encryption(nil), "empty": shape.Encryption(&s3.ServerSideEncryptionConfiguration{}),
	} {
		if len(n.Entries()) > 0 {
			t.Errorf("%s has %v", name, n.Keys())
		}
	}
	table := shape.Table(&dynamodb.TableDescription{}, "BillingMode")
	if keys := table.Keys(); !slices.Equal(keys, []string{"BillingMode", "TableClass", "SSESpecification"}) || table.Get("BillingMode").Str() != "PROVISIONED" {
		t.Errorf("a table of defaults has %v", keys)
	}
}

// Groups of an ACL by the end of their names, the owner left out; the canned ACL is never less open than the grants.
func TestGrants(t *testing.T) {
	user := func(id string, p s3.Permission) s3.Grant {
		return s3.Grant{Grantee: &s3.Grantee{ID: &id}, Permission: p}
	}
	group := func(name string, p s3.Permission) s3.Grant {
		uri := "http://acs.amazonaws.com/groups/global/" + name
		return s3.Grant{Grantee: &s3.Grantee{URI: &uri}, Permission: p}
	}
	me := "me"
	owner := &s3.Owner{ID: &me}
	for _, c := range []struct {
		canned string
		grants []s3.Grant
		others int
	}{
		{"Private", []s3.Grant{user("me", s3.PermissionFullControl)}, 0},
		{"Private", []s3.Grant{user("me", s3.PermissionFullControl), user("you", s3.PermissionRead)}, 1},
		{"PublicRead", []s3.Grant{group("AuthenticatedUsers", s3.PermissionRead), group("AllUsers", s3.PermissionRead)}, 2},
		{"AuthenticatedRead", []s3.Grant{group("AuthenticatedUsers", s3.PermissionRead)}, 1},
		{"PublicReadWrite", []s3.Grant{group("AuthenticatedUsers", s3.PermissionWriteAcp)}, 1},
	} {
		if got := shape.AccessControl(c.grants); got != c.canned {
			t.Errorf("%s, want %s", got, c.canned)
		}
		if got := shape.Grants(c.grants, owner).List(); len(got) != c.others {
			t.Errorf("%d grants to others, want %d", len(got), c.others)
		}
	}
}
