package lambda

import "encoding/base64"

// page is a part of a list: where it begins, how much it holds, and where the next begins.
type page struct {
	from  string
	limit int
	next  string
}

const defaultPage = 50

func newPage(marker *string, limit *int32) (*page, error) {
	p := &page{limit: defaultPage}
	if limit != nil && *limit > 0 {
		p.limit = min(int(*limit), defaultPage)
	}
	if marker != nil && *marker != "" {
		from, err := base64.RawURLEncoding.DecodeString(*marker)
		if err != nil {
			return nil, invalid("Invalid pagination marker %q.", *marker)
		}
		p.from = string(from)
	}
	return p, nil
}

// full says that no more than n entries fit, and remembers the key of the one that did not.
func (p *page) full(n int, key string) bool {
	if n < p.limit {
		return false
	}
	p.next = key
	return true
}

func (p *page) marker() *string {
	if p.next == "" {
		return nil
	}
	m := base64.RawURLEncoding.EncodeToString([]byte(p.next))
	return &m
}
