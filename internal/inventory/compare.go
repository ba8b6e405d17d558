package inventory

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"evo/internal/cfn"
	"evo/internal/shape"
)

// Kind tells how a resource differs from what its template asks for.
type Kind uint8

// The kinds of differences. Undetermined: one of the two is not known.
const (
	Changed Kind = iota
	Added
	Removed
	Undetermined
)

func (k Kind) String() string { return [...]string{"changed", "added", "removed", "undetermined"}[k] }

// MarshalText writes the kind's word.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Difference is one value that differs. Values may be secret: a function's variables are among them.
type Difference struct {
	ID, Type string // of the item
	Path     string // with dots, as "VersioningConfiguration.Status"; empty: the resource as a whole
	Kind     Kind
	Desired  *cfn.Node // nil if nothing was asked for
	Live     *cfn.Node // nil if there is nothing
	Reason   string    // of an undetermined one: what is not known
}

// Compare tells where live resources differ from what their template asks for (CloudFormation: drift), by the items' ids and
// in the order of the live ones. What a service fills in where nothing was asked for is no difference, as long as it is the
// service's own default; nor is a list in another order where the order has no meaning.
func Compare(desired, live []*Item) []Difference {
	byID := make(map[string]*Item, len(desired))
	for _, it := range desired {
		byID[it.ID] = it
	}
	var all []Difference
	for _, it := range live {
		d := byID[it.ID]
		switch {
		case d == nil:
			all = append(all, foreign(it, byID)...)
		case it.Missing:
			all = append(all, Difference{ID: it.ID, Type: it.Type, Kind: Removed, Desired: d.Properties})
		default:
			c := comparison{item: it}
			for _, name := range it.Read {
				c.compare(name, canonical(it.Type, name, d.Properties.Get(name)), it.Properties.Get(name))
			}
			all = append(all, c.found...)
		}
	}
	return all
}

// foreign is what configures a resource and stands in no template. The routes of an API's definition are in it.
func foreign(it *Item, desired map[string]*Item) []Difference {
	if it.Type == httpRouteType {
		owner, _, _ := strings.Cut(it.ID, "/Route")
		if o := desired[owner]; o != nil && (o.Properties.Has("Body") || o.Properties.Has("BodyS3Location") || o.Properties.Has("Target")) {
			return nil
		}
	}
	d := Difference{ID: it.ID, Type: it.Type, Kind: Added, Live: it.Properties}
	for _, name := range it.Read {
		if reason, ok := Reason(it.Properties.Get(name)); ok {
			d.Kind, d.Reason = Undetermined, reason
			break
		}
	}
	return []Difference{d}
}

// canonical writes a property that has several forms in the one that the readers use.
func canonical(typ, name string, n *cfn.Node) *cfn.Node {
	switch {
	case typ == bucketType && name == "LifecycleConfiguration":
		n = n.Clone()
		for _, rule := range n.Get("Rules").List() {
			if days := rule.Get("NoncurrentVersionExpirationInDays"); days != nil {
				rule.Delete("NoncurrentVersionExpirationInDays")
				rule.Set("NoncurrentVersionExpiration", cfn.Obj(cfn.P("NoncurrentDays", days)))
			}
			for _, one := range []string{"Transition", "NoncurrentVersionTransition"} {
				if t := rule.Get(one); t != nil {
					rule.Delete(one)
					rule.Set(one+"s", cfn.Arr(append([]*cfn.Node{t}, rule.Get(one+"s").List()...)...))
				}
			}
		}
	case typ == restStageType && name == "MethodSettings":
		n = n.Clone()
		for _, setting := range n.List() {
			if path := setting.Get("ResourcePath").Str(); path != "" && !strings.HasPrefix(path, "/") {
				setting.Set("ResourcePath", cfn.Str("/"+path))
			}
		}
	}
	return n
}

type comparison struct {
	item  *Item
	found []Difference
}

