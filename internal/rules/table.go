package rules

import (
	"cmp"
	"slices"
)

// table is every rule there is.
var table = []*Rule{
	&s3BucketVersioningEnabled,
	&s3BucketLoggingEnabled,
}

var sorted = slices.SortedFunc(slices.Values(table), func(a, b *Rule) int { return cmp.Compare(a.Name, b.Name) })
