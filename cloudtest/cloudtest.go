// Package cloudtest answers: how does a Go test get an AWS of its own? It is to AWS what net/http/httptest is to HTTP: each test
// has the whole embedded cloud, in memory, and it is gone when the test ends.
//
//	func TestOrders(t *testing.T) {
//		c := cloudtest.New(t)
//		client := dynamodb.NewFromConfig(c.Config("eu-west-1"))
//		…
//	}
//
// Code that takes its settings from the environment is led to it by [Cloud.Setenv]; programs in other processes, by the URL.
//
// Time is the test's: [New] runs on the machine's clock (a virtual one inside testing/synctest, with [InProcess]), [Fast] on one
// that runs faster, and [Stepped] on one that stands still until [Cloud.Advance] or [Cloud.Await] moves it, so that a rollout of
// days or an alarm of an hour needs no waiting.
package cloudtest

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/cloud"
	"evo/internal/cloud/clock"
)

// Cloud is an embedded cloud that ends with its test.
type Cloud struct {
	t      testing.TB
	server *cloud.Server
	clock  *clock.Stepped // nil unless stepped
}

// New starts a cloud on a loopback port, on the machine's clock.
func New(t testing.TB) *Cloud {
	t.Helper()
	return start(t, &cloud.Server{}, nil)
}

// InProcess starts a cloud without a port. Clients made of its Config reach it without a socket, so that it works inside a
// testing/synctest bubble. Functions cannot call it back, as they are processes of their own.
func InProcess(t testing.TB) *Cloud {
	t.Helper()
	return start(t, &cloud.Server{Addr: "-"}, nil)
}

// Fast starts a cloud whose clock runs speed times as fast as the machine's. Functions take the time that they take.
func Fast(t testing.TB, speed float64) *Cloud {
	t.Helper()
	return start(t, &cloud.Server{Speed: speed}, nil)
}

// Stepped starts a cloud whose clock stands at begin until it is moved.
func Stepped(t testing.TB, begin time.Time) *Cloud {
	t.Helper()
	c := clock.NewStepped(begin)
	return start(t, &cloud.Server{Clock: c}, c)
}

func start(t testing.TB, s *cloud.Server, c *clock.Stepped) *Cloud {
	t.Helper()
	s.Version = "cloudtest"
	s.Log = func(text string) { t.Log("cloud:", text) }
	// Not the test's context: that has ended when the cleanup begins, and what runs in the cloud is to end in order.
	if err := s.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatalf("cloudtest: start the embedded cloud: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("cloudtest: close the embedded cloud: %v", err)
		}
	})
	return &Cloud{t: t, server: s, clock: c}
}

// Config returns a configuration for SDK clients of this process.
func (c *Cloud) Config(region string) aws.Config { return c.server.Config(region) }

// URL returns where the cloud listens.
func (c *Cloud) URL() string { return c.server.URL() }

// Setenv leads code that takes its settings from the environment to the cloud, for as long as the test runs.
func (c *Cloud) Setenv(region string) {
	t, ok := c.t.(interface{ Setenv(key, value string) })
	if !ok {
		c.t.Fatal("cloudtest: this kind of test sets no variables")
	}
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL": c.URL(), "AWS_REGION": region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
	} {
		t.Setenv(key, value)
	}
}

// Now returns the cloud's time.
func (c *Cloud) Now() time.Time { return c.server.Clock.Now() }

// Advance moves a stepped clock on by d. What becomes due is set off in its order, and may not have ended when Advance
// returns; what that makes due in its turn waits for the next move.
func (c *Cloud) Advance(d time.Duration) {
	c.t.Helper()
	if c.clock == nil {
		c.t.Fatal("cloudtest: only the clock of a Stepped cloud is moved")
	}
	c.clock.Advance(d)
}

// awaitTimeout is how much of the machine's time Await takes at most.
const awaitTimeout = time.Minute

// Await moves a stepped clock on by step, again and again, until done reports true, giving the cloud a moment to work after
// each. The test fails if that does not come about within a minute of the machine's time.
func (c *Cloud) Await(step time.Duration, done func() bool) {
	c.t.Helper()
	for began := time.Now(); !done(); {
		if time.Since(began) > awaitTimeout {
			c.t.Fatalf("cloudtest: what is awaited has not come about by %v of the cloud's time", c.Now())
		}
		c.Advance(step)
		time.Sleep(2 * time.Millisecond)
	}
}