func (c *comparison) add(kind Kind, path string, desired, live *cfn.Node, reason string) {
	c.found = append(c.found, Difference{c.item.ID, c.item.Type, path, kind, desired, live, reason})
}

func (c *comparison) compare(path string, desired, live *cfn.Node) {
	if reason, ok := Reason(live); ok {
		c.add(Undetermined, path, desired, live, reason)
		return
	}
	if open(desired) {
		c.add(Undetermined, path, desired, live, unresolved(desired))
		return
	}
	switch {
	case desired.Is(cfn.List) && live.Is(cfn.List) && ordered[path]:
		c.lists(path, desired, live)
	case off(desired) && off(live), same(desired, live), c.equivalent(path, desired, live):
	case desired == nil:
		if !c.filledIn(path, live) {
			c.add(Added, path, nil, live, "")
		}
	case live == nil:
		if !c.isDefault(path, desired) {
			c.add(Removed, path, desired, nil, "")
		}
	case desired.Is(cfn.Map) && live.Is(cfn.Map):
		c.maps(path, desired, live)
	case desired.Is(cfn.Map) && live.Is(cfn.List):
		c.lists(path, cfn.Arr(desired), live)
	case desired.Is(cfn.List) && live.Is(cfn.List):
		c.lists(path, desired, live)
	default:
		c.add(Changed, path, desired, live, "")
	}
}

// open reports that a desired value is not known as a whole.
func open(n *cfn.Node) bool {
	if n.Is(cfn.String) {
		return strings.Contains(n.Text, "{{resolve:")
	}
	name, _, ok := n.Intrinsic()
	return ok && name != "Condition"
}

// unresolved says what of a desired value is not known.
func unresolved(desired *cfn.Node) string {
	if desired.Is(cfn.String) {
		return "a dynamic reference"
	}
	name, _, _ := desired.Intrinsic()
	for _, needs := range cfn.Unknowns(desired) {
		if needs != "" {
			return name + " of " + needs
		}
	}
	return name
}

// equivalent reports whether a service answers with another form of what it was given.
func (c *comparison) equivalent(path string, desired, live *cfn.Node) bool {
	d, l := desired.Str(), live.Str()
	switch {
	case c.item.Type == restAPIType && path == "Policy":
		return same(anyAPI(desired), anyAPI(live))
	case d == "" || l == "":
		return false
	case strings.HasSuffix(path, "KeyId"), strings.HasSuffix(path, "KeyID"), strings.HasSuffix(path, "KeyArn"):
		return strings.HasSuffix(l, ":key/"+d)
	}
	return strings.TrimSuffix(d, ":*") == strings.TrimSuffix(l, ":*") // log groups' ARNs
}

var executeAPI = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`arn:[^:"]*:execute-api:[^:"]*:[^:"]*:[^/"]+/`) })

// anyAPI writes an API's policy as it may be given: without saying which API.
func anyAPI(policy *cfn.Node) *cfn.Node {
	text := policy.Str()
	if policy.Is(cfn.Map) {
		text = key(policy)
	}
	return shape.Document(executeAPI().ReplaceAllString(text, "execute-api:/"))
}

func (c *comparison) maps(path string, desired, live *cfn.Node) {
	for _, p := range desired.Pairs {
		c.compare(path+"."+p.Key, p.Value, live.Get(p.Key))
	}
	for _, p := range live.Pairs {
		if !desired.Has(p.Key) {
			c.compare(path+"."+p.Key, nil, p.Value)
		}
	}
}

// identities are the keys that tell the entries of a list apart, where they all have one of them.
var identities = []string{"Key", "Id", "IndexName", "AttributeName", "PolicyName", "Sid", "Name", "ResourcePath", "FunctionVersion", "TagKey"}

// lists compares entries by what identifies them, else by their places.
func (c *comparison) lists(path string, desired, live *cfn.Node) {
	if key := identity(desired, live); key != "" && !ordered[path] {
		c.keyed(path, key, desired, live)
		return
	}
	for i := range max(len(desired.Items), len(live.Items)) {
		where := path + "." + strconv.Itoa(i)
		switch {
		case i >= len(live.Items):
			c.add(Removed, where, desired.Items[i], nil, "")
		case i >= len(desired.Items):
			c.add(Added, where, nil, live.Items[i], "")
		default:
			c.compare(where, desired.Items[i], live.Items[i])
		}
	}
}

