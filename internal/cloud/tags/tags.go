// Package tags answers: which tags does a resource have after a call has added some, or taken some off?
//
// It is for services that keep tags as a map. IAM, whose keys differ in more than case, and S3, which keeps their order,
// have their own.
package tags

import "maps"

// Most is how many tags nearly every kind of resource may have.
const Most = 50

// Change adds tags to a set, or takes some off it.
type Change func(set map[string]string)

// Add sets tags, those that are there already among them.
func Add(added map[string]string) Change {
	return func(set map[string]string) { maps.Copy(set, added) }
}

// Remove takes off what has one of the keys.
func Remove(keys []string) Change {
	return func(set map[string]string) {
		for _, k := range keys {
			delete(set, k)
		}
	}
}

// To returns the set that the change makes of old, which stays as it is: what a store holds is shared. It is never nil.
func (c Change) To(old map[string]string) map[string]string {
	set := Copy(old)
	c(set)
	return set
}

// Copy returns a set of its own, for an answer: never nil.
func Copy(old map[string]string) map[string]string {
	set := make(map[string]string, len(old))
	maps.Copy(set, old)
	return set
}
