package lambda

import (
	"strings"

	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

// pageSize is what AWS gives at once at the most, whatever is asked for.
const pageSize = 50

func openPage(marker *string, asked *int32) (*paging.Page, error) {
	p, err := paging.Open(marker, paging.Limit(asked, pageSize, pageSize))
	if err != nil {
		return nil, badMarker(*marker)
	}
	return p, nil
}

func badMarker(marker string) error { return invalid("Invalid pagination marker %q.", marker) }

// list gives add a page of what a function has in a table, by key, and returns the marker of the next.
func list[V any](s *Service, function string, table *store.Table[V], marker *string, asked *int32, match func(V) bool, add func(key string, v V)) (*string, error) {
	p, err := openPage(marker, asked)
	if err != nil {
		return nil, err
	}
	s.cfg.Store.View(func(tx *store.Tx) {
		if err = s.exists(tx, function); err != nil {
			return
		}
		for key, v := range paging.Of(p, table.Prefix(tx, under(function)), match) {
			add(strings.TrimPrefix(key, under(function)), v)
		}
	})
	return p.Next(), err
}

// cut returns the page of a list that a marker stands for, and the marker of the next.
func cut[T any](all []T, key func(T) string, marker *string, asked *int32) ([]T, *string, error) {
	page, next, err := paging.Cut(all, key, marker, paging.Limit(asked, pageSize, pageSize))
	if err != nil {
		return nil, nil, badMarker(*marker)
	}
	return page, next, nil
}
