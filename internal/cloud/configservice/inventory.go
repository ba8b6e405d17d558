package configservice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"evo/internal/cfn"
	"evo/internal/rules"
)

// Inventory knows what there is to record in a region.
type Inventory interface {
	// Kinds lists what resources there may be. It does not change, and no two kinds have a type in common.
	Kinds() []Kind
	// List returns the resources of a kind, by its name, as they are now: those of the ids that are there, or all if ids is nil.
	List(ctx context.Context, kind string, ids []string) ([]Resource, error)
	// Account returns what rules ask about the account.
	Account(ctx context.Context) rules.Facts
}

// Kind is the resources that are listed together, and the store's tables in which something changes when one of them does.
type Kind struct {
	Name   string
	Types  []string
	Tables []string
	Keyed  bool // a table's keys are the ids of the resources, which are of one type
	Apart  bool // what rules say of other resources does not depend on these
}

// Resource is a resource as it is.
type Resource struct {
	Type, ID, Name, ARN string // the ID is AWS Config's: a bucket's name, a role's RoleId, a stack's ARN
	Global              bool   // of no region
	As                  string // CloudFormation's name of the type, if it is another
	Created             time.Time
	Tags                map[string]string

	Configuration *cfn.Node // as the service describes it, names beginning with a small letter
	Supplementary *cfn.Node // a map of what belongs to it, by AWS Config's names

	// For rules: CloudFormation's properties; what those cannot express (rules.Item's Supplementary); and what CloudFormation
	// has as resources of their own, such as a bucket's policy.
	Properties *cfn.Node
	Facts      *cfn.Node
	Parts      []Part
}

// Part is a resource of CloudFormation's that AWS Config sees as a part of another.
type Part struct {
	Type, ID   string
	Properties *cfn.Node
}

type resourceKey struct{ Type, ID string }

func (r *Resource) key() resourceKey { return resourceKey{r.Type, r.ID} }

// sum is the same as long as nothing of the resource changes.
func (r *Resource) sum() (string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:16]), nil
}

// ruleItems are the resource and its parts as rules judge them.
func (r *Resource) ruleItems() []*rules.Item {
	of := func(kind, id string, properties *cfn.Node) *rules.Item {
		return &rules.Item{ID: itemID(kind, id), Type: kind, Properties: properties, PhysicalID: id}
	}
	own := of(r.ruleType(), r.ID, r.Properties)
	own.Name, own.ARN, own.Supplementary = r.Name, r.ARN, r.Facts
	items := []*rules.Item{own}
	for _, p := range r.Parts {
		items = append(items, of(p.Type, p.ID, p.Properties))
	}
	return items
}

// ruleType is CloudFormation's name of the type.
func (r *Resource) ruleType() string {
	if r.As != "" {
		return r.As
	}
	return r.Type
}

// itemID tells resources of different types apart that have the same id.
func itemID(kind, id string) string { return kind + " " + id }
