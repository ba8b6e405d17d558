package cloudformation

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
)

// recordedHandler keeps a resource that evo cannot run: it has an identity and attributes, and does nothing.
var recordedHandler = Handler{
	Create: func(_ context.Context, r *Request) (Result, error) { return record(r, ""), nil },
	Update: func(_ context.Context, r *Request) (Result, error) { return record(r, r.Physical), nil },
}

func recordedReason(kind string) string {
	return fmt.Sprintf("evo records %s: its properties are kept, and it does nothing here", kind)
}

// record gives a recorded resource its identity: the name that its properties give, else a generated one.
func record(r *Request, physical string) Result {
	facts, known := spec.Lookup(r.Type)
	if !known {
		facts = &spec.Type{Name: r.Type}
	}
	if physical == "" {
		physical = r.recordedID(facts)
	}
	result := Result{Physical: physical, Attributes: map[string]any{}, Reason: recordedReason(r.Type), Recorded: true}
	name := lastName(physical)
	for attr, p := range facts.Attributes {
		switch {
		case strings.HasSuffix(strings.ToLower(attr), "arn"):
			result.Attributes[attr] = recordedARN(r.Region, facts, name)
		case len(facts.Ref) == 1 && facts.Ref[0] == attr:
			result.Attributes[attr] = physical
		case p.Type.Kind == spec.List:
			result.Attributes[attr] = []any{}
		case p.Type.Kind == spec.String:
			result.Attributes[attr] = name
		}
	}
	return result
}

func (r *Request) recordedID(facts *spec.Type) string {
	if len(facts.Ref) == 1 {
		key := facts.Ref[0]
		if name := r.Str(key); name != "" {
			return name
		}
		switch {
		case strings.HasSuffix(strings.ToLower(key), "arn"):
			return recordedARN(r.Region, facts, r.givenName(facts))
		case key == "QueueUrl":
			return fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", r.Region, call.Account, r.givenName(facts))
		}
	}
	return r.givenName(facts)
}

// givenName is a name among the properties, or a generated one.
func (r *Request) givenName(facts *spec.Type) string {
	last := facts.Name[strings.LastIndex(facts.Name, ":")+1:]
	for _, key := range []string{last + "Name", "Name"} {
		if name := r.Str(key); name != "" {
			return name
		}
	}
	return r.generated(64)
}

// recordedARN fills in the type's published form of ARNs, or the usual one.
func recordedARN(region string, facts *spec.Type, name string) string {
	parts := strings.Split(facts.Name, "::")
	service, kind := "cloudformation", "resource"
	if len(parts) == 3 {
		service, kind = strings.ToLower(parts[1]), strings.ToLower(parts[2])
	}
	if facts.ARN == "" {
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", service, region, call.Account, kind, name)
	}
	arn := strings.NewReplacer("${Partition}", "aws", "${Region}", region, "${Account}", call.Account).Replace(facts.ARN)
	for {
		before, rest, ok := strings.Cut(arn, "${")
		_, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return arn
		}
		arn = before + name + after
	}
}

// RecordedResource is a resource that is only recorded, as its stack has it.
type RecordedResource struct {
	Type, Physical, Name, ARN string
	Properties                *cfn.Node // as the template says, with all references resolved
	Attributes                map[string]any
	Tags                      map[string]string // those that CloudFormation gives it, too; none where the type has no tags
}

// RecordedResources lists what the stacks of the region have recorded. What a stack has let go is nowhere any more, even if its
// deletion policy retained it.
func (s *Service) RecordedResources() (list []RecordedResource) {
	s.cfg.Store.View(func(tx *store.Tx) {
		for k, rec := range s.resources.Ascend(tx, "") {
			if !rec.Recorded || rec.Physical == "" || rec.Status == types.ResourceStatusDeleteComplete || rec.Status == types.ResourceStatusDeleteSkipped {
				continue
			}
			stackID, _, _ := strings.Cut(k, "|")
			if st, ok := s.stacks.Get(tx, stackID); ok {
				list = append(list, s.recordedResource(&st, &rec))
			}
		}
	})
	return list
}

func (s *Service) recordedResource(st *stack, rec *resource) RecordedResource {
	facts, known := spec.Lookup(rec.Type)
	if !known {
		facts = &spec.Type{Name: rec.Type}
	}
	r := RecordedResource{Type: rec.Type, Physical: rec.Physical, Name: lastName(rec.Physical), ARN: rec.arn(s.cfg.Region, facts),
		Properties: node(rec.Properties), Attributes: rec.Attributes}
	if facts.Tags != "" {
		r.Tags = tagsOf(st.Name, st.ID, rec.Logical, rec.Tags, r.Properties.Get(facts.Tags))
	}
	return r
}

// arn is a recorded resource's: its id or an attribute, where one of these is an ARN.
func (r *resource) arn(region string, facts *spec.Type) string {
	kind := facts.Name[strings.LastIndex(facts.Name, ":")+1:]
	own, _ := r.Attributes["Arn"].(string)
	long, _ := r.Attributes[kind+"Arn"].(string)
	for _, text := range []string{r.Physical, own, long} {
		if strings.HasPrefix(text, "arn:") {
			return text
		}
	}
	return recordedARN(region, facts, lastName(r.Physical))
}

// lastName is the name at the end of an ARN or URL.
func lastName(physical string) string { return physical[strings.LastIndexAny(physical, ":/")+1:] }