// ordered are lists whose order means something.
var ordered = map[string]bool{"Layers": true}

func identity(lists ...*cfn.Node) string {
	for _, key := range identities {
		unique := true
		for _, list := range lists {
			seen := map[string]bool{}
			for _, n := range list.Items {
				text, ok := n.Get(key).Scalar()
				unique = unique && ok && !seen[text]
				seen[text] = true
			}
		}
		if unique {
			return key
		}
	}
	return ""
}

func (c *comparison) keyed(path, key string, desired, live *cfn.Node) {
	find := func(list *cfn.Node, n *cfn.Node) *cfn.Node {
		i := slices.IndexFunc(list.Items, func(m *cfn.Node) bool { return same(m.Get(key), n.Get(key)) })
		if i < 0 {
			return nil
		}
		return list.Items[i]
	}
	for i, d := range desired.Items {
		c.compare(path+"."+strconv.Itoa(i), d, find(live, d))
	}
	for i, l := range live.Items {
		if find(desired, l) == nil {
			c.add(Added, path+"."+strconv.Itoa(i), nil, l, "")
		}
	}
}

func sameEntries(a, b []*cfn.Node) bool {
	if len(a) != len(b) {
		return false
	}
	left := slices.Clone(b)
	for _, n := range a {
		i := slices.IndexFunc(left, func(m *cfn.Node) bool { return same(n, m) })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

// same reports whether CloudFormation and the services take two values for one: text may stand for numbers and booleans, one
// value for a list of it, and lists have no order.
func same(a, b *cfn.Node) bool {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() && b.IsNull()
	}
	x, xok := a.Scalar()
	y, yok := b.Scalar()
	switch {
	case xok && yok:
		return sameText(x, y)
	case !a.Is(cfn.List) && b.Is(cfn.List):
		return len(b.Items) == 1 && same(a, b.Items[0])
	case a.Is(cfn.List) && !b.Is(cfn.List):
		return len(a.Items) == 1 && same(a.Items[0], b)
	case a.Is(cfn.String) && b.Is(cfn.Map):
		return shape.Document(a.Text).Is(cfn.Map) && same(shape.Document(a.Text), b)
	case a.Is(cfn.List) && b.Is(cfn.List):
		return sameEntries(a.Items, b.Items)
	case a.Is(cfn.Map) && b.Is(cfn.Map):
		if len(a.Pairs) != len(b.Pairs) {
			return false
		}
		for _, p := range a.Pairs {
			if !b.Has(p.Key) || !same(p.Value, b.Get(p.Key)) {
				return false
			}
		}
		return true
	}
	return false
}

var accountRoot = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):root$`) })

func sameText(a, b string) bool {
	if a == b {
		return true
	}
	if m := accountRoot().FindStringSubmatch(a); m != nil && m[1] == b {
		return true
	}
	if m := accountRoot().FindStringSubmatch(b); m != nil && m[1] == a {
		return true
	}
	// Digits of equal length are names, such as accounts, if they are long.
	const longest = 11
	if len(a) > longest || len(b) > longest || a == "" || b == "" {
		return false
	}
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err == nil && err2 == nil && x == y
}

// off reports that a value switches nothing on.
func off(n *cfn.Node) bool {
	switch {
	case n.IsNull():
		return true
	case n.Is(cfn.Bool):
		return n.Text == "false"
	case n.Is(cfn.String):
		return n.Text == "" || n.Text == "false"
	case n.Is(cfn.List):
		return len(n.Items) == 0
	case n.Is(cfn.Map):
		return !slices.ContainsFunc(n.Pairs, func(p cfn.Pair) bool { return !off(p.Value) })
	}
	return false
}
