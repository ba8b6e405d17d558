package demo

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// customers visit the shop, each as a person would: they look around, and some of them buy.
type customers struct {
	url    string
	client *http.Client
	pace   time.Duration // between two requests of one customer

	mu     sync.Mutex
	counts map[string]*count // by the version that answered; "" where none did
	served map[string]bool   // versions that answered since begin
}

// count is what one version answered.
type count struct{ requests, errors int }

// names of the customers; the shop knows the interests of only some of them.
var names = []string{"ada", "grace", "alan", "barbara", "edsger", "margaret"}

var queries = []string{"a", "mug", "boots", "for", "wool", "e", "map", "tent"}

// visit sends requests until the context ends. What they do is decided by the seed.
func (c *customers) visit(ctx context.Context, seed uint64) {
	var wg sync.WaitGroup
	for i, name := range names {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			for ctx.Err() == nil {
				c.act(ctx, name, rng)
				pause(ctx, time.Duration((0.5+rng.Float64())*float64(c.pace)))
			}
		})
	}
	wg.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (c *customers) act(ctx context.Context, name string, rng *rand.Rand) {
	switch n := rng.IntN(20); {
	case n < 14:
		c.send(ctx, true, "GET", fmt.Sprintf("/search?q=%s&customer=%s", queries[rng.IntN(len(queries))], name), "")
	case n < 16:
		c.send(ctx, false, "GET", "/pictures/"+[]string{"mug", "tent", "socks"}[rng.IntN(3)], "")
	case n < 19:
		c.send(ctx, false, "POST", "/cart/"+name, `{"product": "mug", "count": 1}`)
	default:
		c.send(ctx, false, "POST", "/checkout/"+name, "")
	}
}

// send sends one request, and counts it by the version that answered if it was a search.
func (c *customers) send(ctx context.Context, search bool, method, path, body string) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return // the demo is ending; the shop itself is on this machine
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if !search {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	version := resp.Header.Get("X-Shop-Version")
	if c.served != nil && version != "" {
		c.served[version] = true
	}
	n := c.counts[version]
	if n == nil {
		n = &count{}
		c.counts[version] = n
	}
	n.requests++
	if resp.StatusCode >= http.StatusInternalServerError {
		n.errors++
	}
}

// take returns the counts since it was last called.
func (c *customers) take() map[string]*count {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.counts
	c.counts = map[string]*count{}
	return counts
}

// begin begins a release, for versions.
func (c *customers) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.served = map[string]bool{}
}

// versions is how many versions have answered since begin.
func (c *customers) versions() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.served)
}
