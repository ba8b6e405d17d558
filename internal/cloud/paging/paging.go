// Package paging answers: which part of a list does a call get, and where does the next call go on?
//
// A token names the last element that was given, and is no count: lists change between calls, and what stays in one must be
// given neither twice nor not at all.
package paging

import (
	"encoding/base64"
	"errors"
	"iter"
	"slices"
)

// ErrToken says that a token is none that a call has given, or that what it names is no longer there to go on from.
var ErrToken = errors.New("invalid token")

// Limit returns how many elements a call gets that asks for some number of them, usual without one, and never above most.
func Limit(asked *int32, usual, most int) int {
	if asked == nil || *asked <= 0 {
		return usual
	}
	return min(int(*asked), most)
}

// Page is what one call gets of a list whose elements come in the order of their keys. Use [Open].
type Page struct {
	After    string // the key of the last element that was given before; "" where the list begins
	Backward bool   // the list comes in the reverse order of its keys

	limit, given int
	last         string
	more         bool
}

// Open begins the page that a token stands for; none, or an empty one, is the first.
func Open(token *string, limit int) (*Page, error) {
	after, err := decode(token)
	if err != nil {
		return nil, err
	}
	return &Page{After: after, limit: limit}, nil
}

// Of yields the elements of all that match and are on the page. All may begin at [Page.After], or anywhere before it. A nil
// match takes every element.
func Of[V any](p *Page, all iter.Seq2[string, V], match func(V) bool) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for key, v := range all {
			if p.before(key) || match != nil && !match(v) {
				continue
			}
			if p.more = p.given == p.limit; p.more {
				return
			}
			p.given, p.last = p.given+1, key
			if !yield(key, v) {
				return
			}
		}
	}
}

// before tells whether an element was given by an earlier call.
func (p *Page) before(key string) bool {
	return p.After != "" && (key == p.After || (key < p.After) != p.Backward)
}

// Next returns the token of the page that follows; nil: there is none.
func (p *Page) Next() *string {
	if !p.more {
		return nil
	}
	return encode(p.last)
}

// Cut returns the page that a token stands for of a list in any order, and the token of the one that follows. No two elements
// have the same key.
func Cut[T any](all []T, key func(T) string, token *string, limit int) (page []T, next *string, err error) {
	after, err := decode(token)
	if err != nil {
		return nil, nil, err
	}
	if after != "" {
		i := slices.IndexFunc(all, func(v T) bool { return key(v) == after })
		if i < 0 {
			return nil, nil, ErrToken
		}
		all = all[i+1:]
	}
	if len(all) <= limit {
		return all, nil, nil
	}
	return all[:limit], encode(key(all[limit-1])), nil
}

func encode(key string) *string { return new(base64.RawURLEncoding.EncodeToString([]byte(key))) }

func decode(token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	key, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil {
		return "", ErrToken
	}
	return string(key), nil
}
