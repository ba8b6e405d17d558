package rules

import "evo/internal/rules/value"

// names find the items of a Set by what they are called. They give what asking every item with isCalled would, in the order of the
// Set, without asking every item.
type names struct {
	items  []*Item
	first  map[called]int // the position of the first item of that type that is called so
	unsure map[string]bool
	stages []int // a stage's name says nothing without its API's: these are asked
}

// called is how an item of a type may be called: by its ARN or physical id, or, as a part of what is longer, by its name.
type called struct {
	typ, name string
	part      bool
}

const stageType = "AWS::ApiGateway::Stage"

func namesOf(items []*Item) *names {
	n := &names{items: items, first: map[called]int{}, unsure: map[string]bool{}}
	for i, it := range items {
		if it.Type == stageType {
			n.stages = append(n.stages, i)
			continue
		}
		for _, id := range []string{it.ARN, it.PhysicalID} {
			n.add(called{it.Type, id, false}, i)
		}
		name, ok := it.name()
		n.add(called{it.Type, string(name), true}, i)
		if !ok || !name.Literal() {
			n.unsure[it.Type] = true
		}
	}
	return n
}

func (n *names) add(c called, at int) {
	if _, ok := n.first[c]; !ok && c.name != "" {
		n.first[c] = at
	}
}

// find is the first item of the types that text names. Sure is false if there is none, but one of an item's name is not known.
func (n *names) find(text value.Text, types []string) (found *Item, sure bool) {
	at, sure := len(n.items), true
	for _, t := range types {
		if t == stageType {
			at, sure = n.findStage(text, at, sure)
			continue
		}
		part := string(text)
		if how, ok := namings[t]; ok {
			part = how.within(part)
		}
		for _, c := range []called{{t, string(text), false}, {t, part, true}} {
			if i, ok := n.first[c]; ok {
				at = min(at, i)
			}
		}
		sure = sure && !n.unsure[t]
	}
	if at < len(n.items) {
		return n.items[at], true
	}
	return nil, sure
}

func (n *names) findStage(text value.Text, at int, sure bool) (int, bool) {
	for _, i := range n.stages {
		same, known := n.items[i].isCalled(text)
		if same {
			return min(at, i), sure
		}
		sure = sure && known
	}
	return at, sure
}
