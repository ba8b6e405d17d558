package measure

import (
	"strings"

	"evo/internal/fitness/suitefile"
	"evo/internal/inventory"
)

// names are a stack's resources by logical id.
type names map[string]*inventory.Item

func namesOf(items []*inventory.Item) names {
	n := names{}
	for _, it := range items {
		n[it.ID] = it
	}
	return n
}

// resolve puts physical names for logical ids.
func (n names) resolve(dimensions []suitefile.Dimension) []suitefile.Dimension {
	out := make([]suitefile.Dimension, len(dimensions))
	for i, d := range dimensions {
		out[i] = suitefile.Dimension{Name: d.Name, Value: n.value(d)}
	}
	return out
}

// value is what a dimension's value stands for: a logical id, or one with a qualifier ("Checkout:live"), for the resource; any other
// for itself.
func (n names) value(d suitefile.Dimension) string {
	id, qualifier, qualified := strings.Cut(d.Value, ":")
	it := n[id]
	if it == nil || it.PhysicalID == "" {
		return d.Value
	}
	value := dimension(it, d.Name)
	if qualified {
		value += ":" + qualifier
	}
	return value
}

// dimension is a resource as metrics name it under a dimension. Most take its name, which is the end of the physical id where that
// is an ARN (topics) or a URL (queues); REST APIs' metrics take the API's name, which is not its id.
func dimension(it *inventory.Item, name string) string {
	switch {
	case strings.HasSuffix(name, "Arn") && it.ARN != "":
		return it.ARN
	case name == "ApiName":
		for _, title := range []string{it.Properties.Get("Name").Str(), it.Properties.At("Body", "info", "title").Str()} {
			if title != "" {
				return title
			}
		}
	}
	id := it.PhysicalID
	switch {
	case strings.HasSuffix(name, "Arn"):
		return id
	case strings.Contains(id, "://"):
		return id[strings.LastIndexByte(id, '/')+1:]
	case strings.HasPrefix(id, "arn:"):
		return id[strings.LastIndexByte(id, ':')+1:]
	}
	return id
}
